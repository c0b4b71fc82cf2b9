"""Every setting of the installation: one tuple of name, default and help; L2D_* or l2d.toml.

The environment wins over the file. Nothing is read at import.
"""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from policies.errors import InvalidInput


class Setting(NamedTuple):
    name: str
    default: str
    help: str


SETTINGS = (
    Setting("data_dir", "data", "folder for the database and downloaded base weights"),
    Setting("database_url", "", "SQLAlchemy URL; empty: l2d.sqlite in the data folder"),
    Setting(
        "model", "builtin", "builtin (SmolLM2-135M-Instruct), a local folder or a Hugging Face id"
    ),
    Setting(
        "adapter", "builtin", "builtin (shipped in model/adapters) or a folder with an adapter"
    ),
    Setting("device", "cpu", "torch device that runs the model"),
    Setting(
        "precision",
        "auto",
        "auto, published (the 4-bit blocks in which the built-in base was published, as they are),"
        " bfloat16, float32 or int8 (rounds any base, docs/LOG.md has its accuracy); auto takes the"
        " first that base and CPU have",
    ),
    Setting("threads", "0", "CPU threads of the model; 0 leaves it to torch"),
    Setting("policy", "pilot", "preset or file with the policy that a new pilot begins with"),
    Setting("prices", "builtin", "builtin (policies/presets/prices.yaml) or a price file"),
    Setting(
        "device_hour",
        "0.10",
        "cost of an hour of the device in the pilot's currency, for `price calibrate`",
    ),
    Setting(
        "energy_kwh", "0", "cost of a kilowatt-hour where it comes on top of the device's hour"
    ),
    Setting("pilot", "pilot", "id of the pilot; every row carries it"),
    Setting(
        "pilot_limit", "10.00", "ceiling of the whole pilot in its currency, set when it is created"
    ),
    Setting("time_zone", "UTC", "IANA time zone of the pilot"),
    Setting("pilot_end", "", "last day of the pilot as 2027-03-31, for the forecast; empty: open"),
    Setting(
        "carbon_g_per_kwh",
        "",
        "grams of carbon dioxide a kilowatt-hour, for the dashboard; empty: carbon is not shown",
    ),
    Setting(
        "alert_webhook", "", "URL that gets a POST where the policy sends budget alerts to webhook"
    ),
    Setting("alert_mail_to", "", "address that gets a mail where the policy sends alerts to email"),
    Setting("alert_mail_from", "l2d@localhost", "sender of those mails"),
    Setting("smtp_host", "localhost", "mail server for budget alerts"),
    Setting("smtp_port", "25", "its port"),
    Setting("smtp_security", "none", "none, starttls, or tls from the first byte"),
    Setting("smtp_user", "", "account at the mail server; empty: it asks for no password"),
    Setting("smtp_password", "", "its password"),
    Setting("host", "127.0.0.1", "address on which `serve` listens, unless --host says another"),
    Setting("port", "7860", "its port, unless --port says another; links to sign in name both"),
    Setting(
        "auth",
        "local",
        "local: accounts with passwords, the first admin's link is printed at the start; off:"
        " nobody signs in, on loopback only",
    ),
    Setting("session_idle_minutes", "120", "after so long without a click one signs in again"),
    Setting("session_hours", "12", "after so long one signs in again in any case"),
    Setting(
        "review_minute",
        "0.50",
        "cost of a minute of a reviewer's time in the pilot's currency; counts under its ceilings",
    ),
    Setting(
        "review_idle_minutes",
        "15",
        "after so long without an action of its reviewer an open answer goes back into the queue",
    ),
    Setting("lease_seconds", "30", "how long a hold lives without a sign of its process"),
)

BUILTIN_ADAPTER = Path(__file__).resolve().parent.parent / "model" / "adapters" / "pilot"


@dataclass(frozen=True, slots=True)
class Settings:
    """The tuple above, parsed and checked."""

    data_dir: Path
    database_url: str
    model: str
    adapter: Path
    device: str
    precision: str
    threads: int
    policy: str
    prices: str
    device_hour_nanos: int
    energy_kwh_nanos: int
    pilot: str
    pilot_limit_nanos: int
    time_zone: str
    pilot_end: date | None
    carbon_g_per_kwh: int | None
    alert_webhook: str
    alert_mail_to: str
    alert_mail_from: str
    smtp_host: str
    smtp_port: int
    smtp_security: str
    smtp_user: str
    smtp_password: str
    host: str
    port: int
    auth: str
    session_idle: timedelta
    session_length: timedelta
    review_minute_nanos: int
    review_idle: timedelta
    lease_seconds: float

    @property
    def zone(self) -> ZoneInfo:
        """Of days, months and dates without a time."""
        return ZoneInfo(self.time_zone)

    @property
    def base_dir(self) -> Path | str:
        """Where the base model is read from."""
        if self.model != "builtin":
            return self.model
        return self.data_dir / "base" / "SmolLM2-135M-Instruct"


