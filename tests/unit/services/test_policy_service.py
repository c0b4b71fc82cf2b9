"""The way of a policy into force, and that every request is decided by the one in force then."""

from dataclasses import replace
from datetime import timedelta

import pytest

from app.ports import AnswerStatus
from app.services.ask import Receipt, Started
from app.services.policy import OPERATOR, SETTINGS, PolicyDesk, PolicyState, begin, in_force
from app.services.prices import keep_prices
from policies.errors import InvalidInput, InvalidPolicy, NotFound
from policies.types import Importance
from tests.databases import POLICY, PRICES, START
from tests.unit.policies.policies import ceiling, policy, rule, written
from tests.world import World

LOW, HIGHER = written("low", critical={"max_nfe_per_token": 9}), written("higher")
LOW_VERSION = policy("low", critical={"max_nfe_per_token": 9}).version
HIGHER_VERSION = policy("higher").version


def desk(world: World) -> PolicyDesk:
    return PolicyDesk(world.uow, world.uow, world.clock)


def activated(world: World, text: str) -> str:
    found = desk(world).propose(text, "p.yaml", "ann")
    desk(world).approve(found.version, "bob")
    desk(world).activate(found.version, "bob")
    return found.version


def states(world: World) -> dict[str, PolicyState]:
    return {entry.version.version: entry.state for entry in desk(world).history()}


def test_draft_is_approved_by_another_and_only_then_activated(world: World) -> None:
    policies = desk(world)
    version = policies.propose(LOW, "p.yaml", "ann", "less for critical").version
    assert states(world) == {version: PolicyState.DRAFT}
    with pytest.raises(InvalidInput, match="is a draft: someone other than ann must approve it"):
        policies.activate(version, "bob")
    with pytest.raises(InvalidInput, match=r"ann proposed .*; someone else must approve it"):
        policies.approve(version, "ann")
    policies.approve(version, "bob")
    assert states(world) == {version: PolicyState.APPROVED}
    policies.activate(version, "ann", "from today")
    assert states(world) == {version: PolicyState.ACTIVE}
    current = policies.current()
    assert (current.version, current.source, current.note) == (version, LOW, "less for critical")
    with pytest.raises(InvalidInput, match="is in force already"):
        policies.activate(version, "bob")


def test_rollback_goes_to_the_one_before_or_to_any_earlier_one(world: World) -> None:
    policies = desk(world)
    with pytest.raises(InvalidInput, match="no other policy was in force"):
        policies.rollback("ann")
    low = activated(world, LOW)
    high = activated(world, HIGHER)
    third = activated(world, written("third"))
    assert policies.rollback("cho") == high
    assert states(world)[third] is PolicyState.RETIRED
    assert policies.rollback("cho", to=low, note="twice as safe") == low
    with pytest.raises(InvalidInput, match="unknown was not in force before"):
        policies.rollback("cho", to="unknown")
    (entry,) = [e for e in policies.history() if e.version.version == low]
    assert [(a.activated_by, a.note) for a in entry.activations] == [
        ("cho", "twice as safe"), ("bob", ""),
    ]  # fmt: skip


def test_draft_with_faults_is_not_kept(world: World) -> None:
    dear = written(ceilings=[ceiling("request", "request", "0.000000100 JPY")])
    for text, fault in ((dear, "can never run"), (LOW.replace("9", "2"), "must not fall")):
        with pytest.raises(InvalidPolicy, match=fault):
            desk(world).propose(text, "p.yaml", "ann")
    with pytest.raises(InvalidPolicy, match="is in USD, the prices are in JPY"):
        desk(world).propose(written(ceilings=[ceiling("pilot", "day", "5 USD")]), "p", "ann")
    assert states(world) == {}


def test_draft_that_new_prices_made_impossible_is_not_activated(world: World) -> None:
    policies = desk(world)
    text = written(ceilings=[ceiling("request", "request", "0.000001 JPY")])
    version = policies.propose(text, "p.yaml", "ann").version
    policies.approve(version, "bob")
    with world.uow() as uow:
        dearer = replace(PRICES, version="prices-2", nfe_nanos=1000, valid_from=START)
        keep_prices(uow, [dearer], START)
        uow.commit()
    with pytest.raises(InvalidPolicy, match="can never run"):
        policies.activate(version, "bob")


