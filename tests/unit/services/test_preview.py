"""Quoting on the pilot as it is built: a person typing must not wait for another one's charge."""

from dataclasses import replace
from pathlib import Path

from app.bootstrap import build
from app.services.ask import AskForm
from app.settings import read
from policies.types import Importance
from tests.actors import ANN
from tests.fakes import FakeEngine
from tests.samples import MODEL


def test_preview_waits_for_no_writer(tmp_path: Path) -> None:
    settings = read({"L2D_DATA_DIR": str(tmp_path)}, tmp_path / "none.toml")
    pilot = build(settings, FakeEngine(model=replace(MODEL, model=MODEL.base)))
    form = AskForm("How many pens are left?", Importance.HIGH)
    before = pilot.ask.preview(ANN, form)
    with pilot.uow() as writing:  # holds the one write lock; a writer would give up in 10 seconds
        writing.ledger.set_limit("pilot", 7_000_000_000, before.ceilings[0].currency)
        during = pilot.ask.preview(ANN, form)
        writing.commit()
    assert during == before  # what is not committed yet is not quoted
    assert pilot.ask.preview(ANN, form).ceilings[0].limit_nanos == 7_000_000_000
