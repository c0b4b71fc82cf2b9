"""Many reviewers at one queue, and some who die: a short form of `python -m tests.review_race`."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

from sqlalchemy import Engine

from app.ports import OpenUnitOfWork
from tests import review_race
from tests.databases import START
from tests.reviews import LEASE, put_under_review


def test_sixteen_who_claim_at_once_get_one_claim(uow: OpenUnitOfWork) -> None:
    put_under_review(uow, "a-1")
    together = Barrier(16)

    def claim(number: int) -> bool:
        together.wait()
        with uow() as unit:
            mine = unit.reviews.claim("a-1", f"reviewer-{number}", START, LEASE)
            unit.commit()
        return mine

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(claim, range(16))) == 1


def test_no_race_decides_twice_loses_a_draft_or_takes_a_late_verdict(
    url: str, engine: Engine, tmp_path: Path
) -> None:
    race = review_race.Race(
        1, processes=2, reviewers=4, items=10, kills=1, speed=600, folder=str(tmp_path)
    )
    review_race.run(race, url)
    assert review_race.faults(race, engine) == []
    assert review_race.verdict_count(engine) >= 10
