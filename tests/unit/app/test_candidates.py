"""Candidates share the reading of their prompt, equal answers drawn alone, and vote."""

import pytest
import torch

from app.candidates import Vote, candidates, vote
from model.config import Choice, SamplerConfig
from model.errors import ConfigError
from model.sampler import Sampler
from tests.tiny import BATCH, PROMPT, by_row, draw, reading, row


@pytest.mark.parametrize("choice", [Choice(), Choice(temperature=1.0)])
def test_candidates_equal_separate_runs_of_their_seeds(choice: Choice) -> None:
    rows = candidates(row(seed=7, label="math"), 4)
    together = by_row(draw(*rows, choice=choice, estimate="sample"))
    for i, single in enumerate(rows):
        assert together[i] == by_row(draw(single, choice=choice, estimate="sample"))[0]
    assert len({tuple(ids) for ids in together.values()}) > 1


def test_prompt_of_candidates_is_read_once() -> None:
    prepared, backbone = reading()
    rows = [*candidates(row(1), 3), *candidates(row(2, PROMPT[:2]), 2)]
    tokens = list(Sampler(prepared).generate(rows, SamplerConfig(max_nfe=3, max_new_tokens=3)))
    assert backbone.read == [(1, len(PROMPT)), (1, 2), (5, 1), (5, 1)]
    for i, single in enumerate(rows):
        assert by_row(tokens)[i] == by_row(draw(single, max_nfe=3, max_new_tokens=3))[0]


def test_different_prompts_are_each_read() -> None:
    prepared, backbone = reading()
    list(Sampler(prepared).generate(BATCH, SamplerConfig(max_nfe=0, max_new_tokens=1)))
    assert backbone.read == [(1, 6), (1, 2), (1, 9)]  # the last of the four repeats the first


def test_a_cache_that_was_shared_is_not_shared_in_writing() -> None:
    """Candidates part ways at their first token: each must see its own words only."""
    rows = candidates(row(3), 3)
    together = draw(*rows, choice=Choice(temperature=2.0), max_new_tokens=10)
    for i, single in enumerate(rows):
        alone = draw(single, choice=Choice(temperature=2.0), max_new_tokens=10)
        assert [t.base_id for t in together if t.row == i] == [t.base_id for t in alone]


def test_first_candidate_keeps_the_seed_and_seeds_differ() -> None:
    rows = candidates(row(seed=2**63 - 1), 50)
    assert rows[0] == row(seed=2**63 - 1)
    assert candidates(row(5), 1) == [row(5)]
    assert len({r.seed for r in rows}) == 50
    assert all(0 <= r.seed < 2**63 for r in rows)
    near = {r.seed for seed in range(50) for r in candidates(row(seed), 50)}
    assert len(near) == 2500  # questions of a suite have seeds side by side
    with pytest.raises(ConfigError, match="candidates must be at least 1, got 0"):
        candidates(row(), 0)


def read(text: str) -> str | None:
    return text or None


@pytest.mark.parametrize(
    ("texts", "winner", "votes"),
    [
        (["4"], 0, (1,)),
        (["5", "4", "4"], 1, (1, 2, 2)),
        (["5", "4", "4", "5"], 0, (2, 2, 2, 2)),
        (["7", "4", "5", "5", "4"], 1, (1, 2, 2, 2, 2)),
        (["", "", "9"], 2, (0, 0, 1)),
        (["", ""], 0, (0, 0)),
    ],
)
def test_majority_wins_and_ties_go_to_the_earliest(
    texts: list[str], winner: int, votes: tuple[int, ...]
) -> None:
    assert vote(texts, read) == Vote(winner, votes)


def test_answers_that_read_alike_vote_together() -> None:
    found = vote(["x = 4", "4.", "y = 5"], lambda text: "".join(filter(str.isdigit, text)))
    assert found == Vote(0, (2, 2, 1))


def test_votes_do_not_touch_the_generators() -> None:
    state = torch.get_rng_state()
    draw(*candidates(row(), 3), choice=Choice(temperature=1.0))
    assert torch.equal(torch.get_rng_state(), state)
