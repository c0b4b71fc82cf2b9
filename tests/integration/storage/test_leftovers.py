"""A test run that is killed leaves no server and no folder."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

DIES = """
import os, sys
from sqlalchemy import make_url
from tests.databases import database
with database("sqlite") as file, database("postgresql") as url:
    print(make_url(file).database, make_url(url).query["host"], flush=True)
    os.kill(os.getpid(), int(sys.argv[1]))
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM], ids=["kill", "term"])
def test_killed_run_leaves_no_server_and_no_folder(how: signal.Signals) -> None:
    run = subprocess.run(
        [sys.executable, "-c", DIES, str(int(how))], capture_output=True, text=True, check=False
    )
    assert run.returncode == -how, run.stderr
    file, server = run.stdout.split()
    folders = (Path(file).parent.parent, Path(server).parent)  # the server lies in folder/data
    end = time.monotonic() + 60
    while any(folder.exists() for folder in folders) and time.monotonic() < end:
        time.sleep(0.1)
    assert not [folder for folder in folders if folder.exists()]
    processes = subprocess.run(["ps", "-ax", "-o", "command"], capture_output=True, text=True)
    assert server not in processes.stdout
