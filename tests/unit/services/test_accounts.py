"""Accounts and signing in: real rows, a clock that is moved, and an audit log that has it all."""

import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from argon2 import PasswordHasher

from app.ports import Account
from app.services.accounts import EXAMPLES, LOCAL, Auth, People, canonical, digest
from app.services.passwords import Passwords
from app.services.sign_in import Lengths, SignIn
from policies.errors import Forbidden, InvalidInput, NotFound, Unauthenticated
from policies.roles import Action, Actor, Role, may
from tests.actors import ADMIN, ANN
from tests.serving import PASSWORD, people, sign_in
from tests.world import World

WRONG = "not this one at all"
IDLE, ABSOLUTE = Lengths().idle, Lengths().absolute


def desk(world: World) -> People:
    return people(world.uow, world.clock)


def door(world: World, auth: Auth = Auth.LOCAL) -> SignIn:
    return sign_in(world.uow, world.clock, auth)


def member(world: World, name: str = "ben", *roles: Role) -> str:
    """An account with a password; a session's token."""
    link = desk(world).add(ADMIN, name, roles or (Role.REQUESTER,), "sales")
    return door(world).choose_password(link, PASSWORD)


def entries(world: World) -> list[tuple[str, str, str]]:
    with world.uow() as uow:
        assert uow.audit.verify() == []
        return [(e.event.by, e.event.action, e.event.subject) for e in uow.audit.entries()]


def reason(world: World, name: str, password: str = WRONG) -> str:
    with pytest.raises(Unauthenticated) as refused:
        door(world).sign_in(name, password)
    return refused.value.reason


def test_a_link_makes_a_password_and_the_password_lets_in(world: World) -> None:
    token = member(world, "Ben")
    expected = Actor("ben", "sales", frozenset({Role.REQUESTER}))
    assert door(world).actor(token) == expected
    assert door(world).actor(door(world).sign_in(" BEN ", PASSWORD)) == expected
    assert entries(world) == [
        ("ada", "user.add", "ben"),
        ("ada", "user.link", "ben"),
        ("ben", "password.set", "ben"),
        ("ben", "login", "ben"),
        ("ben", "login", "ben"),
    ]


def test_neither_tokens_nor_passwords_are_in_the_database(world: World) -> None:
    link = desk(world).add(ADMIN, "ben", [Role.REQUESTER], "sales")
    token = door(world).choose_password(link, PASSWORD)
    with world.uow() as uow:
        kept = uow.accounts.get("ben").password_hash or ""
        assert kept.startswith("$argon2id$")
        assert PASSWORD not in kept
        assert uow.accounts.session(token) is None  # it is kept under its hash
        assert uow.accounts.link(link, world.clock()) is None


def test_real_hashes_take_the_parameters_of_the_library() -> None:
    kept = Passwords().hash(PASSWORD, "ben")
    assert f"m={PasswordHasher().memory_cost}," in kept
    assert PasswordHasher().memory_cost >= 64 * 1024


def test_a_link_is_good_once_and_for_a_day(world: World) -> None:
    link = desk(world).add(ADMIN, "ben", [Role.REQUESTER], "sales")
    assert door(world).invited(link) == "ben"
    world.clock.advance(timedelta(hours=24))
    with pytest.raises(Unauthenticated):
        door(world).choose_password(link, PASSWORD)
    link = desk(world).link(ADMIN, "ben")
    door(world).choose_password(link, PASSWORD)
    with pytest.raises(Unauthenticated):
        door(world).choose_password(link, "another password then")


def test_of_many_at_once_one_uses_a_link(world: World) -> None:
    link = desk(world).add(ADMIN, "ben", [Role.REQUESTER], "sales")

    def use(number: int) -> bool:
        try:
            door(world).choose_password(link, f"password number {number}")
        except Unauthenticated:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(use, range(8))) == 1


def test_a_new_link_ends_the_one_before(world: World) -> None:
    first = desk(world).add(ADMIN, "ben", [Role.REQUESTER], "sales")
    second = desk(world).link(ADMIN, "ben")
    with pytest.raises(Unauthenticated):
        door(world).invited(first)
    assert door(world).invited(second) == "ben"


def test_a_new_password_ends_every_other_session(world: World) -> None:
    old = member(world)
    new = door(world).choose_password(desk(world).link(ADMIN, "ben"), "the new password")
    with pytest.raises(Unauthenticated):
        door(world).actor(old)
    assert door(world).actor(new).user == "ben"


