"""A passage that does not stand is written again, from where it began and within its bounds."""

import dataclasses
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.config import Choice, Gate, L2DConfig, SamplerConfig
from model.engine import Engine
from model.errors import ConfigError
from model.prepared import PreparedPath
from model.request import Fault, Request
from model.sampler import Row, Sampler, Token
from model.writing import Again, Check, Recipe
from tests.tiny import PATH, PROMPT, alone, row, tiny_prepared

CARRY = dataclasses.replace(PATH, carry=True)
LIMIT = 7
DRAWN = Choice(temperature=1.5)


def config(tries: int, nfe: int = 3, gate: Gate | None = None) -> SamplerConfig:
    return SamplerConfig(nfe, "euler", tries=tries, choice=DRAWN, gate=gate, max_new_tokens=LIMIT)


def every(length: int, divisor: int) -> Check:
    """Passages of so many tokens; one stands whose ids add up to a multiple."""

    def check(ids: Sequence[int], ended: bool) -> bool | None:
        if len(ids) % length and not ended:
            return None
        return sum(ids[-length:]) % divisor == 0

    return check


def never(ids: Sequence[int], ended: bool) -> bool | None:
    return False if ended or len(ids) % 2 == 0 else None


class Told:
    """A request, what was left of its tokens, and how many were drawn."""

    def __init__(self, prepared: PreparedPath, single: Row, settings: SamplerConfig) -> None:
        self.left, self.drawn, self.again = list[Token](), 0, 0
        self.request = Request([single], Recipe.of(prepared, settings), self._hear)

    def _hear(self, event: Token | Again | Fault | None) -> None:
        assert not isinstance(event, Fault), event.error
        if isinstance(event, Token):
            self.left.append(event)
            self.drawn += 1
        elif isinstance(event, Again):
            assert event.kept <= len(self.left)
            del self.left[event.kept :]
            self.drawn += 1  # the token that ended it was drawn and never told
            self.again += 1


def run(prepared: PreparedPath, *wanted: tuple[Row, SamplerConfig]) -> list[Told]:
    engine, told = Engine(prepared, slots=4), [Told(prepared, *one) for one in wanted]
    for one in told:
        engine.submit(one.request)
    while engine.busy:
        engine.tick()
    return told


def told_of(tokens: Sequence[Token]) -> list[tuple[int, int, int, bool]]:
    return [(token.id, token.base_id, token.nfe, token.last) for token in tokens]


@pytest.mark.parametrize("adapter", [PATH, CARRY], ids=["plain", "carry"])
@pytest.mark.parametrize("gate", [None, Gate(3.6, "entropy")], ids=["all", "gated"])
def test_a_row_written_again_among_others_is_what_it_is_alone(
    adapter: L2DConfig, gate: Gate | None
) -> None:
    prepared = tiny_prepared(config=adapter)
    wanted = [
        (
            dataclasses.replace(row(seed, PROMPT[: 2 + seed % 4], "math"), check=check),
            config(t, n, gate),
        )
        for seed, check, t, n in (
            (1, every(2, 3), 4, 3),
            (2, every(3, 2), 3, 1),
            (3, never, 5, 3),
            (4, None, 5, 4),
            (5, every(1, 4), 9, 2),
        )
    ]
    told = run(prepared, *wanted)
    assert sum(one.again for one in told) > 8
    for one, (single, settings) in zip(told, wanted, strict=True):
        assert told_of(one.left) == told_of(alone(prepared, single, settings))


@given(
    length=st.integers(1, 4),
    divisor=st.integers(1, 6),
    tries=st.integers(1, 6),
    seed=st.integers(0, 99),
)
def test_no_answer_takes_more_tokens_than_its_tries_and_every_one_counts(
    length: int, divisor: int, tries: int, seed: int
) -> None:
    single = dataclasses.replace(row(seed), check=every(length, divisor))
    (told,) = run(PREPARED, (single, config(tries)))
    assert told.drawn <= single.most(config(tries)) == tries * LIMIT
    assert told.request.work.nfe == 3 * told.drawn
    assert told.request.work.decode_tokens == told.drawn - told.again
    assert told.left[-1].last
    assert len(told.left) == LIMIT or told.left[-1].id in PREPARED.backbone.eos_ids


def test_a_passage_is_written_as_often_as_allowed_and_its_last_writing_stands() -> None:
    (told,) = run(PREPARED, (dataclasses.replace(row(3), check=never), config(2)))
    assert told.drawn <= 2 * LIMIT
    assert told.again == 3  # of three passages of two; the fourth is cut by the limit, not ended
    assert len(told.left) == LIMIT


@pytest.mark.parametrize("tries", [1, 4])
def test_what_stands_at_once_is_what_the_most_likely_tokens_say(tries: int) -> None:
    plain = SamplerConfig(3, "euler", max_new_tokens=LIMIT)
    single = dataclasses.replace(row(5), check=lambda *_: True)
    (checked, likely) = run(PREPARED, (single, config(tries)), (row(5), plain))
    assert told_of(checked.left) == told_of(likely.left)
    assert checked.again == 0


def test_no_writing_of_a_passage_is_made_twice() -> None:
    seen = list[tuple[int, ...]]()

    def check(ids: Sequence[int], _: bool) -> bool | None:
        if len(ids) < 3:
            return None
        seen.append(tuple(ids))
        return len(ids) > 3

    run(PREPARED, (dataclasses.replace(row(5), check=check), config(6)))
    assert len(set(seen[:6])) == 6


def test_tries_need_a_temperature_and_an_engine() -> None:
    with pytest.raises(ConfigError, match="would all be the same"):
        SamplerConfig(3, "euler", tries=2)
    with pytest.raises(ConfigError, match="at least 1"):
        SamplerConfig(3, "euler", tries=0)
    with pytest.raises(ConfigError, match="need an Engine"):
        next(Sampler(PREPARED).generate([row()], config(2)))


PREPARED = tiny_prepared()
