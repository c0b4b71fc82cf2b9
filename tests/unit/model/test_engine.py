"""Rows share passes and nothing else: same tokens, exact counts, their own faults, a fair line."""

import dataclasses
import threading
from collections.abc import Sequence
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from model.config import Choice, Gate, SamplerConfig
from model.engine import Engine
from model.errors import Cancelled, ConfigError
from model.l2d import Context
from model.prepared import PreparedPath, Times
from model.request import HEAD_START, Fault, Hooks, Line, Request
from model.sampler import Row, Token
from model.writing import Again, Recipe
from tests.tiny import (
    PATH,
    PROMPT,
    VOCAB,
    Watched,
    alone,
    reading,
    row,
    stirred_path,
    tiny_backbone,
    tiny_prepared,
)

CARRY = dataclasses.replace(PATH, carry=True)
OWN = dataclasses.replace(CARRY, reading="own")
PREFIX = PROMPT[:3]
CONFIGS = (
    SamplerConfig(0, max_new_tokens=5),
    SamplerConfig(3, "euler", max_new_tokens=3, choice=Choice(temperature=1.0)),
    SamplerConfig(7, "midpoint", max_new_tokens=4, gate=Gate(3.6, "entropy")),
    SamplerConfig(9, "rk4", max_new_tokens=2, estimate="sample"),
    SamplerConfig(9, "euler", guidance=2.0, max_new_tokens=3),
    SamplerConfig(9, "bosh3", max_new_tokens=2, estimate="average"),
    SamplerConfig(11, "adaptive_heun", guidance=0.5, max_new_tokens=2, rtol=0.5, atol=0.5),
)


class Asked:
    """A request and all it was told."""

    def __init__(
        self, prepared: PreparedPath, rows: Sequence[Row], config: SamplerConfig, **more: Any
    ) -> None:
        self.told: list[Token | Again | Fault | None] = []
        self.made: list[int] = []
        self.request = Request(
            rows,
            Recipe.of(prepared, config),
            self.told.append,
            **{"hooks": Hooks(after=self.made.append)} | more,
        )

    def tokens(self, place: int = 0) -> list[Token]:
        mine = [t for t in self.told if isinstance(t, Token) and t.row == place]
        return [dataclasses.replace(t, row=0) for t in mine]

    @property
    def faults(self) -> list[Fault]:
        return [event for event in self.told if isinstance(event, Fault)]

    @property
    def ended(self) -> bool:
        return self.told[-1:] == [None]


def run(engine: Engine, *asked: Asked) -> None:
    for one in asked:
        engine.submit(one.request)
    while engine.busy:
        engine.tick()


@dataclasses.dataclass(frozen=True)
class Arrival:
    at: int
    config: SamplerConfig
    rows: tuple[Row, ...]
    cancel_after: int | None


@st.composite
def arrivals(draw: st.DrawFn) -> Arrival:
    ids = st.lists(st.integers(0, VOCAB - 1), min_size=1, max_size=7)
    prompt = tuple(draw(ids))
    if draw(st.booleans()):
        prompt = PREFIX + prompt
    label = draw(st.sampled_from(["math", "data", None]))
    seed = draw(st.integers(0, 99))
    rows = [Row(prompt, seed + i, label) for i in range(draw(st.integers(1, 3)))]
    if draw(st.booleans()):
        rows[-1] = dataclasses.replace(rows[-1], prompt=rows[-1].prompt[::-1], max_new_tokens=1)
    cancel = draw(st.none() | st.integers(0, 12))
    return Arrival(draw(st.integers(0, 15)), draw(st.sampled_from(CONFIGS)), tuple(rows), cancel)