@pytest.mark.parametrize("password", ["short", "x" * 201, "", "ben ben ben", "mister ben"])
def test_a_bad_password_is_refused_and_the_link_stays_good(world: World, password: str) -> None:
    link = desk(world).add(ADMIN, "ben", [Role.REQUESTER], "sales")
    with pytest.raises(InvalidInput):
        door(world).choose_password(link, password)
    assert door(world).choose_password(link, PASSWORD)


def test_wrong_names_and_wrong_passwords_get_the_same_answer(world: World) -> None:
    member(world)
    desk(world).add(ADMIN, "new", [Role.REQUESTER], "sales")  # has chosen no password yet
    assert {reason(world, name) for name in ("ben", "nobody", "new", "", "\x00", "x" * 5000)} == {
        "wrong"
    }
    assert reason(world, "ben", "x" * 100_000) == "wrong"


def test_a_name_that_nobody_has_is_not_kept(world: World) -> None:
    """It may be a password, typed into the wrong field."""
    reason(world, "my-secret-password")
    with world.uow() as uow:
        (entry,) = uow.audit.entries()
    assert (entry.event.by, entry.event.action, entry.event.subject) == (
        "unknown", "login.failed", "unknown",
    )  # fmt: skip
    assert "secret" not in repr(entry)


def test_time_does_not_tell_which_names_have_accounts(world: World) -> None:
    """Real hashing, which is what takes the time: an unknown name costs one too."""
    hasher = PasswordHasher(time_cost=8, memory_cost=4096, parallelism=1)
    slow = SignIn(world.uow, world.uow, world.clock, Auth.LOCAL, Passwords(hasher))
    link = desk(world).add(ADMIN, "ben", [Role.REQUESTER], "sales")
    slow.choose_password(link, PASSWORD)

    def seconds(name: str) -> float:
        begun = time.perf_counter()
        with pytest.raises(Unauthenticated):
            slow.sign_in(name, WRONG)
        return time.perf_counter() - begun

    known, unknown = [], []
    for number in range(4):
        known.append(seconds("ben"))
        unknown.append(seconds(f"nobody{number}"))
    assert statistics.median(unknown) > statistics.median(known) / 2


@pytest.mark.parametrize("name", ["ben", "nobody"])
def test_five_wrong_passwords_lock_a_name_for_a_while(world: World, name: str) -> None:
    member(world)
    assert [reason(world, name) for _ in range(6)] == ["wrong"] * 5 + ["locked"]
    with pytest.raises(Unauthenticated, match="in 15 minutes") as locked:
        door(world).sign_in(name, PASSWORD)  # the right one makes no difference
    assert locked.value.values == {"minutes": 15}
    world.clock.advance(timedelta(minutes=14))
    assert reason(world, name, PASSWORD) == "locked"
    world.clock.advance(timedelta(minutes=1, seconds=1))
    if name == "ben":
        assert door(world).actor(door(world).sign_in(name, PASSWORD)).user == "ben"
    else:
        assert reason(world, name) == "wrong"


def test_a_right_password_forgives_the_wrong_ones_before(world: World) -> None:
    member(world)
    for _ in range(3):
        assert [reason(world, "ben") for _ in range(4)] == ["wrong"] * 4
        door(world).sign_in("ben", PASSWORD)


def test_many_guesses_at_once_are_no_more_than_one_after_another(world: World) -> None:
    member(world)
    with ThreadPoolExecutor(12) as pool:
        reasons = list(pool.map(lambda _: reason(world, "ben"), range(12)))
    assert sorted(reasons) == ["locked"] * 7 + ["wrong"] * 5


def test_a_new_link_unlocks(world: World) -> None:
    member(world)
    for _ in range(5):
        reason(world, "ben")
    token = door(world).choose_password(desk(world).link(ADMIN, "ben"), "the new password")
    assert door(world).actor(token).user == "ben"


def test_a_session_ends_when_nobody_clicks(world: World) -> None:
    token = member(world)
    world.clock.advance(IDLE - timedelta(seconds=1))
    door(world).touch(token)
    world.clock.advance(IDLE - timedelta(seconds=1))
    assert door(world).actor(token).user == "ben"
    world.clock.advance(timedelta(seconds=1))
    with pytest.raises(Unauthenticated) as ended:
        door(world).actor(token)
    assert ended.value.reason == "session"
    door(world).touch(token)  # too late to revive it
    with pytest.raises(Unauthenticated):
        door(world).actor(token)


