"""The product as it ships: real base weights, the shipped adapter, a database of the test's own."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from app.bootstrap import Pilot, build
from app.gateways import LocalEngine
from app.loading import load_engine
from app.settings import Settings, read

ROOT = Path(__file__).resolve().parents[2]
QUESTION = "An order has 12 packs of 6 pens. 9 pens are returned. How many pens remain?"

Command = Callable[..., "subprocess.CompletedProcess[str]"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.weights)


def environment(folder: Path) -> dict[str, str]:
    """Settings of an installation in `folder` that reads the base weights this checkout has."""
    base = Path(read({}, ROOT / "l2d.toml").base_dir)
    (folder / "base").mkdir(exist_ok=True)
    link = folder / "base" / base.name
    if not link.exists():
        link.symlink_to(ROOT / base)
    kept = {k: v for k, v in os.environ.items() if not k.startswith("L2D_")}
    return kept | {"L2D_DATA_DIR": str(folder)}


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return read(environment(tmp_path_factory.mktemp("installation")), Path("no such file"))


@pytest.fixture(scope="session")
def engine(settings: Settings) -> LocalEngine:
    return load_engine(settings)


@pytest.fixture
def pilot(engine: LocalEngine, tmp_path: Path) -> Pilot:
    return build(read(environment(tmp_path), Path("no such file")), engine)


@pytest.fixture
def command(tmp_path: Path) -> Command:
    """Runs `python app.py …` as a shell would, on an installation of its own."""

    def run(*args: str, **extra: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, str(ROOT / "app.py"), *args],
            env=environment(tmp_path) | extra,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    return run
