"""The token gate spends nothing where the base LM is sure, and the trace says what happened."""

import dataclasses

import pytest
import torch

from model.config import Choice, Gate, Method, SamplerConfig
from model.request import Hooks
from model.sampler import Token
from tests.tiny import BATCH, PROMPT, by_row, draw, row, tiny_lm, tiny_sampler, watched_sampler

NEVER_OPEN, ALWAYS_OPEN = Gate(1e9, "entropy"), Gate(0.0, "entropy")
HALF = Gate(3.6, "entropy")
"""Open at some places of BATCH and closed at others."""


def test_gate_that_never_opens_is_the_base_lm() -> None:
    for choice in (Choice(), Choice(temperature=1.0)):
        closed = draw(*BATCH, gate=NEVER_OPEN, choice=choice)
        assert by_row(closed) == by_row(draw(*BATCH, max_nfe=0, choice=choice))
        assert all(t.gated and t.nfe == 0 and not t.changed for t in closed)


def test_gate_that_is_always_open_is_no_gate() -> None:
    assert draw(*BATCH, gate=ALWAYS_OPEN) == draw(*BATCH)


@pytest.mark.parametrize("method", ["midpoint", "bosh3"])
def test_sure_places_keep_the_bases_word_and_cost_nothing(method: Method) -> None:
    tokens = draw(*BATCH, gate=HALF, trace=True, method=method, max_new_tokens=8)
    assert {t.gated for t in tokens} == {True, False}
    for t in tokens:
        assert t.entropy_before is not None
        assert t.gated == (t.entropy_before <= HALF.threshold) == (t.nfe == 0)
        if t.gated:
            assert t.id == t.base_id


@pytest.mark.parametrize("gate", [HALF, Gate(0.12)], ids=["entropy", "top"])
@pytest.mark.parametrize(("method", "guidance"), [("rk4", 1.0), ("euler", 2.0), ("bosh3", 1.0)])
def test_gated_someof_a_batch_equal_somealone(gate: Gate, method: Method, guidance: float) -> None:
    rows = (*BATCH[:3], row(4, PROMPT[::-1]), row(5, PROMPT[1:4], "data"))
    config = {"gate": gate, "method": method, "guidance": guidance, "max_nfe": 11}
    together = draw(*rows, max_new_tokens=6, **config)
    assert {t.gated for t in together} == {True, False}
    for i, single in enumerate(rows):
        alone = [dataclasses.replace(t, row=i) for t in draw(single, max_new_tokens=6, **config)]
        assert [t for t in together if t.row == i] == alone


def test_only_open_someare_evaluated() -> None:
    sampler, watched = watched_sampler()
    made = list[int]()
    config = SamplerConfig(max_nfe=7, gate=HALF, max_new_tokens=8)
    tokens = list(sampler.generate(BATCH, config, Hooks(after=made.append)))
    rows = watched.batches
    assert sum(rows) == sum(made) == sum(t.nfe for t in tokens) < 7 * len(tokens)
    assert len(set(rows)) > 1


def test_noise_of_a_token_does_not_depend_on_gates_before_it() -> None:
    free, gated = watched_sampler(), watched_sampler()
    list(free[0].generate([row()], SamplerConfig(3, max_new_tokens=8)))
    config = SamplerConfig(3, max_new_tokens=8, gate=HALF)
    tokens = list(gated[0].generate([row()], config))
    assert 0 < sum(t.gated for t in tokens) < 8
    assert all(map(torch.equal, free[1].noises, gated[1].noises))
    assert len(free[1].noises) == len(gated[1].noises) == 8


def test_trace_gives_the_entropies_of_base_and_read_out() -> None:
    sampler, watched = watched_sampler()
    config = SamplerConfig(max_nfe=7, max_new_tokens=4, trace=True)
    tokens = list(sampler.generate([row()], config))
    outs = [logits[0, 0] for t, _, logits in watched.seen if t == 1.0]
    ids = list(PROMPT)
    for token, out in zip(tokens, outs, strict=True):
        base = tiny_lm()(torch.tensor([ids])).logits[0, -1]
        before, after = (torch.distributions.Categorical(logits=x).entropy() for x in (base, out))
        assert token.entropy_before == pytest.approx(float(before), abs=1e-4)
        assert token.entropy_after == pytest.approx(float(after), abs=1e-4)
        assert token.changed == (token.id != token.base_id)
        ids.append(token.id)


def untraced(tokens: list[Token]) -> list[Token]:
    return [dataclasses.replace(t, entropy_before=None, entropy_after=None) for t in tokens]


def test_trace_is_made_on_request_only_and_changes_nothing() -> None:
    plain, traced = draw(*BATCH, gate=HALF), draw(*BATCH, gate=HALF, trace=True)
    assert untraced(plain) == plain == untraced(traced) != traced
    for t in traced:
        assert (t.entropy_before == t.entropy_after) == t.gated


def test_base_alone_is_not_gated_but_traced() -> None:
    config = SamplerConfig(max_nfe=0, gate=HALF, trace=True, max_new_tokens=3)
    for t in tiny_sampler().generate([row()], config):
        assert not t.gated
        assert t.entropy_before == t.entropy_after is not None
