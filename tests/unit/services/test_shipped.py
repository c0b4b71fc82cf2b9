"""Measurements that came with the adapter are in the audit log when a first start takes them in."""

from pathlib import Path

from app import recorded
from storage.unit_of_work import open_writer
from tests.databases import PILOT, START, database, engine_of
from tests.samples import measurement


def test_the_first_start_takes_them_in_with_one_entry_and_the_next_one_neither(
    tmp_path: Path,
) -> None:
    file, found = tmp_path / recorded.FILE, measurement(3, 0.5)
    recorded.write(file, [(found, [])])
    with database("sqlite") as url:
        engine = engine_of(url)
        uow = open_writer(engine, PILOT)
        assert recorded.seed(uow, file, "f" * 64, "system", START) == 0
        for taken in (1, 0):
            sha = found.adapter_sha256
            assert recorded.seed(uow, file, sha, "system", START) == taken
        with uow() as unit:
            (entry,) = unit.audit.entries()
            assert unit.audit.verify() == []
            assert [each.shipped for each in unit.measurements.latest(sha)] == [True]
        assert (entry.event.by, entry.event.action) == ("system", "measure.shipped")
        assert entry.event.details == {"n": 1, "adapter_sha256": sha}
        engine.dispose()