def read(environ: Mapping[str, str] = os.environ, file: Path = Path("l2d.toml")) -> Settings:
    """Raises InvalidInput naming the setting, what it says and what is legal."""
    values = _values(environ, file)
    data_dir = Path(values["data_dir"]).absolute()
    adapter = values["adapter"]
    return Settings(
        data_dir=data_dir,
        database_url=values["database_url"] or f"sqlite:///{data_dir / 'l2d.sqlite'}",
        model=values["model"],
        adapter=BUILTIN_ADAPTER if adapter == "builtin" else Path(adapter),
        device=values["device"],
        precision=_one_of(
            "precision", values["precision"], ("auto", "published", "bfloat16", "float32", "int8")
        ),
        threads=int(_number("threads", values["threads"], 0, 1024)),
        policy=values["policy"],
        prices=values["prices"],
        device_hour_nanos=amount("device_hour", values["device_hour"]),
        energy_kwh_nanos=amount("energy_kwh", values["energy_kwh"]),
        pilot=values["pilot"],
        pilot_limit_nanos=amount("pilot_limit", values["pilot_limit"]),
        time_zone=_zone("time_zone", values["time_zone"]),
        pilot_end=_day("pilot_end", values["pilot_end"]),
        carbon_g_per_kwh=_grams("carbon_g_per_kwh", values["carbon_g_per_kwh"]),
        alert_webhook=values["alert_webhook"],
        alert_mail_to=values["alert_mail_to"],
        alert_mail_from=values["alert_mail_from"],
        smtp_host=values["smtp_host"],
        smtp_port=int(_number("smtp_port", values["smtp_port"], 1, 65535)),
        smtp_security=_one_of(
            "smtp_security", values["smtp_security"], ("none", "starttls", "tls")
        ),
        smtp_user=values["smtp_user"],
        smtp_password=values["smtp_password"],
        host=values["host"],
        port=int(_number("port", values["port"], 1, 65535)),
        auth=_auth(values["auth"]),
        session_idle=timedelta(
            minutes=_number("session_idle_minutes", values["session_idle_minutes"], 1, 10_080)
        ),
        session_length=timedelta(
            hours=_number("session_hours", values["session_hours"], 1 / 60, 720)
        ),
        review_minute_nanos=amount("review_minute", values["review_minute"]),
        review_idle=timedelta(
            minutes=_number("review_idle_minutes", values["review_idle_minutes"], 1, 720)
        ),
        lease_seconds=_number("lease_seconds", values["lease_seconds"], 1, 3600),
    )


def _values(environ: Mapping[str, str], file: Path) -> dict[str, str]:
    try:
        in_file = tomllib.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    except (OSError, ValueError) as err:
        raise InvalidInput(f"{file} cannot be read: {err}") from err
    names = {s.name for s in SETTINGS}
    if unknown := sorted(set(in_file) - names):
        raise InvalidInput(
            f"{file}: unknown settings {', '.join(unknown)}; known: {', '.join(sorted(names))}"
        )
    from_file = {name: str(value) for name, value in in_file.items()}
    return {
        s.name: environ.get(f"L2D_{s.name.upper()}", from_file.get(s.name, s.default))
        for s in SETTINGS
    }


def _one_of(name: str, value: str, legal: tuple[str, ...]) -> str:
    if value not in legal:
        raise InvalidInput(f"setting {name} must be one of {', '.join(legal)}, got {value!r}")
    return value


def _auth(value: str) -> str:
    if value == "oidc":
        raise InvalidInput(
            "setting auth: oidc (single sign-on) comes in a later release; use local or off"
        )
    return _one_of("auth", value, ("local", "off"))


def _zone(name: str, value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError) as err:
        raise InvalidInput(
            f"setting {name} must be an IANA time zone as Asia/Tokyo, got {value!r}"
        ) from err
    return value


def _day(name: str, value: str) -> date | None:
    try:
        return date.fromisoformat(value) if value else None
    except ValueError as err:
        raise InvalidInput(f"setting {name} must be a day as 2027-03-31, got {value!r}") from err


def _grams(name: str, value: str) -> int | None:
    return round(_number(name, value, 0, 10_000)) if value else None


def _number(name: str, value: str, low: float, high: float) -> float:
    try:
        number = float(value)
    except ValueError as err:
        raise InvalidInput(f"setting {name} must be a number, got {value!r}") from err
    if not low <= number <= high:
        raise InvalidInput(f"setting {name} must be from {low:g} to {high:g}, got {value}")
    return number


def amount(name: str, value: str) -> int:
    """Nanos of an amount written as a plain decimal; exact or refused."""
    whole, _, fraction = value.partition(".")
    if not (whole + fraction).isdigit() or len(fraction) > 9:
        raise InvalidInput(
            f"{name} must be an amount as 10.00 with up to nine decimals, got {value!r}"
        )
    return int(whole or "0") * 10**9 + int(fraction.ljust(9, "0") or "0")