@pytest.mark.parametrize("path", [PATH, CARRY, OWN], ids=["plain", "carry", "own reading"])
@settings(deadline=None, max_examples=25)
@given(st.lists(arrivals(), min_size=1, max_size=6), st.integers(3, 8), st.integers(1, 6))
def test_a_row_draws_the_same_whoever_comes_goes_and_shares_its_passes(
    path: Any, coming: list[Arrival], slots: int, chunk: int
) -> None:
    prepared = tiny_prepared(config=path)
    engine = Engine(prepared, slots, PREFIX, chunk)
    asked = [Asked(prepared, a.rows, a.config) for a in coming]
    left = list(zip(coming, asked, strict=True))
    now = 0
    while left or engine.busy:
        for arrival, its in [pair for pair in left if pair[0].at == now]:
            engine.submit(its.request)
            left.remove((arrival, its))
        for arrival, its in zip(coming, asked, strict=True):
            if arrival.cancel_after is not None and arrival.at + arrival.cancel_after == now:
                its.request.stopped = True
        engine.tick()
        now += 1
    for arrival, its in zip(coming, asked, strict=True):
        assert its.ended
        assert not its.faults
        work, drawn = its.request.work, 0
        for place, single in enumerate(arrival.rows):
            expected, tokens = alone(prepared, single, arrival.config), its.tokens(place)
            assert tokens == expected[: len(tokens)]
            assert arrival.cancel_after is not None or len(tokens) == len(expected)
            drawn += len(tokens)
        assert work.decode_tokens == drawn
        assert work.nfe == sum(its.made) >= sum(t.nfe for t in its.told if isinstance(t, Token))
        prompts = sum(map(len, {single.prompt for single in arrival.rows}))
        assert work.prompt_tokens <= prompts
        if drawn == sum(len(alone(prepared, r, arrival.config)) for r in arrival.rows):
            assert work.nfe == sum(t.nfe for t in its.told if isinstance(t, Token))
            assert work.prompt_tokens == prompts


def watched_engine(**settings: Any) -> tuple[Engine, Watched]:
    backbone = tiny_backbone()
    prepared = Watched(backbone, stirred_path(backbone))
    return Engine(prepared, **settings), prepared


def test_rows_at_unlike_times_and_rungs_share_one_pass() -> None:
    engine, watched = watched_engine()
    asked = [Asked(watched, [row(i)], config) for i, config in enumerate(CONFIGS[1:])]
    for one in asked:
        engine.submit(one.request)
        engine.tick()
    watched.batches.clear()
    watched.seen.clear()
    engine.tick()
    (together,) = watched.batches
    assert together >= 4
    assert len({t for t, _, _ in watched.seen}) >= 3


def row_of(seed: int, n: int) -> Row:
    return Row(PROMPT, seed, max_new_tokens=n)


def test_one_who_waits_takes_the_place_of_one_who_leaves() -> None:
    engine, watched = watched_engine(slots=2)
    rows = [row_of(i, n) for i, n in enumerate((1, 3, 1, 1))]
    run(engine, *(Asked(watched, [r], CONFIGS[1]) for r in rows))
    assert watched.batches == [2] * 3 * 3


def test_a_long_prompt_is_read_in_pieces_while_others_write() -> None:
    prepared, backbone = reading()
    engine = Engine(prepared, chunk=4)
    first, long = (
        Asked(prepared, [Row(prompt, 1)], SamplerConfig(0, max_new_tokens=9))
        for prompt in (PROMPT, PROMPT * 3)
    )
    engine.submit(first.request)
    engine.tick()
    engine.submit(long.request)
    written = []
    while not long.tokens():
        engine.tick()
        written.append(len(first.tokens()))
    assert backbone.read[0] == (1, 6)
    assert [n for rows, n in backbone.read if n > 1][1:] == [4, 4, 4, 4, 2]
    assert written == [3, 4, 5, 6, 7]
    assert long.request.work.prompt_tokens == 18


def test_a_prefix_is_read_once_for_all_that_begin_with_it() -> None:
    prepared, backbone = reading()
    engine = Engine(prepared, prefix=PREFIX)
    prompts = (PROMPT, (*PREFIX, 9), PREFIX, PROMPT[1:])  # the last two cannot use it
    asked = [Asked(prepared, [Row(p, 1)], SamplerConfig(3, max_new_tokens=2)) for p in prompts]
    run(engine, *asked)
    assert backbone.read[:5] == [(1, 3), (1, 3), (1, 1), (1, 3), (1, 5)]
    for one, prompt in zip(asked, prompts, strict=True):
        assert one.tokens() == alone(prepared, Row(prompt, 1), SamplerConfig(3, max_new_tokens=2))
        assert one.request.work.prompt_tokens == len(prompt)


def test_stopped_request_gets_no_further_pass_and_the_others_all_of_theirs() -> None:
    engine, watched = watched_engine()
    config = SamplerConfig(7, max_new_tokens=3)
    kept, gone = Asked(watched, [row(1)], config), Asked(watched, [row(2), row(3)], config)
    engine.submit(kept.request)
    engine.submit(gone.request)
    for _ in range(10):
        engine.tick()
    gone.request.stopped = True
    before, passes = gone.request.work, len(watched.batches)
    run(engine)
    assert gone.request.work == before
    assert gone.ended
    assert before.nfe == 2 * 10
    assert set(watched.batches[passes:]) == {1}
    assert kept.tokens() == alone(watched, row(1), config)


