"""The way of a policy into force, and that every request is decided by the one in force then."""

from dataclasses import replace
from datetime import timedelta

import pytest

from app.ports import AnswerStatus
from app.services.ask import Receipt, Started
from app.services.policy import OPERATOR, SETTINGS, PolicyDesk, PolicyState, begin, in_force
from app.services.prices import keep_prices
from policies.errors import Forbidden, InvalidInput, InvalidPolicy, NotFound
from policies.roles import Role
from policies.types import Importance
from tests.actors import ANN, FINN, SPONSOR, person
from tests.databases import POLICY, PRICES, START
from tests.unit.policies.policies import ceiling, policy, rule, written
from tests.world import World

LOW, HIGHER = written("low", critical={"max_nfe_per_token": 9}), written("higher")
LOW_VERSION = policy("low", critical={"max_nfe_per_token": 9}).version
HIGHER_VERSION = policy("higher").version


BOB = person("bob", Role.POLICY_OWNER)
CHO = person("cho", Role.POLICY_OWNER)


def desk(world: World) -> PolicyDesk:
    return PolicyDesk(world.uow, world.uow, world.clock)


def activated(world: World, text: str) -> str:
    found = desk(world).propose(FINN, text, "p.yaml")
    desk(world).approve(BOB, found.version)
    desk(world).activate(BOB, found.version)
    return found.version


def states(world: World) -> dict[str, PolicyState]:
    return {entry.version.version: entry.state for entry in desk(world).history(SPONSOR)}


def test_draft_is_approved_by_another_and_only_then_activated(world: World) -> None:
    policies = desk(world)
    version = policies.propose(FINN, LOW, "p.yaml", "less for critical").version
    assert states(world) == {version: PolicyState.DRAFT}
    with pytest.raises(InvalidInput, match="is a draft: someone other than finn must approve it"):
        policies.activate(BOB, version)
    with pytest.raises(InvalidInput, match=r"finn proposed .*; someone else must approve it"):
        policies.approve(FINN, version)
    policies.approve(BOB, version)
    assert states(world) == {version: PolicyState.APPROVED}
    policies.activate(FINN, version, "from today")
    assert states(world) == {version: PolicyState.ACTIVE}
    current = policies.current(SPONSOR)
    assert (current.version, current.source, current.note) == (version, LOW, "less for critical")
    with pytest.raises(InvalidInput, match="is in force already"):
        policies.activate(BOB, version)


def test_rollback_goes_to_the_one_before_or_to_any_earlier_one(world: World) -> None:
    policies = desk(world)
    with pytest.raises(InvalidInput, match="no other policy was in force"):
        policies.rollback(FINN)
    low = activated(world, LOW)
    high = activated(world, HIGHER)
    third = activated(world, written("third"))
    assert policies.rollback(CHO) == high
    assert states(world)[third] is PolicyState.RETIRED
    assert policies.rollback(CHO, to=low, note="twice as safe") == low
    with pytest.raises(InvalidInput, match="unknown was not in force before"):
        policies.rollback(CHO, to="unknown")
    (entry,) = [e for e in policies.history(SPONSOR) if e.version.version == low]
    assert [(a.activated_by, a.note) for a in entry.activations] == [
        ("cho", "twice as safe"), ("bob", ""),
    ]  # fmt: skip


def test_draft_with_faults_is_not_kept(world: World) -> None:
    dear = written(ceilings=[ceiling("request", "request", "0.000000100 JPY")])
    for text, fault in ((dear, "can never run"), (LOW.replace("9", "2"), "must not fall")):
        with pytest.raises(InvalidPolicy, match=fault):
            desk(world).propose(FINN, text, "p.yaml")
    with pytest.raises(InvalidPolicy, match="is in USD, the prices are in JPY"):
        desk(world).propose(FINN, written(ceilings=[ceiling("pilot", "day", "5 USD")]), "p")
    assert states(world) == {}


def test_draft_that_new_prices_made_impossible_is_not_activated(world: World) -> None:
    policies = desk(world)
    text = written(ceilings=[ceiling("request", "request", "0.000001 JPY")])
    version = policies.propose(FINN, text, "p.yaml").version
    policies.approve(BOB, version)
    with world.uow() as uow:
        dearer = replace(PRICES, version="prices-2", nfe_nanos=1000, valid_from=START)
        keep_prices(uow, [dearer], "settings", START)
        uow.commit()
    with pytest.raises(InvalidPolicy, match="can never run"):
        policies.activate(BOB, version)


