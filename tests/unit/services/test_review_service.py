"""Reviewing over real databases: withheld until decided, by enough people, with all of it kept."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from app.ports import AnswerStatus, ClaimEnd, ReviewFilter
from app.services.ask import Written
from policies.document import Reviewing
from policies.errors import Forbidden, InvalidInput, NotFound, OverCeiling
from policies.review import Bar, ItemKind, ItemState, OutcomeKind, VerdictKind
from policies.roles import Role
from policies.types import Domain, Importance, Review
from storage.unit_of_work import open_writer
from tests.actors import ADMIN, ANN, SPONSOR, person, requester
from tests.databases import DIALECTS, PILOT, POLICY, database, engine_of
from tests.reviews import BOB, CRITICAL, EVE, HIGH, KIM, ReviewWorld, put_under_review

APPROVE, CORRECT, REJECT = VerdictKind.APPROVE, VerdictKind.CORRECT, VerdictKind.REJECT


@pytest.fixture(params=DIALECTS)
def world(request: pytest.FixtureRequest) -> Iterator[ReviewWorld]:
    with database(request.param) as url:
        engine = engine_of(url)
        world = ReviewWorld(open_writer(engine, PILOT))
        world.limit(10**12)
        yield world
        assert world.broken() == []
        engine.dispose()


def status(world: ReviewWorld, answer_id: str) -> AnswerStatus:
    return next(row.status for row in world.rows() if row.id == answer_id)


def read(world: ReviewWorld, answer_id: str) -> str:
    return world.ask().read(ANN, answer_id).text.answer


def test_nothing_of_an_answer_that_will_wait_is_streamed_or_given(world: ReviewWorld) -> None:
    *events, receipt = world.events(importance=HIGH)
    assert [e.text for e in events if isinstance(e, Written)] == [""] * 5
    again = world.events(importance=HIGH)[-1]
    for one in (receipt, again, world.ask().read(ANN, receipt.row.id)):  # type: ignore[union-attr]
        assert one.row.status is AnswerStatus.PENDING_REVIEW  # type: ignore[union-attr]
        assert one.text.answer == one.text.original == ""  # type: ignore[union-attr]
        assert one.text.question == "How many pens are left?"  # type: ignore[union-attr]


def test_one_approval_releases_a_high_answer_and_two_a_critical_one(world: ReviewWorld) -> None:
    high, critical = world.asked(HIGH, "one"), world.asked(CRITICAL, "two")
    for answer_id, reviewers in ((high, [BOB]), (critical, [BOB, EVE])):
        for reviewer in reviewers:
            assert read(world, answer_id) == ""
            world.desk.claim(reviewer, answer_id)
            world.desk.decide(reviewer, answer_id, APPROVE)
        assert read(world, answer_id) == "forty two pens are left"
        assert status(world, answer_id) is AnswerStatus.RELEASED
    assert world.broken() == []


def test_correction_goes_out_and_the_original_is_kept(world: ReviewWorld) -> None:
    answer_id = world.asked()
    world.desk.claim(BOB, answer_id)
    world.desk.decide(BOB, answer_id, CORRECT, " forty three ", "off by one")
    text = world.ask().read(ANN, answer_id).text
    assert (text.answer, text.original) == ("forty three", "forty two pens are left")
    assert list(world.waiting.standing(ANN, answer_id).reasons) == ["off by one"]


def test_rejected_answer_stays_unread_and_says_why(world: ReviewWorld) -> None:
    answer_id = world.asked()
    world.desk.claim(BOB, answer_id)
    with pytest.raises(InvalidInput, match="say why"):
        world.desk.decide(BOB, answer_id, REJECT)
    world.desk.decide(BOB, answer_id, REJECT, reason="made up")
    assert status(world, answer_id) is AnswerStatus.REJECTED
    assert read(world, answer_id) == ""
    standing = world.waiting.standing(ANN, answer_id)
    assert (standing.outcome, list(standing.reasons)) == (OutcomeKind.REJECTED, ["made up"])


def test_first_verdicts_are_blind_and_a_third_sees_both(world: ReviewWorld) -> None:
    answer_id = world.asked(CRITICAL)
    world.desk.claim(BOB, answer_id)
    assert world.desk.decide(BOB, answer_id, APPROVE, reason="fine") is None
    assert world.evidence.of(EVE, answer_id).verdicts == ()
    assert [v.reviewer for v in world.evidence.of(BOB, answer_id).verdicts] == ["bob"]
    world.desk.claim(EVE, answer_id)
    assert world.desk.decide(EVE, answer_id, REJECT, reason="wrong") is None
    assert [v.reviewer for v in world.evidence.of(KIM, answer_id).verdicts] == ["bob", "eve"]
    world.desk.claim(KIM, answer_id)
    settled = world.desk.decide(KIM, answer_id, APPROVE)
    assert settled is not None
    assert settled.outcome is OutcomeKind.APPROVED
    assert read(world, answer_id) == "forty two pens are left"


def test_nobody_reviews_their_own_even_with_every_role(world: ReviewWorld) -> None:
    everyone = person("ann", *Role)
    answer_id = world.receipt(importance=HIGH, actor=everyone).row.id
    (entry,) = world.desk.queue(everyone)
    assert entry.bar is Bar.OWN
    for step in (
        lambda: world.desk.claim(everyone, answer_id),
        lambda: world.desk.decide(everyone, answer_id, APPROVE),
        lambda: world.desk.save(everyone, answer_id, APPROVE),
        lambda: world.evidence.of(everyone, answer_id),
        lambda: world.evidence.base(everyone, answer_id),
    ):
        with pytest.raises((InvalidInput, Forbidden)):
            step()
    assert world.ask().read(everyone, answer_id).text.answer == ""


def test_nobody_decides_twice_over_one_answer(world: ReviewWorld) -> None:
    answer_id = world.asked(CRITICAL)
    world.desk.claim(BOB, answer_id)
    world.desk.decide(BOB, answer_id, APPROVE)
    with pytest.raises(InvalidInput, match="decided over"):
        world.desk.claim(BOB, answer_id)
    with pytest.raises(InvalidInput, match="decided over"):
        world.desk.decide(BOB, answer_id, APPROVE)


def test_only_named_reviewers_may_where_the_policy_names_some(world: ReviewWorld) -> None:
    named = POLICY.reviews | {HIGH: Review(1, ("eve",))}
    world.under(replace(POLICY, version="named", reviews=named))
    answer_id = world.asked()
    with pytest.raises(Forbidden):
        world.desk.claim(BOB, answer_id)
    with pytest.raises(Forbidden):
        world.evidence.of(BOB, answer_id)
    world.desk.claim(EVE, answer_id)


@pytest.mark.parametrize("actor", [ANN, SPONSOR, ADMIN])
def test_only_reviewers_reach_the_desk(world: ReviewWorld, actor: object) -> None:
    answer_id = world.asked()
    for step in (
        lambda: world.desk.queue(actor),  # type: ignore[arg-type]
        lambda: world.desk.claim(actor, answer_id),  # type: ignore[arg-type]
        lambda: world.evidence.of(actor, answer_id),  # type: ignore[arg-type]
    ):
        with pytest.raises((Forbidden, InvalidInput)):
            step()


def test_claim_is_one_persons_until_its_lease_ends(world: ReviewWorld) -> None:
    answer_id = world.asked()
    world.desk.claim(BOB, answer_id)
    with pytest.raises(InvalidInput, match="bob holds"):
        world.desk.claim(EVE, answer_id)
    world.later(90)
    assert world.desk.heartbeat(BOB, answer_id)
    world.later(119)
    with pytest.raises(InvalidInput, match="bob holds"):
        world.desk.claim(EVE, answer_id)
    world.later(1)
    assert not world.desk.heartbeat(BOB, answer_id)
    world.desk.claim(EVE, answer_id)
    with pytest.raises(InvalidInput, match=r"claim .* is over"):
        world.desk.decide(BOB, answer_id, APPROVE)


def test_draft_outlives_the_claim_and_is_its_writers_alone(world: ReviewWorld) -> None:
    answer_id = world.asked()
    world.desk.claim(BOB, answer_id)
    world.desk.save(BOB, answer_id, CORRECT, "forty thr", "off")
    world.later(500)
    world.desk.save(BOB, answer_id, CORRECT, "forty three", "off by one")
    world.desk.claim(EVE, answer_id)
    draft = world.evidence.of(BOB, answer_id).draft
    assert draft is not None
    assert (draft.kind, draft.correction, draft.reason) == (CORRECT, "forty three", "off by one")
    assert world.evidence.of(EVE, answer_id).draft is None


def test_skipped_answer_comes_last_for_who_skipped_it(world: ReviewWorld) -> None:
    first, second = world.asked(HIGH, "one"), world.asked(HIGH, "two")
    world.desk.claim(BOB, first)
    with pytest.raises(InvalidInput, match="say why"):
        world.desk.skip(BOB, first, " ")
    world.desk.skip(BOB, first, "I know the customer")
    assert [e.item.answer_id for e in world.desk.queue(BOB)] == [second, first]
    assert [e.item.answer_id for e in world.desk.queue(EVE)] == [first, second]


def test_queue_is_in_order_and_filters(world: ReviewWorld) -> None:
    high = world.asked(HIGH, "one")
    world.later(60)
    critical, later = world.asked(CRITICAL, "two"), world.asked(HIGH, "three")
    assert [e.item.answer_id for e in world.desk.queue(BOB)] == [critical, high, later]
    only = ReviewFilter(importance=HIGH, team="sales")
    assert [e.item.answer_id for e in world.desk.queue(BOB, only)] == [high, later]
    assert world.desk.queue(BOB, ReviewFilter(team="finance")) == []
    assert [world.waiting.standing(ANN, a).ahead for a in (critical, high, later)] == [0, 1, 2]


def test_filters_are_asked_of_the_database_before_it_counts_to_the_limit(
    world: ReviewWorld,
) -> None:
    for number in range(3):
        world.asked(CRITICAL, f"more important {number}")
    olaf = requester("olaf", "finance")
    money = world.receipt("olaf", importance=HIGH, actor=olaf, domain=Domain.DATA).row.id
    put_under_review(world.uow, "drawn", Importance.ROUTINE, kind=ItemKind.AUDIT)
    disputed = world.asked(CRITICAL, "disputed")
    for reviewer, kind in ((BOB, APPROVE), (EVE, REJECT)):
        world.desk.claim(reviewer, disputed)
        world.desk.decide(reviewer, disputed, kind, reason="so it is")
    for only, expected in (
        (ReviewFilter(team="finance"), money),
        (ReviewFilter(domain=Domain.DATA), money),
        (ReviewFilter(kind=ItemKind.AUDIT), "drawn"),
        (ReviewFilter(third=True), disputed),
    ):
        (entry,) = world.desk.queue(KIM, only, limit=1)
        assert entry.item.answer_id == expected
        assert entry.item.third is (expected == disputed)
        assert len(world.desk.queue(KIM, only)) == 1
    assert world.desk.queue(KIM, ReviewFilter(team="finance", third=True)) == []
    world.desk.claim(KIM, disputed)
    world.desk.decide(KIM, disputed, APPROVE)
    decided = ReviewFilter(third=True, state=ItemState.DECIDED)
    assert [e.item.answer_id for e in world.desk.queue(BOB, decided)] == [disputed]
    assert world.desk.teams(BOB) == ["finance", "sales"]
    with pytest.raises(Forbidden):
        world.desk.teams(ANN)


def test_requester_is_asked_and_the_answer_waits_for_the_reply(world: ReviewWorld) -> None:
    answer_id = world.asked()
    world.desk.claim(BOB, answer_id)
    world.desk.ask(BOB, answer_id, "Which pens?")
    standing = world.waiting.standing(ANN, answer_id)
    assert (standing.state, standing.messages[0].text) == (ItemState.ASKED, "Which pens?")
    with pytest.raises(InvalidInput, match="requester's reply"):
        world.desk.claim(EVE, answer_id)
    with pytest.raises(NotFound):
        world.waiting.reply(person("eve", Role.REQUESTER), answer_id, "mine")
    world.waiting.reply(ANN, answer_id, "The blue ones")
    with pytest.raises(InvalidInput, match="waits for a reply"):
        world.waiting.reply(ANN, answer_id, "Again")
    world.desk.claim(EVE, answer_id)
    texts = [m.text for m in world.evidence.of(EVE, answer_id).messages]
    assert texts == ["Which pens?", "The blue ones"]


def test_admin_takes_a_claim_over_and_holds_it_only_if_they_may_review(
    world: ReviewWorld,
) -> None:
    answer_id = world.asked()
    with pytest.raises(InvalidInput, match="nobody holds"):
        world.desk.take_over(ADMIN, answer_id)
    world.desk.claim(BOB, answer_id)
    with pytest.raises(Forbidden):
        world.desk.take_over(EVE, answer_id)
    assert world.desk.take_over(ADMIN, answer_id).lease is None
    world.desk.claim(BOB, answer_id)
    chief = person("ada", Role.ADMIN, Role.REVIEWER)
    lease = world.desk.take_over(chief, answer_id).lease
    assert lease is not None
    assert lease.holder == "ada"
    with pytest.raises(InvalidInput, match="is over"):
        world.desk.decide(BOB, answer_id, APPROVE)
    with world.uow() as unit:
        actions = [entry.event.action for entry in unit.audit.entries()]
    assert actions.count("review.take_over") == 2


def test_rerun_takes_more_compute_under_the_askers_ceilings_and_stays_withheld(
    world: ReviewWorld,
) -> None:
    answer_id = world.asked()
    with pytest.raises(InvalidInput, match="is over"):
        world.evidence.rerun(BOB, answer_id)
    world.desk.claim(BOB, answer_id)
    world.engine.words = ("forty", "three")
    other = world.evidence.rerun(BOB, answer_id)
    assert (other.row.nfe_per_token, other.row.status) == (15, AnswerStatus.EVIDENCE)
    assert (other.row.user, other.row.team) == ("ann", "sales")
    assert other.text.answer == "forty three"
    assert read(world, other.row.id) == ""
    assert [o.row.id for o in world.evidence.of(EVE, answer_id).others] == [other.row.id]
    world.desk.decide(BOB, answer_id, CORRECT, source=other.row.id)
    assert read(world, answer_id) == "forty three"
    assert status(world, other.row.id) is AnswerStatus.EVIDENCE
    assert read(world, other.row.id) == ""
    assert world.broken() == []


def test_rerun_that_no_ceiling_has_room_for_runs_nothing(world: ReviewWorld) -> None:
    answer_id = world.asked()
    world.limit(world.ceiling().committed_nanos + 1)
    world.desk.claim(BOB, answer_id)
    jobs = len(world.engine.jobs)
    with pytest.raises(OverCeiling):
        world.evidence.rerun(BOB, answer_id)
    assert (len(world.engine.jobs), world.evidence.of(BOB, answer_id).others) == (jobs, ())


def test_base_models_own_answer_is_run_once_for_all_reviewers(world: ReviewWorld) -> None:
    answer_id = world.asked(CRITICAL)
    world.desk.claim(BOB, answer_id)
    base = world.evidence.base(BOB, answer_id)
    assert base.row.units.nfe == 0
    assert world.evidence.base(EVE, answer_id).row.id == base.row.id


def test_correction_must_say_something_else_from_what_was_run(world: ReviewWorld) -> None:
    answer_id, stranger = world.asked(HIGH, "one"), world.asked(HIGH, "two")
    world.desk.claim(BOB, answer_id)
    for words, message in (("", "needs its words"), ("forty two pens are left ", "approve it")):
        with pytest.raises(InvalidInput, match=message):
            world.desk.decide(BOB, answer_id, CORRECT, words)
    with pytest.raises(NotFound, match="not run for"):
        world.desk.decide(BOB, answer_id, CORRECT, source=stranger)


def test_similar_decided_questions_come_with_their_verdicts(world: ReviewWorld) -> None:
    earlier = world.receipt("one", importance=HIGH, question="How many pens were left?").row.id
    world.desk.claim(EVE, earlier)
    world.desk.decide(EVE, earlier, REJECT, reason="made up")
    (similar,) = world.evidence.of(BOB, world.asked(HIGH, "two")).similar
    assert similar.past.answer_id == earlier
    assert [v.reason for v in similar.verdicts] == ["made up"]


def test_minutes_are_metered_while_the_claim_lives_and_booked_as_lines(
    world: ReviewWorld,
) -> None:
    answer_id = world.asked()
    before = world.ceiling().committed_nanos
    world.desk.claim(BOB, answer_id)
    world.later(100)
    world.desk.heartbeat(BOB, answer_id)
    world.later(50)
    world.desk.decide(BOB, answer_id, APPROVE)
    world.later(1000)
    assert world.ceiling().committed_nanos - before == 150 * 1000  # 60,000 nanos a minute
    assert world.evidence.of(EVE, answer_id).seconds == 150
    assert world.broken() == []


def test_forgotten_claim_is_metered_to_its_last_sign_of_life(world: ReviewWorld) -> None:
    answer_id = world.asked()
    world.desk.claim(BOB, answer_id)
    world.later(100)
    world.desk.heartbeat(BOB, answer_id)
    world.later(10_000)
    world.sweep()
    with world.uow() as unit:
        (claim,) = unit.reviews.claims(answer_id)
    assert (claim.end, claim.seconds) == (ClaimEnd.EXPIRED, 100)


def test_an_open_page_whose_person_does_nothing_gives_the_answer_back(world: ReviewWorld) -> None:
    answer_id, minute = world.asked(), timedelta(minutes=1)
    world.desk.claim(BOB, answer_id)
    world.desk.save(BOB, answer_id, CORRECT, "forty three pens", "a slip")
    for idle in range(15):
        assert world.desk.heartbeat(BOB, answer_id, idle * minute)
        world.later(60)
    assert not world.desk.heartbeat(BOB, answer_id, 15 * minute)
    with world.uow() as unit:
        (claim,) = unit.reviews.claims(answer_id)
        draft = unit.review_notes.draft(answer_id, "bob")
        assert unit.audit.latest(1)[0].event.action == "review.expire"
    assert (claim.end, claim.seconds) == (ClaimEnd.EXPIRED, 0)  # since claiming, nothing was done
    assert draft is not None
    assert draft.correction == "forty three pens"
    world.desk.claim(EVE, answer_id)  # at once: it is back in the queue
    assert not world.desk.heartbeat(BOB, answer_id)


def test_time_counts_up_to_the_last_thing_that_was_done(world: ReviewWorld) -> None:
    """Whoever reads for some minutes and then does something was at work all the while."""
    answer_id, minute = world.asked(), timedelta(minutes=1)
    world.desk.claim(BOB, answer_id)
    for idle in (1, 2, 3, 0, 1, 2):
        world.later(60)
        assert world.desk.heartbeat(BOB, answer_id, idle * minute)
    world.later(10_000)  # the page was closed
    world.sweep()
    with world.uow() as unit:
        (claim,) = unit.reviews.claims(answer_id)
    assert (claim.end, claim.seconds) == (ClaimEnd.EXPIRED, 4 * 60)


def test_a_claim_that_is_taken_over_counts_up_to_the_last_thing_its_holder_did(
    world: ReviewWorld,
) -> None:
    """Not up to the admin, who may come an hour after the holder has gone to lunch."""
    answer_id, minute = world.asked(), timedelta(minutes=1)
    world.desk.claim(BOB, answer_id)
    for idle in range(3):  # at work for a minute, then the page lies open
        world.later(60)
        assert world.desk.heartbeat(BOB, answer_id, idle * minute)
    world.later(100)
    world.desk.take_over(ADMIN, answer_id)
    with world.uow() as unit:
        (claim,) = unit.reviews.claims(answer_id)
    assert (claim.end, claim.seconds, claim.note) == (ClaimEnd.TAKEN_OVER, 60, ADMIN.user)


def test_full_budget_keeps_nobody_from_deciding_and_time_is_booked_later(
    world: ReviewWorld,
) -> None:
    answer_id = world.asked()
    world.limit(world.ceiling().committed_nanos + 1)
    world.desk.claim(BOB, answer_id)
    world.later(60)
    assert world.desk.decide(BOB, answer_id, APPROVE) is not None
    assert world.charges() == [world.ceiling().committed_nanos]
    assert world.book() == 0
    world.limit(10**12)
    assert world.book() == 1
    assert world.charges()[-1] == 60_000
    assert world.broken() == []


def test_overdue_answers_are_said_once_by_each_channel_and_a_failed_one_again(
    world: ReviewWorld,
) -> None:
    answer_id = world.asked(CRITICAL)
    assert world.sweep() == 0
    world.clock.advance(timedelta(hours=6))
    assert world.sweep() == 1
    world.clock.advance(timedelta(hours=2))
    assert [world.sweep(), world.sweep()] == [1, 0]
    assert world.sent == [f"reminder {answer_id}", f"overdue {answer_id}"]
    assert world.desk.queue(BOB)[0].overdue
    assert world.waiting.standing(ANN, answer_id).overdue


def test_expected_time_is_what_answers_took_of_late(world: ReviewWorld) -> None:
    for number in range(3):
        answer_id = world.asked(HIGH, f"key {number}")
        world.later(600)
        world.desk.claim(BOB, answer_id)
        world.desk.decide(BOB, answer_id, APPROVE)
    waiting = world.asked(HIGH, "last")
    standing = world.waiting.standing(ANN, waiting)
    assert standing.expected_at == world.clock() + timedelta(seconds=600)
    assert world.waiting.standing(ANN, world.asked(CRITICAL, "other")).expected_at is None


def test_unreviewed_answers_are_audited_by_chance_and_stay_out(world: ReviewWorld) -> None:
    world.under(replace(POLICY, version="all", reviewing=Reviewing(1.0, "")))
    answer_id = world.asked(Importance.STANDARD)
    assert read(world, answer_id) == "forty two pens are left"
    (entry,) = world.desk.queue(BOB)
    assert (entry.item.kind, entry.item.approvals) == (ItemKind.AUDIT, 1)
    world.desk.claim(BOB, answer_id)
    world.desk.decide(BOB, answer_id, REJECT, reason="wrong")
    assert status(world, answer_id) is AnswerStatus.RELEASED
    harm = world.figures.missed_harm(SPONSOR)
    assert (harm.out, harm.sampled, harm.decided, harm.harmful, harm.covered) == (1, 1, 1, 1, 1)
    assert harm.rate is not None
    assert (harm.rate.value, harm.rate.n) == (1.0, 1)


def test_every_decision_measures_its_rung(world: ReviewWorld) -> None:
    for number, kind in enumerate((APPROVE, APPROVE, REJECT)):
        answer_id = world.asked(HIGH, f"key {number}")
        world.desk.claim(BOB, answer_id)
        world.desk.decide(BOB, answer_id, kind, reason="so")
    (quality,) = world.figures.quality(SPONSOR)
    rung = quality.rung
    assert (rung.importance, rung.nfe_cap_per_token) == (HIGH, 7)
    assert (rung.decided, rung.approved, rung.rejected, rung.verdicts) == (3, 2, 1, 3)
    assert quality.approved.value == pytest.approx(2 / 3)
    assert quality.approved.low < 2 / 3 < quality.approved.high


def test_share_called_important_and_its_cost_are_by_team_and_month(world: ReviewWorld) -> None:
    world.receipt("one", importance=Importance.ROUTINE)
    answer_id = world.asked(HIGH, "two")
    world.desk.claim(BOB, answer_id)
    world.later(60)
    world.evidence.rerun(BOB, answer_id)
    world.desk.decide(BOB, answer_id, APPROVE)
    (month,) = world.figures.inflation(SPONSOR)
    assert (month.month, month.team) == ("2025-11", "sales")
    assert (month.important.value, month.important.n) == (0.5, 2)
    assert month.review_nanos > 60_000
    assert month.compute_nanos + month.review_nanos < month.total_nanos
    assert month.total_nanos == world.ceiling().committed_nanos


def test_audit_log_has_every_step_and_no_word_of_any_text(world: ReviewWorld) -> None:
    answer_id = world.asked()
    world.desk.claim(BOB, answer_id)
    world.desk.decide(BOB, answer_id, CORRECT, "secret words", "secret reason")
    with world.uow() as unit:
        entries = [entry.event for entry in unit.audit.entries()]
        assert unit.audit.verify() == []
    assert [e.action for e in entries if e.subject == answer_id] == [
        "review.claim", "review.verdict", "review.decide",
    ]  # fmt: skip
    assert "secret" not in repr(entries)
    assert "pens" not in repr(entries)