def test_a_stopped_request_leaves_the_line_though_there_is_no_room() -> None:
    engine, watched = watched_engine(slots=1)
    first, second = (Asked(watched, [row(i)], CONFIGS[1]) for i in (1, 2))
    engine.submit(first.request)
    engine.submit(second.request)
    second.request.stopped = True
    engine.tick()
    assert second.ended
    assert not first.ended
    assert second.request.work.prompt_tokens == 0


@pytest.mark.parametrize("method", ["bosh3", "dopri5"])
def test_threads_of_adaptive_rows_end_with_them(method: Any) -> None:
    engine, watched = watched_engine()
    config = SamplerConfig(40, method, max_new_tokens=5, estimate="average")
    asked = Asked(watched, [row(1), row(2)], config)
    engine.submit(asked.request)
    for _ in range(3):
        engine.tick()
    assert [t.name for t in threading.enumerate()].count("adaptive") == 2
    asked.request.stopped = True
    engine.tick()
    assert "adaptive" not in [t.name for t in threading.enumerate()]
    assert max(watched.batches) == 2
    assert asked.request.work.nfe == 2 * 3


def test_an_error_of_one_row_ends_it_alone_with_its_counted_work() -> None:
    engine, watched = watched_engine()

    def broken(ids: Sequence[int]) -> bool:
        if len(ids) == 2:
            raise ZeroDivisionError("its own")
        return False

    config = SamplerConfig(5, max_new_tokens=4)
    mine = Asked(watched, [dataclasses.replace(row(1), stop=broken), row(2)], config)
    other = Asked(watched, [row(3)], config)
    run(engine, mine, other)
    ((place, error),) = mine.faults
    assert (place, type(error)) == (0, ZeroDivisionError)
    assert mine.tokens() == alone(watched, row(1), config)[:1]
    assert mine.tokens(1) == alone(watched, row(2), config)
    assert other.tokens() == alone(watched, row(3), config)
    assert mine.request.work.nfe == sum(mine.made) == 4 * (2 + 4)  # midpoint's below 5
    assert mine.request.work.decode_tokens == 1 + 4


def test_a_hook_that_raises_ends_its_request_alone() -> None:
    engine, watched = watched_engine()
    asked = iter(range(4))

    def stop() -> None:
        if next(asked, None) is None:
            raise Cancelled("enough")

    config = SamplerConfig(5, max_new_tokens=4)
    mine = Asked(watched, [row(1), row(2)], config, hooks=Hooks(before=stop))
    other = Asked(watched, [row(3)], config)
    run(engine, mine, other)
    ((place, error),) = mine.faults
    assert (place, str(error)) == (None, "enough")
    assert mine.request.work.nfe == 2 * 3  # one question was for reading
    assert other.tokens() == alone(watched, row(3), config)


class Poisoned(PreparedPath):
    """Comes to nothing for the class "math"."""

    def hidden(self, x_t: Tensor, t: Times, labels: Tensor, context: Context) -> Tensor:
        hidden = super().hidden(x_t, t, labels, context)
        return torch.where(labels[..., None] == 0, torch.nan, hidden)


@pytest.mark.parametrize("config", [CONFIGS[1], CONFIGS[3], CONFIGS[4], CONFIGS[5]])
def test_logits_that_are_no_numbers_end_their_row_alone(config: SamplerConfig) -> None:
    prepared = tiny_prepared(kind=Poisoned)
    mine = Asked(prepared, [row(1, label="math"), row(2)], config)
    other = Asked(prepared, [row(3, label="data")], config)
    run(Engine(prepared), mine, other)
    assert [fault.row for fault in mine.faults] == [0]
    assert mine.tokens() == []
    assert mine.tokens(1) == alone(prepared, row(2), config)
    assert other.tokens() == alone(prepared, row(3, label="data"), config)