@pytest.mark.parametrize("idle", [IDLE, timedelta(minutes=1)])
def test_that_someone_is_there_is_written_seldom_and_often_enough(
    world: World, idle: timedelta
) -> None:
    """At most once in three minutes; in time also where sessions end after a minute."""
    token = member(world)
    here = sign_in(world.uow, world.clock, lengths=Lengths(idle=idle))
    begun, seen = world.clock(), set()
    while world.clock() < begun + timedelta(minutes=30):
        world.clock.advance(timedelta(seconds=5))
        here.touch(token)
        assert here.actor(token).user == "ben"
        with world.uow() as uow:
            session = uow.accounts.session(digest(token))
            assert session is not None
            seen.add(session.seen_at)
    assert len(seen) - 1 <= timedelta(minutes=30) / min(timedelta(minutes=3), idle / 4)
    assert len(seen) > 5


def test_a_session_ends_in_any_case(world: World) -> None:
    token = member(world)
    begun = world.clock()
    while world.clock() < begun + ABSOLUTE - timedelta(hours=1):
        world.clock.advance(timedelta(hours=1))
        door(world).touch(token)
        assert door(world).actor(token).user == "ben"
    world.clock.advance(timedelta(hours=1))
    with pytest.raises(Unauthenticated):
        door(world).actor(token)


def test_signing_out_ends_a_session(world: World) -> None:
    token = member(world)
    door(world).sign_out(token)
    with pytest.raises(Unauthenticated):
        door(world).actor(token)
    door(world).sign_out(token)  # twice is no harm
    assert [action for _, action, _ in entries(world)].count("logout") == 1


def test_a_disabled_account_is_out_at_once_and_can_come_back(world: World) -> None:
    token = member(world)
    link = desk(world).link(ADMIN, "ben")
    desk(world).disable(ADMIN, "ben")
    with pytest.raises(Unauthenticated):
        door(world).actor(token)
    with pytest.raises(Unauthenticated):
        door(world).choose_password(link, PASSWORD)
    assert reason(world, "ben", PASSWORD) == "wrong"
    with pytest.raises(InvalidInput):
        desk(world).link(ADMIN, "ben")
    desk(world).enable(ADMIN, "ben")
    assert door(world).sign_in("ben", PASSWORD)


def test_new_roles_count_from_the_next_click(world: World) -> None:
    token = member(world)
    assert not may(door(world).actor(token), Action.REVIEW)
    desk(world).set_roles(ADMIN, "ben", [Role.REVIEWER])
    desk(world).set_team(ADMIN, "ben", "quality")
    assert door(world).actor(token) == Actor("ben", "quality", frozenset({Role.REVIEWER}))
    with world.uow() as uow:
        roles, team = [e.event for e in uow.audit.entries()][-2:]
    assert (roles.action, dict(roles.details)) == (
        "user.roles", {"roles": "reviewer", "before": "requester"},
    )  # fmt: skip
    assert (team.action, dict(team.details)) == (
        "user.team", {"team": "quality", "before": "sales"},
    )  # fmt: skip


def test_the_last_admin_stays(world: World) -> None:
    member(world, "cho", Role.ADMIN)
    with pytest.raises(InvalidInput, match="last admin"):
        desk(world).disable(ADMIN, "cho")
    with pytest.raises(InvalidInput, match="last admin"):
        desk(world).set_roles(ADMIN, "cho", [Role.VIEWER])
    with world.uow() as uow:
        assert uow.accounts.get("cho").roles == {Role.ADMIN}
    member(world, "dee", Role.ADMIN)
    desk(world).disable(ADMIN, "cho")


def test_only_an_admin_manages_accounts(world: World) -> None:
    member(world)
    for change in (
        lambda: desk(world).add(ANN, "eve", [Role.ADMIN], "sales"),
        lambda: desk(world).all(ANN),
        lambda: desk(world).set_roles(ANN, "ben", [Role.ADMIN]),
        lambda: desk(world).set_team(ANN, "ben", "other"),
        lambda: desk(world).disable(ANN, "ben"),
        lambda: desk(world).enable(ANN, "ben"),
        lambda: desk(world).link(ANN, "ben"),
    ):
        before = entries(world)
        with pytest.raises(Forbidden):
            change()
        assert entries(world) == before


