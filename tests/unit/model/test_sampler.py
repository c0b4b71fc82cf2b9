"""Drawing answers: reproducible, paired by seed, and the same alone or in a batch."""

import dataclasses

import pytest
import torch

from model.config import Estimate, Method, SamplerConfig
from model.errors import ConfigError
from model.prepared import PreparedPath
from model.sampler import Row, Sampler
from tests.tiny import (
    BATCH,
    PATH,
    PROMPT,
    by_row,
    draw,
    row,
    stirred_path,
    tiny_backbone,
    tiny_lm,
    watched_sampler,
)

SPENT: list[tuple[Method, int, float]] = [
    ("euler", 2, 1.0),
    ("euler", 9, 2.0),
    ("midpoint", 31, 1.0),
    ("bosh3", 12, 1.0),
]


def test_without_evaluations_it_is_greedy_transformers() -> None:
    tokens = draw(row(), max_nfe=0, max_new_tokens=6)
    ids = torch.tensor([PROMPT])
    for token in tokens:
        expected = int(tiny_lm()(ids).logits[0, -1].argmax())
        assert (token.id, token.base_id, token.nfe) == (expected, expected, 0)
        ids = torch.cat((ids, torch.tensor([[expected]])), dim=1)


def test_base_id_is_the_lms_own_choice_behind_what_was_drawn() -> None:
    ids = torch.tensor([PROMPT])
    tokens = draw(row(), max_nfe=15, max_new_tokens=6)
    for token in tokens:
        assert token.base_id == int(tiny_lm()(ids).logits[0, -1].argmax())
        ids = torch.cat((ids, torch.tensor([[token.id]])), dim=1)
    assert any(token.id != token.base_id for token in tokens)


@pytest.mark.parametrize("estimate", ["argmax", "average", "sample"])
def test_same_seed_same_tokens(estimate: Estimate) -> None:
    assert draw(row(seed=7), estimate=estimate) == draw(row(seed=7), estimate=estimate)


def test_other_seed_other_noise() -> None:
    sampler, watched = watched_sampler()
    for seed in (7, 8):
        list(sampler.generate([row(seed)], SamplerConfig(max_nfe=3, max_new_tokens=1)))
    first, second = watched.noises
    assert not torch.equal(first, second)
    assert first.std() / PATH.noise_scale == pytest.approx(1.0, abs=0.6)


@pytest.mark.parametrize("estimate", ["argmax", "sample"])
def test_noise_is_paired_across_budgets_methods_and_guidance(estimate: Estimate) -> None:
    """Token n of a seed starts from the same x_0 whatever is spent: budgets compare in pairs."""
    sampler, watched = watched_sampler()
    runs = []
    for method, max_nfe, guidance in SPENT:
        watched.noises.clear()
        config = SamplerConfig(max_nfe, method, None, guidance=guidance, estimate=estimate)
        three = dataclasses.replace(config, max_new_tokens=3)
        assert len(list(sampler.generate([row(label="math")], three))) == 3
        runs.append(list(watched.noises))
    for other in runs[1:]:
        assert all(torch.equal(a, b) for a, b in zip(runs[0], other, strict=True))


def test_caller_may_use_the_global_generator() -> None:
    torch.manual_seed(0)
    first = draw(row(), estimate="sample")
    torch.manual_seed(1)
    state = torch.get_rng_state()
    assert draw(row(), estimate="sample") == first
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("estimate", ["argmax", "average", "sample"])
@pytest.mark.parametrize(
    ("method", "guidance"), [("euler", 1.0), ("midpoint", 1.0), ("midpoint", 2.0)]
)
def test_rows_of_a_batch_equal_rows_alone(
    method: Method, guidance: float, estimate: Estimate
) -> None:
    config = {"method": method, "guidance": guidance, "estimate": estimate, "max_nfe": 9}
    together = draw(*BATCH, **config)
    for i, single in enumerate(BATCH):
        alone = draw(single, **config)
        assert [(t.id, t.base_id, t.nfe, t.last) for t in together if t.row == i] == [
            (t.id, t.base_id, t.nfe, t.last) for t in alone
        ]


def test_rows_of_other_lengths_hardly_change_the_logits() -> None:
    sampler, watched = watched_sampler()
    config = SamplerConfig(max_nfe=7, max_new_tokens=1)
    rows = BATCH[:3]
    list(sampler.generate(rows, config))
    together = [logits for _, _, logits in watched.seen]
    for i, single in enumerate(rows):
        watched.seen.clear()
        list(sampler.generate([single], config))
        for ours, (_, _, alone) in zip(together[i::3], watched.seen, strict=True):
            torch.testing.assert_close(ours, alone, atol=1e-4, rtol=1e-4)


def test_row_that_ends_early_leaves_the_others_as_they_are() -> None:
    short = Row(PROMPT, seed=5, max_new_tokens=1)
    mixed = by_row(draw(BATCH[0], short, *BATCH[1:3]))
    assert [len(mixed[i]) for i in range(4)] == [4, 1, 4, 4]
    for place, single in ((0, BATCH[0]), (2, BATCH[1]), (3, BATCH[2])):
        assert mixed[place] == by_row(draw(single))[0]


def test_row_stops_at_the_end_mark_and_says_so() -> None:
    first = draw(row(), max_new_tokens=6)
    end = first[2].id
    backbone = dataclasses.replace(tiny_backbone(), eos_ids=frozenset({end}))
    sampler = Sampler(PreparedPath(backbone, stirred_path(backbone)))
    tokens = list(sampler.generate([row()], SamplerConfig(max_nfe=7, max_new_tokens=6)))
    until = next(i for i, t in enumerate(first) if t.id == end)
    assert [t.id for t in tokens] == [t.id for t in first[: until + 1]]
    assert [t.last for t in tokens] == [False] * until + [True]


def test_empty_batch_and_empty_prompt_are_refused() -> None:
    for rows in ([], [row(prompt=())], [row(), row(prompt=())]):
        with pytest.raises(ConfigError, match="at least one token"):
            draw(*rows)
