"""Folders that go with this process, however it ends: a return, an error, a signal, SIGKILL.

A watcher of its own session reads the end of a pipe: it closes when this process is no more. It
stops a PostgreSQL that lies in such a folder, then removes the folder.
"""

import functools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import IO

STOPS_WITHIN = 20
"""Seconds that a server has to end."""


def vanishing(prefix: str, parent: str | None = None) -> Path:
    """A new folder. Nobody else has to remove it."""
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
    pipe = _watcher()
    pipe.write(f"{folder}\n".encode())
    pipe.flush()
    return folder


@functools.cache
def _watcher() -> IO[bytes]:
    """Only this process holds the writing end; programs it starts do not inherit it."""
    watcher = subprocess.Popen(
        [sys.executable, "-I", "-S", __file__], stdin=subprocess.PIPE, start_new_session=True
    )
    assert watcher.stdin is not None
    watcher.returncode = 0  # it outlives us, and that is no leak to warn of
    return watcher.stdin


def watch(folders: list[str]) -> None:
    """What the watcher does once the pipe has ended."""
    for folder in folders:
        _stop_postgresql(Path(folder) / "data" / "postmaster.pid")
        shutil.rmtree(folder, ignore_errors=True)


def _stop_postgresql(file: Path) -> None:
    """At once: what it held is thrown away with the folder."""
    try:
        server = int(file.read_text(encoding="ascii").split()[0])
        os.kill(server, signal.SIGQUIT)
        for _ in range(STOPS_WITHIN * 20):
            time.sleep(0.05)
            os.kill(server, 0)
    except (OSError, ValueError, IndexError):
        return  # there is none, or none any more


if __name__ == "__main__":
    watch([line.rstrip("\n") for line in sys.stdin])
