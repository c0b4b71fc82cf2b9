"""The laws of the method for every family and in both precisions, held against transformers.

In bfloat16 nobody computes exactly. The truth is what transformers computes in float32 from the
same weights; we may be as far from it as twice what transformers itself is in bfloat16.
"""

import copy
import dataclasses
import functools
from typing import Any

import pytest
import torch
from torch import Tensor

from model.backbone import causal_mask
from model.config import L2DConfig, SamplerConfig, Start
from model.l2d import FlowPath
from model.prepared import PreparedPath
from model.sampler import Sampler
from tests.tiny import (
    CLASSES,
    FAMILIES,
    PATH,
    PROMPT,
    WINDOW,
    by_row,
    last_place,
    random_state,
    read_prompts,
    row,
    tiny_backbone,
    tiny_lm,
    tiny_prepared,
)

LONG = (*PROMPT, 9, 1, 77, 54)
"""More than three windows."""
NO_CLASS = torch.tensor([[len(CLASSES)]])
EXACT = torch.float32
WINDOWED = ("mistral, window", "smollm3, window")
"""Those with a window in every layer: what is out of reach of all of them is out of reach."""

every_family = pytest.mark.parametrize("name", FAMILIES)
both_precisions = pytest.mark.parametrize(
    "dtype", [torch.float32, torch.bfloat16], ids=["float32", "bfloat16"]
)


@functools.cache
def truth(name: str, dtype: torch.dtype, ids: tuple[int, ...]) -> tuple[Tensor, float]:
    """Logits (S, V) in float32 of the weights as they are in `dtype`, and the distance allowed."""
    lm, batch = tiny_lm(name, dtype), torch.tensor([ids])
    logits = copy.deepcopy(lm).float()(batch).logits[0]
    off = float((lm(batch).logits[0].float() - logits).abs().max())
    assert off < 0.05 * float(logits.abs().max())  # else nothing would be held against anything
    return logits, 2e-5 + 2 * off


def assert_true(ours: Tensor, name: str, ids: tuple[int, ...]) -> None:
    """`ours` (..., S', V) are the logits of the last S' places of the text."""
    logits, allowed = truth(name, ours.dtype, ids)
    off = (ours.float() - logits[-ours.shape[-2] :]).abs().max()
    assert float(off) <= allowed


def close(ours: Tensor, theirs: Tensor) -> None:
    """Two of our own ways to the same logits: equal up to the order of sums."""
    most = float(theirs.abs().max())
    allowed = 1e-4 if ours.dtype == EXACT else 0.05 * most
    assert float((ours.float() - theirs.float()).abs().max()) <= allowed


def born(name: str, dtype: torch.dtype, start: Start) -> PreparedPath:
    """An untrained path: every B is zero."""
    backbone = tiny_backbone(name, dtype)
    torch.manual_seed(2)
    config: L2DConfig = dataclasses.replace(PATH, start=start)
    return PreparedPath(backbone, FlowPath(config, backbone).requires_grad_(False))


@every_family
@both_precisions
def test_lm_is_the_one_of_transformers(name: str, dtype: torch.dtype) -> None:
    backbone = tiny_backbone(name, dtype)
    logits = backbone.logits(read_prompts(backbone, torch.tensor([LONG]))[0])
    assert logits.dtype == dtype
    assert_true(logits, name, LONG)
    assert logits.float().std() > 1.0  # a model that says nothing would pass anything


@every_family
@both_precisions
def test_at_time_zero_any_path_says_what_transformers_says(name: str, dtype: torch.dtype) -> None:
    prepared = tiny_prepared(name, dtype=dtype)
    place = last_place(prepared.backbone, LONG)
    for label in range(len(CLASSES) + 1):
        logits = prepared.evaluate(random_state(), 0.0, torch.tensor([[label]]), place)
        assert torch.equal(logits, prepared.backbone.logits(place.hidden))
        assert_true(logits, name, LONG)
    later = prepared.evaluate(random_state(), 0.5, NO_CLASS, place)
    assert (later.float() - truth(name, dtype, LONG)[0][-1]).abs().max() > 1.0