def test_next_request_is_decided_by_the_policy_activated_meanwhile(world: World) -> None:
    """One that runs already is finished under the one that admitted it."""
    first = activated(world, HIGHER)
    events = world.ask()(world.form(importance=Importance.CRITICAL), "key-1")
    started = next(events)
    low = activated(world, LOW)
    (*_, receipt) = events
    assert isinstance(started, Started)
    assert isinstance(receipt, Receipt)
    assert (receipt.row.policy_version, receipt.row.nfe_cap_per_token) == (first, 15)
    assert receipt.row.status is AnswerStatus.RELEASED
    after = world.receipt("key-2", importance=Importance.CRITICAL).row
    assert (after.policy_version, after.nfe_cap_per_token) == (low, 9)
    desk(world).rollback("ann")
    assert world.receipt("key-3").row.policy_version == first


def test_rule_raises_what_is_run_and_charged(world: World) -> None:
    activated(world, written(rules=[rule("high", wording=["pens"])]))
    row = world.receipt().row
    assert (row.asked, row.granted, row.nfe_cap_per_token) == (
        Importance.STANDARD, Importance.HIGH, 7,
    )  # fmt: skip
    preview = world.ask().preview(world.form())
    assert preview.decision.reasons[-1].values["because"] == "it matters"


def test_expected_price_comes_from_answers_on_the_same_rung(world: World) -> None:
    for i in range(5):
        assert world.ask().preview(world.form()).expected is None
        cost = world.receipt(f"key-{i}").row.cost_nanos
    found = world.ask().preview(world.form()).expected
    assert found is not None
    assert (found.nanos, found.n) == (cost, 5)
    assert world.ask().preview(world.form(importance=Importance.HIGH)).expected is None


def test_pilot_begins_with_the_policy_of_its_settings_and_keeps_what_was_activated(
    world: World,
) -> None:
    with world.uow() as uow:
        assert in_force(uow, POLICY) is POLICY
        begin(uow, POLICY, START)
        uow.commit()
    (entry,) = desk(world).history()
    assert (entry.version.proposed_by, entry.version.approved_by) == (SETTINGS, OPERATOR)
    assert entry.state is PolicyState.ACTIVE
    low = activated(world, LOW)
    with world.uow() as uow:
        begin(uow, POLICY, START + timedelta(days=1))
        assert in_force(uow, POLICY).version == low


def test_pilot_does_not_begin_with_a_policy_that_its_prices_make_impossible(world: World) -> None:
    first = policy(ceilings=[ceiling("pilot", "day", "5 USD")])
    with world.uow() as uow, pytest.raises(InvalidPolicy, match="is in USD"):
        begin(uow, first, START)


def test_current_before_any_activation_says_what_to_do(world: World) -> None:
    with pytest.raises(NotFound, match="start the app once"):
        desk(world).current()


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "x" * 201])
def test_name_that_is_none_is_refused(world: World, name: str) -> None:
    with pytest.raises(InvalidInput, match="a name has 1 to 200 characters"):
        desk(world).propose(LOW, "p.yaml", name)


def test_diff_names_fields_rules_and_ceilings_that_differ(world: World) -> None:
    before = policy(
        ceilings=[ceiling("user", "day", "5 JPY")], rules=[rule(team=["a"])], high={"gate": 0.5}
    )
    after = policy(ceilings=[ceiling("user", "day", "6 JPY")], high={"max_nfe_per_token": 8})
    found = {c.field: (c.before, c.after) for c in desk(world).diff(before, after)}
    assert found == {
        "ceilings.user/day": ("5 JPY", "6 JPY"),
        "rules.a-rule.because": ("it matters", None),
        "rules.a-rule.name": ("a-rule", None),
        "rules.a-rule.raise_to": ("high", None),
        "rules.a-rule.when.team": (["a"], None),
        "rungs.high.gate": (0.5, None),
        "rungs.high.max_nfe_per_token": (7, 8),
    }
    assert desk(world).diff(before, before) == []


def test_price_list_in_use_cannot_change_under_its_name(world: World) -> None:
    with world.uow() as uow:
        keep_prices(uow, [PRICES], START)
        with pytest.raises(InvalidInput, match="prices-1 is in use with other prices"):
            keep_prices(uow, [replace(PRICES, nfe_nanos=6)], START)
