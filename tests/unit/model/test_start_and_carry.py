"""Laws of the two ways beyond the paper in which an evaluation may begin: token, and carry."""

import dataclasses
import itertools

import pytest
import torch

from model.config import L2DConfig, Modulation, SamplerConfig
from model.l2d import FlowPath, refine
from model.prepared import PreparedPath
from model.refinement import Refinement
from model.sampler import Row, Sampler
from model.solvers import Grid
from tests.tiny import (
    CLASSES,
    FAMILIES,
    PATH,
    PROMPT,
    last_place,
    random_state,
    tiny_backbone,
    tiny_prepared,
)

TOKEN = dataclasses.replace(PATH, start="token")
CARRY = dataclasses.replace(PATH, start="token", carry=True)
NO_CLASS = torch.tensor([[len(CLASSES)]])


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("modulation", ["shared", "per_layer"])
def test_path_from_the_token_repeats_the_lm_at_birth_at_any_time(
    name: str, modulation: Modulation
) -> None:
    backbone = tiny_backbone(name)
    config = dataclasses.replace(CARRY, modulation=modulation)
    prepared = PreparedPath(backbone, FlowPath(config, backbone))
    place = last_place(backbone, PROMPT)
    for t in (0.0, 0.3, 1.0):
        logits = prepared.evaluate(random_state(), t, NO_CLASS, place)
        torch.testing.assert_close(logits, backbone.logits(place.hidden), atol=2e-5, rtol=1e-5)


def test_path_from_the_token_learns_from_its_first_step() -> None:
    """Its LoRA pairs get a gradient at birth; those of a path that does nothing yet do not."""
    backbone = tiny_backbone()
    for config, moves in ((TOKEN, True), (PATH, False)):
        path = FlowPath(config, backbone)
        place = last_place(backbone, PROMPT)
        mods = path.modulations(backbone, torch.full((1, 1), 0.5), NO_CLASS)
        hidden = refine(backbone, path.layers(backbone), path, random_state(), mods, place)
        backbone.logits(hidden)[0, 0, 7].backward()
        grads = [weight.grad for name, weight in path.named_parameters() if name.endswith(".B")]
        assert any(g is not None and bool(g.abs().sum() > 0) for g in grads) is moves


@pytest.mark.parametrize("config", [TOKEN, CARRY])
def test_at_time_zero_it_is_the_lm_bit_for_bit(config: L2DConfig) -> None:
    prepared = tiny_prepared(config=config)
    place = last_place(prepared.backbone, PROMPT)
    carried = dataclasses.replace(place, carried=torch.randn_like(place.hidden))
    logits = prepared.evaluate(random_state(), 0.0, NO_CLASS, carried)
    assert torch.equal(logits, prepared.backbone.logits(place.hidden))


def test_first_evaluation_carries_what_the_lm_came_to() -> None:
    prepared = tiny_prepared(config=CARRY)
    place = last_place(prepared.backbone, PROMPT)
    named = dataclasses.replace(place, carried=place.hidden)
    other = dataclasses.replace(place, carried=place.hidden.flip(-1))
    first = prepared.evaluate(random_state(), 0.5, NO_CLASS, place)
    assert torch.equal(first, prepared.evaluate(random_state(), 0.5, NO_CLASS, named))
    assert not torch.equal(first, prepared.evaluate(random_state(), 0.5, NO_CLASS, other))


@pytest.mark.parametrize("guidance", [1.0, 2.0])
def test_every_evaluation_is_handed_the_state_of_the_one_before(guidance: float) -> None:
    """Also when guided: the half with the class and the half without each keep their own."""
    prepared, seen = tiny_prepared(config=CARRY), []

    class Watched(PreparedPath):
        def hidden(self, x_t, t, labels, context):  # type: ignore[no-untyped-def]
            out = super().hidden(x_t, t, labels, context)
            seen.append((context.carried, out))
            return out

    watched = Watched(prepared.backbone, prepared.path)
    place = last_place(prepared.backbone, PROMPT)
    passes = 1 if guidance == 1.0 else 2
    config = SamplerConfig(max_nfe=20, guidance=guidance)
    work = Refinement(watched, torch.tensor([[0]]), config)
    work.run(Grid("euler", 5, passes), random_state(), place)
    assert seen[0][0] is None
    for (_, before), (carried, out) in itertools.pairwise(seen):
        assert torch.equal(carried, before[:, : out.shape[1]])


def test_rows_of_a_batch_do_not_see_what_others_carry() -> None:
    sampler = Sampler(tiny_prepared(config=CARRY))
    config = SamplerConfig(max_nfe=5, method="euler", max_new_tokens=6)
    rows = [Row(PROMPT, 1, "math"), Row(PROMPT[:3], 2, None), Row(PROMPT[1:], 3, "data")]

    def ids(these: list[Row]) -> list[list[int]]:
        out: list[list[int]] = [[] for _ in these]
        for token in sampler.generate(these, config):
            out[token.row].append(token.id)
        return out

    assert ids(rows) == [ids([row])[0] for row in rows]
