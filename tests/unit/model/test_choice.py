"""Choosing a token: filters keep what they say, draws follow chances and a seed of their own."""

import dataclasses
from itertools import pairwise
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from model.choice import Logits, choose, stop_at, sure
from model.config import Choice, Estimate, Gate, SamplerConfig, Schedule
from model.path import velocity
from tests.tiny import BATCH, PROMPT, VOCAB, by_row, draw, row, tiny_lm, watched_sampler

LOGITS = torch.tensor([[0.5, 0.3, 0.15, 0.05]]).log()


def drawn(choice: Choice, times: int = 4000, logits: torch.Tensor = LOGITS) -> torch.Tensor:
    """Shares (V,) of the ids over many draws of one generator."""
    generator = torch.Generator().manual_seed(5)
    ids = choose(Logits(logits.expand(times, 1, -1)), choice, [[]] * times, [generator] * times)
    return torch.bincount(ids, minlength=logits.shape[-1]) / times


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (Choice(), [1, 0, 0, 0]),
        (Choice(temperature=1.0), [0.5, 0.3, 0.15, 0.05]),
        (Choice(temperature=0.5), [0.6849, 0.2466, 0.0616, 0.0068]),
        (Choice(temperature=1.0, top_k=1), [1, 0, 0, 0]),
        (Choice(temperature=1.0, top_k=2), [0.625, 0.375, 0, 0]),
        (Choice(temperature=1.0, top_k=99), [0.5, 0.3, 0.15, 0.05]),
        (Choice(temperature=1.0, top_p=0.01), [1, 0, 0, 0]),
        (Choice(temperature=1.0, top_p=0.79), [0.625, 0.375, 0, 0]),
        (Choice(temperature=1.0, top_p=0.81), [0.5263, 0.3158, 0.1579, 0]),
        (Choice(temperature=1.0, top_p=0.9, top_k=2), [0.625, 0.375, 0, 0]),
    ],
)
def test_draws_follow_the_filtered_distribution(choice: Choice, expected: list[float]) -> None:
    """Bound: four standard deviations of 4000 draws. What a filter excludes is never drawn."""
    shares = drawn(choice)
    assert (shares - torch.tensor(expected)).abs().max() < 4 * 0.5 / 4000**0.5
    assert torch.equal(shares > 0, torch.tensor(expected) > 0)


def test_order_of_the_vocabulary_does_not_matter_to_filters() -> None:
    shares = drawn(Choice(temperature=1.0, top_k=2), logits=LOGITS.flip(-1))
    assert shares[:2].sum() == 0
    assert shares[3] > shares[2] > 0


def test_repetition_penalty_divides_positive_and_multiplies_negative_logits() -> None:
    logits = Logits(torch.tensor([[[2.0, 1.5, -1.0, -1.5]]]))
    kept, last = logits.values.clone(), Logits(logits.values[..., 2:])
    greedy = Choice(repetition_penalty=2.0)
    assert choose(logits, greedy, [[]], []).tolist() == [0]
    assert choose(logits, greedy, [[0, 0]], []).tolist() == [1]  # 2.0 / 2 once, not twice
    assert choose(last, greedy, [[0]], []).tolist() == [1]  # -1.0 * 2 is below -1.5
    assert torch.equal(logits.values, kept)


def test_repetition_penalty_is_on_the_answer_and_not_on_the_prompt() -> None:
    """A heavy one makes all tokens of an answer differ; what the question says may be said."""
    asked, heavy = row(prompt=range(VOCAB - 6)), Choice(repetition_penalty=1e6)
    plain, varied = (
        [t.id for t in draw(asked, max_new_tokens=12, max_nfe=0, choice=c)]
        for c in (Choice(), heavy)
    )
    assert len(set(plain)) < 12 == len(set(varied))
    assert plain[0] == varied[0] in asked.prompt


@pytest.mark.parametrize("choice", [Choice(temperature=1.5), Choice(1.0, 5, 0.9, 1.3)])
def test_drawn_rows_of_a_batch_equal_rows_alone_and_repeat(choice: Choice) -> None:
    together = by_row(draw(*BATCH, choice=choice))
    assert together == by_row(draw(*BATCH, choice=choice))
    for i, single in enumerate(BATCH):
        assert together[i] == by_row(draw(single, choice=choice))[0]


def test_choice_follows_the_seed() -> None:
    answers = {tuple(by_row(draw(row(s), max_nfe=0, choice=Choice(2.0)))[0]) for s in range(6)}
    assert len(answers) == 6  # the base alone has no noise: only choices differ


