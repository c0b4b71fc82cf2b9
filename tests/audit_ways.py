"""Each way in which people change something, and the entries of the audit log that it leaves."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, timedelta
from typing import NamedTuple

from app.ports import AuditFilter, Client, Preferences
from app.services.accounts import Auth, digest
from app.services.audit import Audit, Format
from app.services.bookings import Bookings
from app.services.budgets import Budgets
from app.services.measure import Measure, budget_of
from app.services.own_account import OwnAccount
from app.services.policy import PolicyDesk, begin
from app.services.prices import keep_prices
from app.services.review import IDLE, LEASE
from app.services.sign_in import SignIn
from evaluation.suites import Question
from policies.errors import Unauthenticated
from policies.review import VerdictKind
from policies.roles import Role
from policies.types import Domain, Importance, Rung, Solver, Window
from tests.actors import ADMIN, ANN, FINN, person
from tests.databases import POLICY, PRICES, Ids
from tests.fakes import MODEL
from tests.reviews import BOB, CRITICAL, EVE, HIGH, ReviewWorld
from tests.serving import PASSWORD, people, sign_in
from tests.unit.policies.policies import policy, written

EMI = person("emi", Role.BUDGET_OWNER)
CHO = person("cho", Role.POLICY_OWNER)
ROOT = person("root", Role.ADMIN, Role.REVIEWER)
ATTEMPTS = ("sign_in_attempts",)  # counted by themselves, before a password is looked at
Act = Callable[[ReviewWorld], object]
Prepare = Callable[[ReviewWorld], Act]


class Way(NamedTuple):
    """How something is changed, and the entries that it leaves."""

    prepare: Prepare
    entries: tuple[str, ...]
    apart: tuple[str, ...] = ()
    """Tables that change by themselves."""


def held(world: ReviewWorld, importance: Importance = HIGH) -> str:
    answer_id = world.asked(importance)
    world.desk.claim(BOB, answer_id)
    return answer_id


def decides(
    kind: VerdictKind, importance: Importance = HIGH, words: str = "", why: str = ""
) -> Prepare:
    def prepare(world: ReviewWorld) -> Act:
        answer_id = held(world, importance)
        return lambda w: w.desk.decide(BOB, answer_id, kind, words, why)

    return prepare


def second(world: ReviewWorld) -> Act:
    answer_id = held(world, CRITICAL)
    world.desk.decide(BOB, answer_id, VerdictKind.APPROVE)
    world.desk.claim(EVE, answer_id)
    return lambda w: w.desk.decide(EVE, answer_id, VerdictKind.REJECT, reason="wrong")


def replies(world: ReviewWorld) -> Act:
    answer_id = held(world)
    world.desk.ask(BOB, answer_id, "Which?")
    return lambda w: w.waiting.reply(ANN, answer_id, "The blue ones")


def expires(world: ReviewWorld) -> Act:
    held(world)
    world.clock.advance(LEASE)
    return lambda w: w.sweep()


def holding(act: Callable[[ReviewWorld, str], object]) -> Prepare:
    def prepare(world: ReviewWorld) -> Act:
        answer_id = held(world)
        return lambda w: act(w, answer_id)

    return prepare


def asked(act: Callable[[ReviewWorld, str], object]) -> Prepare:
    def prepare(world: ReviewWorld) -> Act:
        answer_id = world.asked()
        return lambda w: act(w, answer_id)

    return prepare


REVIEWS = {
    "claim": Way(asked(lambda w, a: w.desk.claim(BOB, a)), ("review.claim",)),
    "release": Way(holding(lambda w, a: w.desk.release(BOB, a)), ("review.release",)),
    "skip": Way(holding(lambda w, a: w.desk.skip(BOB, a, "no")), ("review.skip",)),
    "ask": Way(holding(lambda w, a: w.desk.ask(BOB, a, "Which?")), ("review.ask",)),
    "reply": Way(replies, ("review.reply",)),
    "take over": Way(holding(lambda w, a: w.desk.take_over(ADMIN, a)), ("review.take_over",)),
    "take over and hold": Way(
        holding(lambda w, a: w.desk.take_over(ROOT, a)), ("review.take_over",)
    ),
    "run out": Way(expires, ("review.expire",)),
    "forgotten": Way(holding(lambda w, a: w.desk.heartbeat(BOB, a, IDLE)), ("review.expire",)),
    "base": Way(holding(lambda w, a: w.evidence.base(BOB, a)), ("review.run",)),
    "rerun": Way(holding(lambda w, a: w.evidence.rerun(BOB, a)), ("review.run",)),
    "approve": Way(decides(VerdictKind.APPROVE), ("review.verdict", "review.decide")),
    "correct": Way(decides(VerdictKind.CORRECT, words="301"), ("review.verdict", "review.decide")),
    "reject": Way(decides(VerdictKind.REJECT, why="no"), ("review.verdict", "review.decide")),
    "approve, first of two": Way(decides(VerdictKind.APPROVE, CRITICAL), ("review.verdict",)),
    "correct, first of two": Way(
        decides(VerdictKind.CORRECT, CRITICAL, "301"), ("review.verdict",)
    ),
    "reject, against the first of two": Way(second, ("review.verdict",)),
}


def member(world: ReviewWorld) -> str:
    """A session of ben, who has an account."""
    link = people(world.uow, world.clock).add(ADMIN, "ben", [Role.REQUESTER], "sales")
    return door(world).choose_password(link, PASSWORD)


def door(world: ReviewWorld, auth: Auth = Auth.LOCAL) -> SignIn:
    return sign_in(world.uow, world.clock, auth)


def own(world: ReviewWorld) -> OwnAccount:
    return OwnAccount(door(world), ("en", "ja"))


def signed_in(act: Callable[[ReviewWorld, str], object]) -> Prepare:
    def prepare(world: ReviewWorld) -> Act:
        token = member(world)
        return lambda w: act(w, token)

    return prepare


def invited(world: ReviewWorld) -> Act:
    link = people(world.uow, world.clock).add(ADMIN, "ben", [Role.REQUESTER], "sales")
    return lambda w: door(w).choose_password(link, PASSWORD)


def guesses(world: ReviewWorld, _token: str) -> None:
    with suppress(Unauthenticated):
        door(world).sign_in("ben", "not this one")


def guesses_own(world: ReviewWorld, token: str) -> None:
    with suppress(Unauthenticated):
        own(world).change_password(token, "not this one", "another password")


def ends_one(world: ReviewWorld) -> Act:
    first, token = member(world), door(world).sign_in("ben", PASSWORD, Client("Firefox"))
    return lambda w: own(w).end(token, digest(digest(first))[:16])


def disabled(world: ReviewWorld) -> Act:
    member(world)
    people(world.uow, world.clock).disable(ADMIN, "ben")
    return lambda w: people(w.uow, w.clock).enable(ADMIN, "ben")


def manages(act: Callable[..., object]) -> Prepare:
    def prepare(world: ReviewWorld) -> Act:
        member(world)
        return lambda w: act(people(w.uow, w.clock))

    return prepare


ACCOUNTS = {
    "add": Way(
        manages(lambda p: p.add(ADMIN, "cy", [Role.VIEWER], "board")), ("user.add", "user.link")
    ),
    "roles": Way(manages(lambda p: p.set_roles(ADMIN, "ben", [Role.REVIEWER])), ("user.roles",)),
    "team": Way(manages(lambda p: p.set_team(ADMIN, "ben", "quality")), ("user.team",)),
    "disable": Way(manages(lambda p: p.disable(ADMIN, "ben")), ("user.disable",)),
    "enable": Way(disabled, ("user.enable",)),
    "link": Way(manages(lambda p: p.link(ADMIN, "ben")), ("user.link",)),
    "first admin": Way(lambda _: lambda w: people(w.uow, w.clock).first_admin(),
                       ("user.add", "user.link")),
    "sign in": Way(signed_in(lambda w, _: door(w).sign_in("ben", PASSWORD)), ("login",), ATTEMPTS),
    "guess": Way(signed_in(guesses), ("login.failed",), ATTEMPTS),
    "sign out": Way(signed_in(lambda w, t: door(w).sign_out(t)), ("logout",)),
    "act as": Way(lambda _: lambda w: door(w, Auth.OFF).act_as(None, "aiko"), ("login.acting",)),
    "choose a password": Way(invited, ("password.set", "login")),
    "change the password": Way(
        signed_in(lambda w, t: own(w).change_password(t, PASSWORD, "another password")),
        ("password.change",),
        ATTEMPTS,
    ),
    "guess one's own": Way(signed_in(guesses_own), ("password.refused",), ATTEMPTS),
    "end a session": Way(ends_one, ("session.end",)),
    "end all others": Way(signed_in(lambda w, t: own(w).end_others(t)), ("session.end_others",)),
    "prefer": Way(
        lambda _: lambda w: own(w).prefer(ANN, Preferences("ja", "")), ("user.preferences",)
    ),
}  # fmt: skip


def budgets(world: ReviewWorld) -> Budgets:
    return Budgets(world.uow, world.uow, world.clock, Ids("r"), UTC, MODEL.model)


def raises(granted: bool) -> Prepare:
    def prepare(world: ReviewWorld) -> Act:
        wanted = budgets(world).ask_raise(ANN, "pilot", Window.WHOLE, 9, "more", 5)
        return lambda w: budgets(w).decide_raise(EMI, wanted.id, granted)

    return prepare


def books(kind: str) -> Prepare:
    def prepare(world: ReviewWorld) -> Act:
        answer_id = world.receipt().row.id
        return lambda w: getattr(Bookings(w.uow, w.clock), kind)(EMI, answer_id, 1, "late", "k")

    return prepare


def new_prices(world: ReviewWorld) -> None:
    later = replace(PRICES, version="prices-2", valid_from=world.clock() + timedelta(days=9))
    with world.uow() as work:
        keep_prices(work, [later], "finn", world.clock())
        work.commit()


def exports(world: ReviewWorld) -> None:
    list(Audit(world.uow, world.uow, world.clock).export(FINN, AuditFilter(), Format.CSV))


def measures(world: ReviewWorld) -> None:
    measure = Measure(world.engine, world.uow, POLICY, world.clock)
    question = Question("q", "How many?", "301", Domain.MATH, "text")
    measure(FINN, "s", [question], [budget_of(0, Rung(Solver.EULER, 0, 1.0, 5))], 5)


MONEY = {
    "limit": Way(
        lambda _: lambda w: budgets(w).set_limit(EMI, "pilot", 10**9, "JPY"), ("budget.limit",)
    ),
    "ask for a raise": Way(
        lambda _: lambda w: budgets(w).ask_raise(ANN, "pilot", Window.WHOLE, 9, "more", 5),
        ("raise.ask",),
    ),
    "grant it": Way(raises(True), ("raise.grant",)),
    "decline it": Way(raises(False), ("raise.decline",)),
    "refund": Way(books("refund"), ("ledger.refund",)),
    "correct a charge": Way(books("correct"), ("ledger.correction",)),
    "prices": Way(lambda _: new_prices, ("price.set",)),
    "export": Way(lambda _: exports, ("export",)),
    "measure": Way(lambda _: measures, ("measure",)),
}


def rules(world: ReviewWorld) -> PolicyDesk:
    return PolicyDesk(world.uow, world.uow, world.clock)


def draft(world: ReviewWorld, steps: int) -> str:
    """A version that went so far: proposed, approved, in force."""
    with world.uow() as work:
        begin(work, POLICY, world.clock())
        work.commit()
    for step in (
        lambda: rules(world).propose(FINN, LOWER, "p.yaml"),
        lambda: rules(world).approve(CHO, VERSION),
        lambda: rules(world).activate(CHO, VERSION),
    )[:steps]:
        step()
    return VERSION


def ruled(steps: int, act: Callable[[PolicyDesk], object]) -> Prepare:
    def prepare(world: ReviewWorld) -> Act:
        draft(world, steps)
        return lambda w: act(rules(w))

    return prepare


LOWER = written("low", critical={"max_nfe_per_token": 9})
VERSION = policy("low", critical={"max_nfe_per_token": 9}).version
POLICIES = {
    "propose": Way(ruled(0, lambda d: d.propose(FINN, LOWER, "p.yaml")), ("policy.propose",)),
    "approve a policy": Way(ruled(1, lambda d: d.approve(CHO, VERSION)), ("policy.approve",)),
    "activate": Way(ruled(2, lambda d: d.activate(CHO, VERSION)), ("policy.activate",)),
    "roll back": Way(ruled(3, lambda d: d.rollback(CHO)), ("policy.rollback",)),
}
WAYS = REVIEWS | ACCOUNTS | MONEY | POLICIES