def test_next_request_is_decided_by_the_policy_activated_meanwhile(world: World) -> None:
    """One that runs already is finished under the one that admitted it."""
    first = activated(world, HIGHER)
    events = world.ask()(ANN, world.form(importance=Importance.CRITICAL), "key-1")
    started = next(events)
    low = activated(world, LOW)
    (*_, receipt) = events
    assert isinstance(started, Started)
    assert isinstance(receipt, Receipt)
    assert (receipt.row.policy_version, receipt.row.nfe_cap_per_token) == (first, 15)
    assert receipt.row.status is AnswerStatus.RELEASED
    after = world.receipt("key-2", importance=Importance.CRITICAL).row
    assert (after.policy_version, after.nfe_cap_per_token) == (low, 9)
    desk(world).rollback(FINN)
    assert world.receipt("key-3").row.policy_version == first


def test_rule_raises_what_is_run_and_charged(world: World) -> None:
    activated(world, written(rules=[rule("high", wording=["pens"])]))
    row = world.receipt().row
    assert (row.asked, row.granted, row.nfe_cap_per_token) == (
        Importance.STANDARD, Importance.HIGH, 7,
    )  # fmt: skip
    preview = world.ask().preview(ANN, world.form())
    assert preview.decision.reasons[-1].values["because"] == "it matters"


def test_expected_price_comes_from_answers_on_the_same_rung(world: World) -> None:
    for i in range(5):
        assert world.ask().preview(ANN, world.form()).expected is None
        cost = world.receipt(f"key-{i}").row.cost_nanos
    found = world.ask().preview(ANN, world.form()).expected
    assert found is not None
    assert (found.nanos, found.n) == (cost, 5)
    assert world.ask().preview(ANN, world.form(importance=Importance.HIGH)).expected is None


def test_pilot_begins_with_the_policy_of_its_settings_and_keeps_what_was_activated(
    world: World,
) -> None:
    with world.uow() as uow:
        assert in_force(uow, POLICY) is POLICY
        begin(uow, POLICY, START)
        uow.commit()
    (entry,) = desk(world).history(SPONSOR)
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
        desk(world).current(SPONSOR)


def test_only_a_policy_owner_may_change_what_importance_buys(world: World) -> None:
    policies = desk(world)
    version = policies.propose(FINN, LOW, "p.yaml").version
    for change in (
        lambda: policies.propose(ANN, HIGHER, "p.yaml"),
        lambda: policies.approve(ANN, version),
        lambda: policies.activate(ANN, version),
        lambda: policies.rollback(ANN),
    ):
        with pytest.raises(Forbidden, match="ann may not"):
            change()
    assert states(world) == {version: PolicyState.DRAFT}


def test_every_change_of_a_policy_is_in_the_audit_log(world: World) -> None:
    low, high = activated(world, LOW), activated(world, HIGHER)
    desk(world).rollback(CHO, note="dear")
    with world.uow() as uow:
        found = [(e.event.by, e.event.action, e.event.subject) for e in uow.audit.entries()]
        assert uow.audit.latest(1)[0].event.details == {"note": "dear"}
    assert found == [
        ("finn", "policy.propose", low),
        ("bob", "policy.approve", low),
        ("bob", "policy.activate", low),
        ("finn", "policy.propose", high),
        ("bob", "policy.approve", high),
        ("bob", "policy.activate", high),
        ("cho", "policy.rollback", low),
    ]


def test_a_refused_change_leaves_no_entry(world: World) -> None:
    version = desk(world).propose(FINN, LOW, "p.yaml").version
    with pytest.raises(InvalidInput):
        desk(world).approve(FINN, version)
    with world.uow() as uow:
        assert [e.event.action for e in uow.audit.entries()] == ["policy.propose"]


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
        keep_prices(uow, [PRICES], "settings", START)
        with pytest.raises(InvalidInput, match="prices-1 is in use with other prices"):
            keep_prices(uow, [replace(PRICES, nfe_nanos=6)], "settings", START)
