"""Takes the pictures of docs/guide from the running app: real services, real model, real Chromium.

Usage: python -m scripts.guide_pictures. Needs the base weights (`make weights`) and Chromium.
"""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.request import urlopen

from playwright.sync_api import Browser, Page

from app.bootstrap import Pilot, build
from app.loading import load_engine
from app.services.ask import AskForm
from app.settings import read
from evaluation import suites
from policies.roles import Actor, Role
from policies.types import Domain, Importance
from tests.browser.chrome import browser

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / "docs" / "guide" / "img"
LOCALES = {"en": "en-US", "ja": "ja-JP"}
DAYS, A_DAY = 8, 2
TEAMS = ("sales", "support", "finance")
HEIGHT = 1500
"""Pixels; the whole form of the Ask page, so that what stays in sight covers none of it."""
PATIENCE = 300_000
"""Milliseconds that an answer may take on a busy machine."""


@dataclass
class Clock:
    """Begins some days ago and is moved by who fills the pilot."""

    behind: timedelta

    def __call__(self) -> datetime:
        return datetime.now(UTC) - self.behind


def take(folder: Path) -> list[Path]:
    """Every picture in both languages."""
    with tempfile.TemporaryDirectory() as data:
        environ = _environ(Path(data))
        settings = read(environ, Path(data) / "none.toml")
        with closing(load_engine(settings)) as engine:
            clock = Clock(timedelta(days=DAYS))
            _fill(build(settings, engine, clock), clock)
        with _served(environ) as address, browser() as opened:
            return [
                picture
                for language in LOCALES
                for picture in _series(opened, address, language, folder)
            ]


def _environ(data: Path) -> dict[str, str]:
    """A pilot of its own beside the weights that are there, with a small budget and an end."""
    base = read()
    (data / "base").symlink_to(base.data_dir / "base")
    end = datetime.now(UTC).date() + timedelta(days=30)
    return {
        "L2D_DATA_DIR": str(data),
        "L2D_AUTH": "off",
        "L2D_PILOT_END": end.isoformat(),
        "L2D_PILOT_LIMIT": "0.01",
    }


@contextmanager
def _served(environ: dict[str, str]) -> Iterator[str]:
    """The app as anyone starts it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "app.py", "serve", "--port", str(port)]
    process = subprocess.Popen(command, cwd=ROOT, env=os.environ | environ)
    address = f"http://127.0.0.1:{port}/"
    try:
        _await(address)
        yield address
    finally:
        process.terminate()
        process.wait()


def _await(address: str) -> None:
    for _ in range(PATIENCE // 1000):
        with suppress(OSError), urlopen(address) as page:
            if page.status == 200:
                return
        time.sleep(1)
    raise TimeoutError(f"{address} did not answer")


def _fill(pilot: Pilot, clock: Clock) -> None:
    questions = iter(suites.load("pilot"))
    for day in range(DAYS, -1, -1):
        clock.behind = timedelta(days=day)
        for number in range(A_DAY + day % 2):
            asked = next(questions)
            importance = Importance.STANDARD if number else Importance.ROUTINE
            actor = Actor("local", TEAMS[(day + number) % 3], frozenset(Role))
            form = AskForm(asked.question, importance, Domain(asked.domain))
            *_, last = pilot.ask(actor, form, f"{day}-{number}")
            if number:
                pilot.ask.rate(actor, last.row.id, 1 if day % 4 else -1)  # type: ignore[union-attr]


def _series(browser: Browser, address: str, language: str, folder: Path) -> list[Path]:
    context = browser.new_context(
        locale=LOCALES[language],
        timezone_id="Asia/Tokyo",
        viewport={"width": 1280, "height": HEIGHT},
        device_scale_factor=1,
    )
    context.add_init_script("localStorage.setItem('l2d.tour', 'seen')")
    page = context.new_page()
    page.goto(address)
    page.wait_for_selector("#quote .value")
    page.wait_for_timeout(1500)
    shots = [_shot(page, "#importance", folder / f"{language}-importance.png")]
    page.click("#example-point")
    page.wait_for_selector("section.difference", timeout=PATIENCE)
    page.wait_for_timeout(1500)
    shots.append(_shot(page, "#form", folder / f"{language}-ask.png"))
    shots.append(_shot(page, "section.difference", folder / f"{language}-difference.png"))
    page.click("#how")
    page.wait_for_selector(".tokens")
    shots.append(_shot(page, ".tokens", folder / f"{language}-tokens.png"))
    page.goto(f"{address}dashboard")
    page.wait_for_selector("#quality .point", timeout=PATIENCE)
    page.wait_for_timeout(3000)
    shots.append(_shot(page, "#quality-panel", folder / f"{language}-quality.png"))
    shots.append(_shot(page, ".gradio-container", folder / f"{language}-dashboard.png"))
    page.goto(f"{address}settings")
    page.wait_for_selector("#settings .note")
    page.wait_for_timeout(1500)
    shots.append(_shot(page, "#settings", folder / f"{language}-settings.png"))
    context.close()
    return shots


def _shot(page: Page, part: str, file: Path) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    page.locator(part).first.screenshot(path=file)
    return file


def main() -> int:
    for file in take(PICTURES):
        print(file.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
