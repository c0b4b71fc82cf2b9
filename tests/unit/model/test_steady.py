"""A refinement whose guess stays as it is ends early, and comes to where it would have come."""

import dataclasses
from itertools import pairwise
from typing import Any

import pytest
import torch

from model.config import Method, SamplerConfig
from model.errors import ConfigError
from model.prepared import PreparedPath
from model.sampler import Sampler, Token
from model.writing import Recipe
from tests.tiny import (
    BATCH,
    PATH,
    Watched,
    draw,
    stirred_path,
    tiny_backbone,
    tiny_prepared,
    watched_sampler,
)

PLAIN: dict[str, Any] = {"max_nfe": 11, "method": "euler", "max_new_tokens": 6}


def generated(sampler: Sampler, **changes: Any) -> list[Token]:
    config = dataclasses.replace(SamplerConfig(**PLAIN), **changes)
    return list(sampler.generate(BATCH[:1], config))


def calm() -> Watched:
    """A path that hardly looks at its state, so that its guess never moves but at t=0."""
    backbone = tiny_backbone()
    path = stirred_path(backbone, PATH, scale=0.02)
    return Watched(backbone, path)


@pytest.mark.parametrize("guidance", [1.0, 2.0])
@pytest.mark.parametrize("method", ["euler", "midpoint", "rk4"])
def test_every_token_ends_at_its_first_run_of_equal_guesses(
    method: Method, guidance: float
) -> None:
    sampler, watched = watched_sampler()
    config = SamplerConfig(19, method, guidance=guidance, steady=2, max_new_tokens=6)
    tokens = list(sampler.generate(BATCH[:1], config))
    seen, whole = iter(watched.seen), Recipe.of(watched, config).grid.nfe
    for token in tokens:
        passes = 1 if guidance == 1.0 else 2  # but one for the read-out
        first = torch.full((1, passes), token.base_id)  # at t=0, which nobody evaluates
        guesses = [first, *(next(seen)[2].argmax(-1) for _ in range((token.nfe - 1) // passes))]
        next(seen)
        equal = [torch.equal(a, b) for a, b in pairwise(guesses)]
        assert not any(equal[:-1])
        assert equal[-1] or token.nfe == whole
    assert next(seen, None) is None
    assert min(token.nfe for token in tokens) < whole


def test_a_steady_guess_costs_its_proof_and_the_read_out() -> None:
    watched = calm()
    short = generated(Sampler(watched), steady=3)
    whole = generated(Sampler(watched))
    assert [token.id for token in short] == [token.id for token in whole]
    assert {token.nfe for token in short} <= {3, 4}  # at t=0 the guess is the LM's own
    assert {token.nfe for token in whole} == {11}


def test_the_read_out_stands_where_the_whole_path_would_have_ended() -> None:
    watched = calm()
    generated(Sampler(watched), steady=2, max_new_tokens=1)
    (_, early, _) = watched.seen[-1]
    watched.seen.clear()
    generated(Sampler(watched), max_new_tokens=1)
    (_, late, _) = watched.seen[-1]
    torch.testing.assert_close(early, late)


def test_steady_beyond_the_grid_changes_nothing() -> None:
    assert draw(*BATCH, **PLAIN, steady=99) == draw(*BATCH, **PLAIN)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"steady": 1}, "steady must be at least 2 evaluations, got 1"),
        ({"steady": 2, "estimate": "average"}, "steady needs the estimate argmax, got average"),
    ],
)
def test_what_cannot_be_steady_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        SamplerConfig(**changes)


def test_an_adaptive_method_ends_by_itself() -> None:
    prepared: PreparedPath = tiny_prepared()
    with pytest.raises(ConfigError, match="bosh3 ends by itself: leave steady out"):
        Recipe.of(prepared, SamplerConfig(9, "bosh3", steady=2))
