"""Each way in which people change something, and the entries of the audit log that it leaves."""

from collections.abc import Callable
from contextlib import suppress

from app.ports import Client, Preferences
from app.services.accounts import Auth, digest
from app.services.own_account import OwnAccount
from app.services.review import IDLE, LEASE
from app.services.sign_in import SignIn
from policies.errors import Unauthenticated
from policies.review import VerdictKind
from policies.roles import Role
from policies.types import Importance
from tests.actors import ADMIN, ANN, person
from tests.audit_way import Act, Prepare, Way
from tests.audit_ways_owners import MONEY, POLICIES
from tests.reviews import BOB, CRITICAL, EVE, HIGH, ReviewWorld
from tests.serving import PASSWORD, people, sign_in

ROOT = person("root", Role.ADMIN, Role.REVIEWER)
ATTEMPTS = ("sign_in_attempts",)  # counted by themselves, before a password is looked at


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


WAYS = REVIEWS | ACCOUNTS | MONEY | POLICIES
