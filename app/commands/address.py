"""Where browsers find the pages: for what `serve` says, and for one-time links."""

import ipaddress
import socket


def address(host: str, port: int) -> str:
    """Who listens on every address (0.0.0.0, ::) is found by the name of this machine."""
    try:
        name = socket.gethostname() if ipaddress.ip_address(host).is_unspecified else host
    except ValueError:
        name = host  # a name already
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"