@pytest.mark.parametrize(
    "changes",
    [{"choice": Choice(temperature=3.0)}, {"estimate": "sample"}, {"estimate": "average"}],
    ids=["choice", "sampled estimate", "averaged estimate"],
)
def test_noise_is_the_same_whatever_else_is_drawn(changes: dict[str, Any]) -> None:
    noises = []
    for extra in ({}, changes):
        sampler, watched = watched_sampler()
        list(sampler.generate([row()], SamplerConfig(5, max_new_tokens=4, **extra)))
        noises.append(watched.noises)
    assert all(torch.equal(a, b) for a, b in zip(*noises, strict=True))


def ranks(max_nfe: int, estimate: Estimate) -> list[int]:
    """Which of the tokens, by falling logit, was drawn: with equal chances the draws themselves."""
    sampler, watched = watched_sampler()
    config = SamplerConfig(
        max_nfe, estimate=estimate, choice=Choice(temperature=1e9), max_new_tokens=8
    )
    ids = [token.id for token in sampler.generate([row(seed=7)], config)]
    outs = [logits[0, 0] for t, _, logits in watched.seen if t == 1.0]
    return [int((out > out[id_]).sum()) for id_, out in zip(ids, outs, strict=True)]


def test_choices_are_the_same_at_any_budget_and_apart_from_the_other_draws() -> None:
    found = ranks(3, "argmax")
    assert found == ranks(9, "argmax") == ranks(9, "sample")
    generator = torch.Generator().manual_seed(7)  # what the noise is drawn from
    alike = torch.rand(8, dtype=torch.float64, generator=generator) * VOCAB
    assert found != alike.long().tolist()


@settings(deadline=None)
@given(st.integers(1, 200))
def test_entropy_of_equal_chances_is_the_log_of_their_number(n: int) -> None:
    found = Logits(torch.zeros(2, n)).entropy
    torch.testing.assert_close(found, torch.tensor([float(n)] * 2).log(), atol=1e-5, rtol=0)


def test_sureness_is_by_entropy_or_by_the_first_choice() -> None:
    chances = [[[[0.9, 0.1]]], [[[0.6, 0.4]]]]  # 0.33 and 0.67 nats
    both = [Logits(torch.tensor(each).log()) for each in chances]
    assert [sure(logits, Gate(0.8)) for logits in both] == [True, False]
    assert [sure(logits, Gate(0.5)) for logits in both] == [True, True]
    assert [sure(logits, Gate(0.5, "entropy")) for logits in both] == [True, False]
    assert [sure(logits, Gate(0.0, "entropy")) for logits in both] == [False, False]


def test_text_stops_an_answer_however_it_is_cut_into_tokens() -> None:
    pieces = ["The ", "an", "sw", "er", " is", " 4"]

    def decode(ids: list[int]) -> str:
        return "".join(pieces[i] for i in ids)

    stop = stop_at(("answer is", "###"), decode)
    assert [stop(range(n)) for n in range(7)] == [False] * 5 + [True] * 2
    assert not stop_at((), decode)(range(6))


def test_row_ends_with_the_token_its_own_stop_names() -> None:
    free = by_row(draw(*BATCH[:2], max_new_tokens=6))
    halted = dataclasses.replace(BATCH[0], stop=lambda ids: len(ids) == 3)
    tokens = draw(halted, BATCH[1], max_new_tokens=6)
    assert by_row(tokens) == {0: free[0][:3], 1: free[1]}
    assert [t.last for t in tokens if t.row == 0] == [False, False, True]


@pytest.mark.parametrize(("schedule", "middle"), [("linear", 1.25), ("geometric", 1.0)])
def test_temperature_goes_from_one_end_to_the_other(schedule: Schedule, middle: float) -> None:
    config = SamplerConfig(temperature=2.0, temperature_end=0.5, schedule=schedule)
    found = [config.temperature_at(t) for t in (0.0, 0.5, 1.0)]
    assert found == pytest.approx([2.0, middle, 0.5])
    flat = SamplerConfig(temperature=2.0, schedule=schedule)
    assert [flat.temperature_at(t) for t in (0.0, 0.7, 1.0)] == [2.0] * 3


def test_estimates_use_the_temperature_of_their_time() -> None:
    sampler, watched = watched_sampler()
    config = SamplerConfig(
        3, "euler", max_new_tokens=1, estimate="average", temperature=3.0, temperature_end=0.2
    )
    list(sampler.generate([row()], config))
    (third, first, _), *_ = watched.seen
    base = tiny_lm()(torch.tensor([PROMPT])).logits[0, -1:]
    x_1_hat = ((base / 3.0).softmax(-1) @ watched.table).double()
    torch.testing.assert_close(first, (1 - third) * watched.noises[0] + third * x_1_hat[None])
    for (t, x, logits), (then, later, _) in pairwise(watched.seen):
        x_1_hat = ((logits / config.temperature_at(t)).softmax(-1) @ watched.table).double()
        torch.testing.assert_close(later, x + (then - t) * velocity(x_1_hat, x, t))
    assert third == pytest.approx(1 / 3)