@every_family
@both_precisions
@pytest.mark.parametrize("start", ["noise", "token"])
def test_untrained_path_is_the_lm_at_any_time(name: str, dtype: torch.dtype, start: Start) -> None:
    """From the token, the path's own queries, windows and rotations must repeat the LM's."""
    prepared = born(name, dtype, start)
    place = last_place(prepared.backbone, LONG)
    for t in (0.0, 0.4, 1.0):
        assert_true(prepared.evaluate(random_state(), t, NO_CLASS, place), name, LONG)


@every_family
@both_precisions
def test_untrained_path_draws_what_transformers_generates(name: str, dtype: torch.dtype) -> None:
    config = SamplerConfig(max_nfe=3, max_new_tokens=6)
    drawn = by_row(list(Sampler(born(name, dtype, "noise")).generate([row()], config)))[0]
    asked = {"do_sample": False, "max_new_tokens": 6}
    lm: Any = tiny_lm(name, dtype)
    theirs = lm.generate(torch.tensor([PROMPT]), **asked)[0, len(PROMPT) :]
    if dtype == EXACT:
        assert drawn == theirs.tolist()
    logits, allowed = truth(name, dtype, (*PROMPT, *drawn))
    for chances, token in zip(logits[len(PROMPT) - 1 :], drawn, strict=False):
        # rounding may decide between two tokens that are as good as each other, no more
        assert chances[token] >= chances.max() - 2 * allowed


@every_family
@both_precisions
def test_cached_token_by_token_equals_all_at_once(name: str, dtype: torch.dtype) -> None:
    prepared, ids = tiny_prepared(name, dtype=dtype), torch.tensor([LONG])
    backbone, whole = prepared.backbone, last_place(prepared.backbone, LONG)
    cache, hidden = backbone.new_cache(1, len(LONG)), []
    for i in range(len(LONG)):
        hidden.append(backbone.forward(ids[:, i : i + 1], cache, torch.tensor([[i]]), None))
    assert_true(backbone.logits(torch.cat(hidden, dim=1)), name, LONG)
    assert cache.length == whole.cache.length
    stepped = dataclasses.replace(whole, cache=cache, hidden=hidden[-1])
    ours, theirs = (prepared.evaluate(random_state(), 0.6, NO_CLASS, c) for c in (stepped, whole))
    close(ours, theirs)


@every_family
@both_precisions
def test_left_padding_changes_neither_lm_nor_path(name: str, dtype: torch.dtype) -> None:
    prepared, pad = tiny_prepared(name, dtype=dtype), 4
    backbone, alone = prepared.backbone, last_place(prepared.backbone, LONG)
    ids = torch.tensor([(11,) * pad + LONG])
    valid = torch.arange(ids.shape[1])[None] >= pad
    positions = (valid.cumsum(-1) - 1).clamp(min=0)
    cache = backbone.new_cache(1, ids.shape[1])
    hidden = backbone.forward(ids, cache, positions, causal_mask(valid))
    assert hidden.isfinite().all()  # padding too: no softmax over nothing
    assert_true(backbone.logits(hidden[:, pad:]), name, LONG)
    mask = valid[:, None, None]
    padded = dataclasses.replace(alone, cache=cache, hidden=hidden[:, -1:], mask=mask)
    ours, theirs = (prepared.evaluate(random_state(), 0.6, NO_CLASS, c) for c in (padded, alone))
    close(ours, theirs)


@pytest.mark.parametrize("name", WINDOWED)
@both_precisions
def test_token_out_of_reach_of_every_window_changes_nothing(name: str, dtype: torch.dtype) -> None:
    prepared = tiny_prepared(name, dtype=dtype)
    reach = (WINDOW - 1) * prepared.backbone.shape.layers

    def said(text: tuple[int, ...]) -> tuple[Tensor, Tensor]:
        place = last_place(prepared.backbone, text)
        refined = prepared.evaluate(random_state(), 0.6, NO_CLASS, place)
        return prepared.backbone.logits(place.hidden), refined

    def changed(back: int) -> tuple[int, ...]:
        return tuple(80 if i == len(LONG) - 1 - back else x for i, x in enumerate(LONG))

    for before, out, within in zip(
        said(LONG), said(changed(reach + 1)), said(changed(reach)), strict=True
    ):
        assert torch.equal(before, out)
        assert not torch.equal(before, within)
