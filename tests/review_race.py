"""The review race: many reviewers at one queue, with pauses, clock steps and SIGKILLs.

Afterwards everything is counted again from the rows, the audit log and what each reviewer was told,
by other code than the services'. The long form: `python -m tests.review_race --help`.
"""

import argparse
import json
import multiprocessing
import random
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, TextIO, TypeVar

from sqlalchemy import Engine, text

from app.ports import OpenUnitOfWork, ReviewFilter
from app.services.review import ReviewDesk
from app.services.review_time import BookTime
from app.services.review_waiting import Waiting
from policies.errors import InvalidInput, NotFound, Unavailable
from policies.review import ItemState, VerdictKind, settle
from policies.review_time import cost
from policies.roles import Actor, Role
from policies.types import Importance
from storage.unit_of_work import open_reader, open_writer
from tests.actors import person, requester
from tests.databases import DIALECTS, PILOT, START, database, engine_of, set_limit
from tests.reviews import put_under_review

LEASE = timedelta(minutes=2)
HOUR = timedelta(hours=1)
JUMPS = (*[timedelta(0)] * 12, 7 * HOUR, -9 * HOUR, timedelta(days=31))
"""A step of one person's clock; it lasts for one answer."""
ASKERS = ("ann", "ben", "reviewer-0", "reviewer-1")
"""Some who ask review too, but never their own."""
MINUTE_NANOS = 6000
T = TypeVar("T")


@dataclass(frozen=True)
class Race:
    """How many, from which seed; `kills` processes die in the middle."""

    seed: int
    processes: int
    reviewers: int
    """Of each process."""
    items: int
    kills: int
    speed: int
    """Seconds of the reviewers' clocks in one of the machine's."""
    folder: str
    """Where each reviewer writes down what they were told."""


@dataclass
class Reviewer:
    """One person: claims, writes, pauses, decides, gives up, forgets."""

    race: Race
    uow: OpenUnitOfWork
    reader: OpenUnitOfWork
    actor: Actor
    told: TextIO
    began: float
    chance: random.Random
    jump: timedelta = field(default=timedelta(0))

    def now(self) -> datetime:
        passed = (time.time() - self.began) * self.race.speed
        return START + HOUR + timedelta(seconds=passed) + self.jump

    @property
    def desk(self) -> ReviewDesk:
        book = BookTime(self.uow, self.now, MINUTE_NANOS)
        return ReviewDesk(self.uow, self.reader, self.now, book, LEASE)

    def work(self) -> None:
        """Until nothing waits, for anyone."""
        while True:
            self.jump = self.chance.choice(JUMPS)
            waiting = [e.item for e in patiently(lambda: self.desk.queue(self.actor)) if not e.bar]
            if not waiting:
                if patiently(self.all_decided):
                    return
                self.pause(0.5)
                continue
            self.look_at(self.chance.choice(waiting[:8]).answer_id)

    def look_at(self, answer_id: str) -> None:
        try:
            item = patiently(lambda: self.desk.claim(self.actor, answer_id))
        except InvalidInput:
            return  # someone was faster
        assert item.lease is not None
        self.note("held", answer_id, until=item.lease.until.isoformat(), claim=item.claim)
        for number in range(self.chance.randrange(3)):
            words = f"draft {number} of {self.actor.user} at {time.time_ns()}"
            patiently(partial(self.desk.save, self.actor, answer_id, None, words))
            self.note("draft", answer_id, words=words)
            self.pause(0.3)
            if self.chance.random() < 0.5:
                self.beat(answer_id, item.claim)
        try:
            self.end(answer_id)
        except InvalidInput:
            return  # the claim had run out: what was written is kept, someone else decides

    def end(self, answer_id: str) -> None:
        desk, roll = self.desk, self.chance.random()
        if roll < 0.08:
            return  # forgotten: the lease runs out
        if roll < 0.14:
            patiently(lambda: desk.release(self.actor, answer_id))
        elif roll < 0.2:
            patiently(lambda: desk.skip(self.actor, answer_id, "not mine"))
        elif roll < 0.26:
            patiently(lambda: desk.ask(self.actor, answer_id, "Which pens?"))
            self.reply(answer_id)
        else:
            kind = self.chance.choice(list(VerdictKind))
            said = {"correction": "in other words", "reason": "as I see it"}
            words = said["correction"] if kind is VerdictKind.CORRECT else ""
            at = self.now()
            patiently(lambda: desk.decide(self.actor, answer_id, kind, words, said["reason"]))
            self.note("verdict", answer_id, kind=kind.value, at=at.isoformat())

    def reply(self, answer_id: str) -> None:
        """In the asker's name; who is killed before this leaves it to `replies`."""
        with self.reader() as unit:
            asker = requester(unit.reviews.get(answer_id).requester)
        waiting = Waiting(self.uow, self.reader, self.now)
        patiently(lambda: waiting.reply(asker, answer_id, "The blue ones"))

    def beat(self, answer_id: str, claim: int) -> None:
        now = self.now()
        if patiently(lambda: self.desk.heartbeat(self.actor, answer_id)):
            # The clock ran on meanwhile: the lease may end a little later than this.
            until = max(now, self.now()) + LEASE
            self.note("held", answer_id, until=until.isoformat(), claim=claim)

    def all_decided(self) -> bool:
        with self.reader() as unit:
            asked = unit.reviews.count(ItemState.ASKED)
            waiting = unit.reviews.count(ItemState.WAITING)
        if asked and not waiting:
            replies(self.uow, self.reader, self.now)
        return not asked and not waiting

    def pause(self, leases: float) -> None:
        """Sometimes longer than a lease."""
        most = 2 * leases * LEASE.total_seconds() / self.race.speed
        time.sleep(self.chance.uniform(0, most * (4 if self.chance.random() < 0.1 else 1)))

    def note(self, what: str, answer_id: str, **more: Any) -> None:
        """Only after it was committed; survives a SIGKILL of the process."""
        line = {"what": what, "who": self.actor.user, "answer": answer_id} | more
        self.told.write(json.dumps(line) + "\n")
        self.told.flush()