@pytest.mark.parametrize("name", ["", "a b", "a/b", "x" * 65, "system", "LOCAL", "a\x00", "<b>"])
def test_a_name_that_is_none_makes_no_account(world: World, name: str) -> None:
    with pytest.raises(InvalidInput):
        desk(world).add(ADMIN, name, [Role.VIEWER], "sales")


def test_two_spellings_of_a_name_are_one_account(world: World) -> None:
    assert canonical(" \uff21iko ") == "aiko"
    member(world, "aiko")
    with pytest.raises(InvalidInput, match="has an account already"):
        desk(world).add(ADMIN, "AIKO", [Role.REVIEWER], "sales")


def test_the_first_start_makes_an_admin_with_a_link_until_one_has_a_password(world: World) -> None:
    first, again = desk(world).first_admin(), desk(world).first_admin()
    assert first is not None
    assert again is not None
    assert first != again
    with pytest.raises(Unauthenticated):
        door(world).choose_password(first, PASSWORD)
    token = door(world).choose_password(again, PASSWORD)
    assert door(world).actor(token) == Actor("admin", "pilot", frozenset({Role.ADMIN}))
    assert desk(world).first_admin() is None
    assert [who for who, action, _ in entries(world) if action == "user.add"] == ["system"]


# --- where nobody signs in ------------------------------------------------------------------------


def test_without_sign_in_one_is_the_local_person_or_whom_one_acts_as(world: World) -> None:
    off = door(world, Auth.OFF)
    assert off.actor(None) == off.actor("made up") == LOCAL
    assert off.others() == (LOCAL, *EXAMPLES)
    token = off.act_as(None, "chika")
    assert off.actor(token) == Actor("chika", "quality", frozenset({Role.REVIEWER}))
    back = off.act_as(token, "local")
    assert off.actor(back) == LOCAL
    assert off.actor(token) == LOCAL  # the one before ended
    with pytest.raises(NotFound):
        off.act_as(None, "mallory")


def test_acting_is_worth_nothing_where_people_sign_in(world: World) -> None:
    token = door(world, Auth.OFF).act_as(None, "chika")
    member(world, "chika", Role.REVIEWER)
    with pytest.raises(Unauthenticated):
        door(world).actor(token)
    with pytest.raises(NotFound):
        door(world).act_as(None, "chika")
    assert door(world).others() == ()


def test_a_password_session_is_no_acting_one(world: World) -> None:
    token = member(world, "chika", Role.REVIEWER)
    assert door(world, Auth.OFF).actor(token) == LOCAL


# --- at a shell -----------------------------------------------------------------------------------


def test_a_shell_speaks_for_its_own_user_and_for_any_name_until_there_are_accounts(
    world: World,
) -> None:
    at_shell = desk(world).at_shell
    assert at_shell("", "Root") == Actor("root", "pilot", frozenset(Role))
    assert at_shell("ann", "root").roles == frozenset(Role)
    member(world, "ben")
    assert at_shell("ben", "root") == Actor("ben", "sales", frozenset({Role.REQUESTER}))
    assert at_shell("", "ben").roles == {Role.REQUESTER}
    assert at_shell("", "root").roles == frozenset(Role)
    with pytest.raises(NotFound, match="user add ann"):
        at_shell("ann", "root")
    member(world, "cho", Role.ADMIN)
    desk(world).disable(ADMIN, "ben")
    with pytest.raises(NotFound, match="disabled"):
        at_shell("ben", "root")


def test_without_sign_in_a_shell_may_speak_for_the_examples(world: World) -> None:
    off = people(world.uow, world.clock, Auth.OFF)
    assert off.at_shell("Emi", "root").roles == {Role.BUDGET_OWNER}
    assert off.at_shell("", "some one").user == "local"


def test_rows_of_accounts_come_back_whole(world: World) -> None:
    member(world, "cho", Role.ADMIN, Role.REVIEWER)
    with world.uow() as uow:
        (account,) = uow.accounts.all()
        assert isinstance(account, Account)
        assert account == uow.accounts.get("cho")
        assert account.roles == {Role.ADMIN, Role.REVIEWER}
        with pytest.raises(NotFound):
            uow.accounts.get("nobody")