def test_keys_that_are_no_numbers_leave_with_their_row() -> None:
    """A mask alone would not keep them from who takes the slot: 0 times NaN is NaN."""
    plain = tiny_backbone("llama, untied")
    embedding = plain.embedding.clone()
    embedding[95] = torch.nan
    prepared = PreparedPath(dataclasses.replace(plain, embedding=embedding), stirred_path(plain))
    engine, config = Engine(prepared, slots=2), SamplerConfig(0, max_new_tokens=3)
    poison = [Asked(prepared, [Row((*PROMPT, 95, 1, 2), 1)], config) for _ in range(2)]
    run(engine, *poison)
    assert all(one.faults and not one.tokens() for one in poison)
    unlike = [Asked(prepared, [Row(PROMPT[:n], n)], config) for n in (2, 6)]  # 2 takes their slot
    run(engine, *unlike)
    for one in unlike:
        assert one.tokens() == alone(prepared, one.request.rows[0], config)


def test_an_error_of_a_pass_is_heard_by_all_and_the_engine_goes_on() -> None:
    engine, watched = watched_engine()
    config = SamplerConfig(5, max_new_tokens=2)
    asked = [Asked(watched, [row(i)], config) for i in (1, 2)]
    for one in asked:
        engine.submit(one.request)
    engine.tick()
    engine.close(MemoryError("no room"))
    assert all(one.ended and isinstance(one.faults[0].error, MemoryError) for one in asked)
    assert not engine.busy
    later = Asked(watched, [row(3)], config)
    run(engine, later)
    assert later.tokens() == alone(watched, row(3), config)


def test_a_request_that_can_never_be_drawn_is_refused() -> None:
    engine, watched = watched_engine(slots=2)
    for rows, message in (
        ([], "at least one token"),
        ([row(prompt=())], "at least one token"),
        ([row()] * 3, "at most 2 rows a request, got 3"),
    ):
        with pytest.raises(ConfigError, match=message):
            engine.submit(Asked(watched, rows, CONFIGS[0]).request)
    assert not engine.busy


def waiting(level: int, rows: int = 1) -> Request:
    recipe = Recipe.of(tiny_prepared(), CONFIGS[0])
    return Request([row()] * rows, recipe, lambda _event: None, level=level)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 40)), min_size=2, max_size=12))
def test_higher_importance_goes_first_but_nothing_is_passed_by_for_ever(
    coming: list[tuple[int, int]],
) -> None:
    now = [0.0]
    line, came = Line(lambda: now[0]), {}
    for level, after in coming:
        now[0] += after
        request = waiting(level)
        came[request] = (now[0], level)
        line.push(request)
    order = list[Request]()
    while (next_one := line.pop(rows=1)) is not None:
        order.append(next_one)
    assert len(order) == len(coming)
    for i, first in enumerate(order):
        for later in order[i + 1 :]:
            (t, level), (s, other) = came[first], came[later]
            assert t <= s + HEAD_START * (level - other)  # a level is worth its head start, no more
            if (t, level) == (s, other):
                assert list(came).index(first) < list(came).index(later)


def test_a_large_request_is_not_passed_by_smaller_ones() -> None:
    line = Line(lambda: 0.0)
    large, small = waiting(1, rows=3), waiting(1)
    line.push(large)
    line.push(small)
    assert line.pop(rows=2) is None
    assert line.pop(rows=3) is large
    assert line.pop(rows=1) is small


@settings(deadline=None, max_examples=20)
@given(
    st.lists(st.tuples(st.integers(1, 3), st.integers(1, 2)), min_size=1, max_size=7),
    st.integers(0, 5),
)
def test_wait_is_told_to_the_token_where_answers_use_all_they_may(
    coming: list[tuple[int, int]], ticks: int
) -> None:
    prepared = tiny_prepared()
    engine = Engine(prepared, slots=2)
    for tokens, rows in coming:
        asked = Asked(prepared, [row_of(i, tokens) for i in range(rows)], CONFIGS[1])
        engine.submit(asked.request)
    for _ in range(ticks):
        engine.tick()
    engine._pace = 1.0
    told, mine = engine.wait(), Asked(prepared, [row()], CONFIGS[1])
    engine.submit(mine.request)
    waited = -1
    while not mine.request.work.prompt_tokens:
        engine.tick()
        waited += 1
    assert waited <= told <= waited + 3
    if not ticks:
        assert waited == told


def test_there_is_no_wait_where_there_is_room_and_a_shorter_one_for_the_important() -> None:
    engine, watched = watched_engine(slots=1)
    assert engine.wait() == 0.0
    for _ in range(3):
        engine.submit(Asked(watched, [row()], CONFIGS[1]).request)
    engine.tick()
    assert engine.wait(level=9) < engine.wait()
    assert engine.wait() > 0.0