def patiently(step: Callable[[], T]) -> T:
    """Again where the database was locked for too long, as a page would."""
    while True:
        try:
            return step()
        except Unavailable:
            continue


def replies(uow: OpenUnitOfWork, reader: OpenUnitOfWork, now: Callable[[], datetime]) -> None:
    """Askers who were left with a question answer it."""
    with reader() as unit:
        asked = unit.reviews.queue(ReviewFilter(state=ItemState.ASKED), 1000)
    for item in asked:
        waiting = Waiting(uow, reader, now)
        asker = requester(item.requester)
        try:
            patiently(partial(waiting.reply, asker, item.answer_id, "Yes"))
        except (InvalidInput, NotFound):
            continue  # another did


def review_in_threads(race: Race, url: str, number: int, began: float, ready: Any) -> None:
    """One process: its reviewers share an engine, as those of the app do."""
    engine = engine_of(url)
    uow, reader = open_writer(engine, PILOT), open_reader(engine, PILOT)
    ready.wait(120)

    def thread(place: int) -> None:
        name = f"reviewer-{number * race.reviewers + place}"
        chance = random.Random(f"{race.seed}-{name}")
        actor = person(name, Role.REVIEWER, Role.REQUESTER, team="quality")
        with (Path(race.folder) / name).open("a", encoding="utf-8") as told:
            Reviewer(race, uow, reader, actor, told, began, chance).work()

    with ThreadPoolExecutor(race.reviewers) as pool:
        list(pool.map(thread, range(race.reviewers)))
    engine.dispose()


def run(race: Race, url: str) -> None:
    """Fill the queue, start all, kill some at moments of their own, wait for the rest."""
    spawn, chance = multiprocessing.get_context("spawn"), random.Random(race.seed)
    engine = engine_of(url)
    uow = open_writer(engine, PILOT)
    set_limit(uow, 10**15)
    for number in range(race.items):
        importance = chance.choice((Importance.HIGH, Importance.CRITICAL))
        at = START + timedelta(seconds=number)
        put_under_review(uow, f"a-{number}", importance, chance.choice(ASKERS), at)
    engine.dispose()
    ready = spawn.Barrier(race.processes + 1)
    began = time.time()
    racers = [
        spawn.Process(target=review_in_threads, args=(race, url, number, began, ready))
        for number in range(race.processes)
    ]
    for racer in racers:
        racer.start()
    ready.wait(120)
    for doomed in racers[: race.kills]:
        time.sleep(chance.uniform(0.3, 1.0))
        doomed.kill()
    for racer in racers[race.kills :]:
        racer.join(3600)
        assert racer.exitcode == 0, f"a racer ended with {racer.exitcode}"


# --- afterwards -----------------------------------------------------------------------------------


def faults(race: Race, engine: Engine) -> list[str]:
    """What is wrong, counted from the rows, the audit log and what reviewers were told."""
    uow = open_writer(engine, PILOT)
    BookTime(uow, lambda: START, MINUTE_NANOS)()
    told = list(_told(race))
    with uow() as unit:
        found = unit.ledger.verify() + unit.audit.verify() + unit.reviews.verify()
    found += [fault for number in range(race.items) for fault in _item(uow, f"a-{number}", told)]
    found += _order(uow)
    found += _time(engine)
    return found


def _told(race: Race) -> Iterator[dict[str, Any]]:
    for file in sorted(Path(race.folder).iterdir()):
        for line in file.read_text(encoding="utf-8").splitlines():
            yield json.loads(line)


