"""What people do about themselves: on real rows, audited at once, never for others."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from app.ports import Client, Preferences
from app.services.accounts import LOCAL, Auth
from app.services.own_account import OwnAccount
from app.services.sign_in import Lengths
from policies.errors import Forbidden, InvalidInput, NotFound, Unauthenticated
from policies.roles import Actor, Role
from tests.actors import ADMIN, ANN
from tests.serving import PASSWORD, people, sign_in
from tests.world import World

NEW = "quite another password"
TOKYO = Preferences("ja", "Asia/Tokyo")


def own(world: World, auth: Auth = Auth.LOCAL) -> OwnAccount:
    return OwnAccount(sign_in(world.uow, world.clock, auth), ("en", "ja"))


def member(world: World, name: str = "ben") -> str:
    link = people(world.uow, world.clock).add(ADMIN, name, [Role.REQUESTER], "sales")
    return own(world).door.choose_password(link, PASSWORD)


def actions(world: World) -> list[str]:
    with world.uow() as uow:
        assert uow.audit.verify() == []
        return [entry.event.action for entry in uow.audit.entries()]


# --- language and time zone -----------------------------------------------------------------------


def test_what_was_chosen_comes_with_every_visit(world: World) -> None:
    token, desk = member(world), own(world)
    assert desk.door.visitor(token).preferences == Preferences()
    ben = desk.door.actor(token)
    desk.prefer(ben, TOKYO)
    assert desk.door.visitor(token).preferences == desk.preferences(ben) == TOKYO
    desk.prefer(ben, Preferences("", "Europe/Berlin"))
    assert desk.door.visitor(token).preferences == Preferences("", "Europe/Berlin")
    assert actions(world)[-2:] == ["user.preferences"] * 2


def test_one_persons_choice_is_nobody_elses(world: World) -> None:
    member(world)
    own(world).prefer(ANN, TOKYO)
    assert own(world).door.visitor(member(world, "cho")).preferences == Preferences()


def test_who_acts_as_an_example_chooses_for_that_example(world: World) -> None:
    desk = own(world, Auth.OFF)
    aiko = desk.door.act_as(None, "aiko")
    desk.prefer(desk.door.actor(aiko), TOKYO)
    assert desk.door.visitor(aiko).preferences == TOKYO
    assert desk.door.visitor(None).preferences == Preferences()
    desk.prefer(LOCAL, Preferences("en", ""))
    assert desk.door.visitor(None).preferences == Preferences("en", "")


@pytest.mark.parametrize(
    "chosen",
    [Preferences("xx", ""), Preferences("", "Mars/Olympus"), Preferences("", "../etc/passwd")],
)
def test_what_there_is_not_cannot_be_chosen(world: World, chosen: Preferences) -> None:
    with pytest.raises(InvalidInput):
        own(world).prefer(ANN, chosen)
    assert own(world).preferences(ANN) == Preferences()
    assert actions(world) == []


def test_without_any_role_there_is_nothing_to_choose(world: World) -> None:
    with pytest.raises(Forbidden):
        own(world).prefer(Actor("eve", "none", frozenset()), TOKYO)


# --- sessions -------------------------------------------------------------------------------------


def test_one_sees_ones_own_open_sessions_and_which_one_asks(world: World) -> None:
    first = member(world)
    member(world, "cho")
    world.clock.advance(timedelta(minutes=5))
    second = own(world).door.sign_in("ben", PASSWORD)
    found = own(world).sessions(second)
    assert [session.current for session in found] == [True, False]
    assert found[0].seen_at - found[1].seen_at == timedelta(minutes=5)
    assert [session.current for session in own(world).sessions(first)] == [False, True]


def test_one_is_told_with_what_and_from_where_each_signed_in(world: World) -> None:
    link = people(world.uow, world.clock).add(ADMIN, "ben", [Role.REQUESTER], "sales")
    phone = Client("Safari", "iPhone", "203.0.113.9")
    own(world).door.choose_password(link, PASSWORD, phone)
    world.clock.advance(timedelta(minutes=5))
    desk = Client("Firefox", "Windows", "10.0.0.7")
    token = own(world).door.sign_in("ben", PASSWORD, desk)
    latest, first = own(world).sessions(token)
    assert (latest.client, first.client) == (desk, phone)
    own(world).end(token, first.id)
    with world.uow() as uow:
        *_, entry = uow.audit.entries()
    assert dict(entry.event.details) == {"browser": "Safari", "device": "iPhone"}


def test_an_id_is_neither_a_token_nor_its_hash(world: World) -> None:
    token = member(world)
    (session,) = own(world).sessions(token)
    with pytest.raises(Unauthenticated):
        own(world).door.actor(session.id)
    with world.uow() as uow:
        assert uow.accounts.session(session.id) is None


def test_a_session_that_ended_by_itself_is_not_shown(world: World) -> None:
    member(world)
    world.clock.advance(Lengths().idle)
    token = own(world).door.sign_in("ben", PASSWORD)
    assert len(own(world).sessions(token)) == 1


def test_an_ended_session_is_out_with_the_next_call(world: World) -> None:
    old = member(world)
    token = own(world).door.sign_in("ben", PASSWORD)
    (other,) = [s for s in own(world).sessions(token) if not s.current]
    own(world).end(token, other.id)
    with pytest.raises(Unauthenticated):
        own(world).door.actor(old)
    assert own(world).door.actor(token).user == "ben"
    assert actions(world)[-1] == "session.end"
    with pytest.raises(NotFound):
        own(world).end(token, other.id)


def test_nobody_ends_the_session_of_another(world: World) -> None:
    bens, chos = member(world), member(world, "cho")
    (mine,) = own(world).sessions(bens)
    before = actions(world)
    with pytest.raises(NotFound):
        own(world).end(chos, mine.id)
    own(world).end_others(chos)
    assert own(world).door.actor(bens).user == "ben"
    assert actions(world) == [*before, "session.end_others"]


def test_all_others_end_at_once_and_this_one_stays(world: World) -> None:
    old = [member(world), own(world).door.sign_in("ben", PASSWORD)]
    token = own(world).door.sign_in("ben", PASSWORD)
    own(world).end_others(token)
    assert len(own(world).sessions(token)) == 1
    for each in old:
        with pytest.raises(Unauthenticated):
            own(world).door.actor(each)


# --- password -------------------------------------------------------------------------------------


def test_a_new_password_counts_at_once_and_ends_the_other_sessions(world: World) -> None:
    old = member(world)
    token = own(world).door.sign_in("ben", PASSWORD)
    link = people(world.uow, world.clock).link(ADMIN, "ben")
    own(world).change_password(token, PASSWORD, NEW)
    assert own(world).door.actor(token).user == "ben"
    for gone in (lambda: own(world).door.actor(old), lambda: own(world).door.invited(link)):
        with pytest.raises(Unauthenticated):
            gone()
    with pytest.raises(Unauthenticated):
        own(world).door.sign_in("ben", PASSWORD)
    assert own(world).door.sign_in("ben", NEW)
    assert "password.change" in actions(world)


def test_who_does_not_know_the_password_changes_nothing_and_is_locked_out(world: World) -> None:
    token = member(world)
    reasons = []
    for _ in range(6):
        with pytest.raises(Unauthenticated) as refused:
            own(world).change_password(token, "not this one", NEW)
        reasons.append(refused.value.reason)
    assert reasons == ["current"] * 5 + ["locked"]
    assert actions(world)[-5:] == ["password.refused"] * 5
    world.clock.advance(Lengths().lockout + timedelta(seconds=1))
    assert own(world).door.sign_in("ben", PASSWORD)


def test_a_password_that_is_none_is_refused_before_an_attempt_counts(world: World) -> None:
    token = member(world)
    for _ in range(6):
        with pytest.raises(InvalidInput):
            own(world).change_password(token, PASSWORD, "short")
    own(world).change_password(token, PASSWORD, NEW)


def test_where_nobody_signs_in_there_is_no_password_and_no_session(world: World) -> None:
    desk = own(world, Auth.OFF)
    assert desk.sessions(None) == []
    changes: tuple[Callable[[], object], ...] = (
        lambda: desk.change_password(None, PASSWORD, NEW),
        lambda: desk.end_others(None),
        lambda: desk.end(None, "x"),
    )
    for change in changes:
        with pytest.raises(NotFound):
            change()