def _item(uow: OpenUnitOfWork, answer_id: str, told: list[dict[str, Any]]) -> Iterator[str]:
    """Decided once, by enough people, none of them twice, none without a lease; no draft lost."""
    with uow() as unit:
        item, row = unit.reviews.get(answer_id), unit.answers.get(answer_id)
        verdicts, claims = unit.reviews.verdicts(answer_id), unit.reviews.claims(answer_id)
        drafts = {name: unit.review_notes.draft(answer_id, name) for name in _names(told)}
    settled = settle(item.approvals, verdicts)
    ends = {"approved": "released", "corrected": "released", "rejected": "rejected"}
    if settled is None or item.outcome != settled.outcome:
        yield f"{answer_id}: it is {item.state} {item.outcome}, its verdicts come to {settled}"
    elif row.status != ends[settled.outcome]:
        yield f"{answer_id}: it is {settled.outcome}, its answer {row.status}"
    if settle(item.approvals, verdicts[:-1]) is not None:
        yield f"{answer_id}: a verdict came after it was decided"
    people = [v.reviewer for v in verdicts]
    if len(set(people)) != len(people) or item.requester in people:
        yield f"{answer_id}: decided by {people}, asked by {item.requester}"
    if sorted(c.number for c in claims) != list(range(1, item.claim + 1)):
        yield f"{answer_id}: {item.claim} claims, ended were {[c.number for c in claims]}"
    given = {claim.reviewer: claim.number for claim in claims if claim.end == "verdict"}
    mine = [line for line in told if line["answer"] == answer_id]
    for verdict in verdicts:
        lease = max(
            (
                line["until"]
                for line in mine
                if line["what"] == "held"
                and line["who"] == verdict.reviewer
                and line["claim"] == given.get(verdict.reviewer)
            ),
            default="",
        )
        if not lease or verdict.given_at >= datetime.fromisoformat(lease):
            yield f"{answer_id}: {verdict.reviewer} decided at {verdict.given_at}, held to {lease}"
    for line in mine:
        if line["what"] == "verdict" and line["who"] not in people:
            yield f"{answer_id}: the verdict of {line['who']} is gone"
    written = {line["who"]: line["words"] for line in mine if line["what"] == "draft"}
    for who, words in written.items():
        kept = drafts[who]
        # One that was committed while its process died is later than the last that was told.
        if kept is None or kept.correction.split()[-1] < words.split()[-1]:
            yield f"{answer_id}: {who} wrote {words!r}, kept is {kept}"


def _names(told: list[dict[str, Any]]) -> set[str]:
    return {line["who"] for line in told}


def _order(uow: OpenUnitOfWork) -> Iterator[str]:
    """By the audit log: whoever decides is who claimed last, and each item is decided once."""
    holder: dict[str, tuple[str, Any]] = {}
    decided: defaultdict[str, int] = defaultdict(int)
    with uow() as unit:
        entries = [entry.event for entry in unit.audit.entries()]
    for event in entries:
        claim = event.details.get("claim")
        if event.action == "review.claim":
            holder[event.subject] = (event.by, claim)
        elif event.action == "review.verdict" and holder.get(event.subject) != (event.by, claim):
            yield f"{event.subject}: {event.by} decided, held by {holder.get(event.subject)}"
        elif event.action == "review.decide":
            decided[event.subject] += 1
    yield from (f"{name}: decided {n} times" for name, n in decided.items() if n != 1)


def _time(engine: Engine) -> Iterator[str]:
    """Every metered second is in the ledger, at its price."""
    with engine.connect() as connection:
        claims = connection.execute(text("SELECT seconds, nanos FROM review_claims")).all()
        booked = text("SELECT COALESCE(SUM(nanos), 0) FROM ledger_entries WHERE kind = 'review'")
        total = connection.execute(booked).scalar_one()
    expected = sum(cost(row.seconds, MINUTE_NANOS) for row in claims)
    if any(row.nanos is None for row in claims) or total != expected:
        yield f"review time is booked as {total} nanos, metered were {expected}"


def verdict_count(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.execute(text("SELECT COUNT(*) FROM review_verdicts")).scalar_one())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--reviewers", type=int, default=4, help="of each process")
    parser.add_argument("--items", type=int, default=200)
    parser.add_argument("--kills", type=int, default=2)
    parser.add_argument("--speed", type=int, default=120)
    parser.add_argument("--dialects", nargs="+", choices=DIALECTS, default=DIALECTS)
    args = parser.parse_args()
    wrong = 0
    for seed in range(args.first_seed, args.first_seed + args.seeds):
        for dialect in args.dialects:
            began = time.monotonic()
            with tempfile.TemporaryDirectory() as folder, database(dialect) as url:
                numbers = args.processes, args.reviewers, args.items, args.kills, args.speed
                race = Race(seed, *numbers, folder)
                run(race, url)
                engine = engine_of(url)
                found, count = faults(race, engine), verdict_count(engine)
                engine.dispose()
            wrong += len(found)
            took = time.monotonic() - began
            sys.stdout.write(
                f"{dialect}: seed {seed}, {args.processes * args.reviewers} reviewers, "
                f"{args.items} items, {count} verdicts, {args.kills} processes killed, "
                f"{len(found)} faults, {took:.0f} s\n" + "".join(f"  {f}\n" for f in found)
            )
            sys.stdout.flush()
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
