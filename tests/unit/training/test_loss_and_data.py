"""What training draws: the right targets and times, no global randomness, no other examples."""

import itertools
from dataclasses import replace

import pytest
import torch
from torch.nn.functional import cross_entropy

from model.backbone import Backbone
from model.config import L2DConfig
from model.l2d import FlowPath
from tests.tiny import PATH, Letters, stirred_path, tiny_backbone
from training.data import Example, Row, Spelling, collate, steps
from training.loss import Draws, Objective, read

OWN = replace(PATH, start="token", carry=True, reading="own")
ROWS = [([5, 6, 7], [8, 9], 0), ([5], [10, 11, 12], 2)]
"""Prompt, answer, class row."""


def rows(*examples: tuple[list[int], list[int], int]) -> list[Row]:
    """The rows of a step."""
    return [
        Row(prompt + answer, list(range(len(prompt) - 1, len(prompt + answer) - 1)), label)
        for prompt, answer, label in examples
    ]


def objective(
    draws: Draws, seed: int = 0, path: FlowPath | None = None, backbone: Backbone | None = None
) -> Objective:
    backbone = backbone or tiny_backbone()
    generator = torch.Generator().manual_seed(seed)
    return Objective(backbone, path or stirred_path(backbone), draws, generator)


def test_each_position_stands_before_its_target() -> None:
    batch = collate(rows(*ROWS))
    assert batch.tokens == 5
    for i, (prompt, answer, label) in enumerate(ROWS):
        text = prompt + answer
        assert batch.ids[i, : len(text)].tolist() == text
        assert batch.labels[i][batch.valid[i]].unique().tolist() == [label]
        for position, target, valid in zip(
            batch.positions[i].tolist(),
            batch.targets[i].tolist(),
            batch.valid[i].tolist(),
            strict=True,
        ):
            assert not valid or text[position + 1] == target
    assert [int(v.sum()) for v in batch.valid] == [2, 3]


EXAMPLES = [Example("ab"[: 1 + i % 2], "abcdef"[: 1 + i % 6], "math") for i in range(300)]
SPELLING = Spelling(Letters(), PATH.classes)


def test_steps_are_the_same_every_time_and_lose_no_example() -> None:
    first, again, other = (list(steps(EXAMPLES, SPELLING, 4, seed)) for seed in (1, 1, 2))
    assert first == again != other
    assert sum(len(rows) for rows in first) == len(EXAMPLES)
    assert sum(collate(rows).tokens for rows in first) == sum(len(x.response) + 1 for x in EXAMPLES)


@pytest.mark.parametrize("skip", [1, 31, 32, 33, 74, 75, 80])
def test_steps_skipped_are_the_first_ones(skip: int) -> None:
    """300 examples are 75 steps of 4, in pools of 32, 32 and 11."""
    whole = list(steps(EXAMPLES, SPELLING, 4, 1))
    assert list(steps(EXAMPLES, SPELLING, 4, 1, skip)) == whole[skip:]


def test_skipped_pools_are_never_spelled() -> None:
    class Deaf(Letters):
        def answer(self, text: str) -> list[int]:
            raise AssertionError(text)

    assert list(steps(EXAMPLES, Spelling(Deaf()), 4, 1, 75)) == []


def test_example_of_an_unknown_class_is_of_no_class() -> None:
    labels = [SPELLING.row(Example("a", "b", label)).label for label in ("data", "law", None)]
    assert labels == [1, 2, 2]


def test_every_response_of_a_conversation_is_learned_and_nothing_else() -> None:
    spell = Letters().spelled
    row = SPELLING.row(Example("ef", "g", earlier=(("ab", "cd"),), system="s"))
    assert row.ids == [*spell("sab"), 1, *spell("cd"), 2, 0, *spell("ef"), 1, *spell("g"), 2]
    assert [row.ids[i + 1] for i in row.at] == [*spell("cd"), 2, *spell("g"), 2]


@pytest.mark.parametrize("limit", [2, 3, 5, 8])
def test_a_long_example_loses_its_beginning_and_keeps_its_last_words(limit: int) -> None:
    example = Example("abc", "def", earlier=(("a", "b"),))
    whole = SPELLING.row(example)
    row = Spelling(Letters(), PATH.classes, limit).row(example)
    assert row.ids == whole.ids[-limit:]
    learned = [whole.ids[i + 1] for i in whole.at]
    kept = [row.ids[i + 1] for i in row.at]
    assert kept == learned[-len(kept) :]
    assert len(kept) >= min(limit - 1, 4)


def mixed_rows(count: int = 9) -> list[Row]:
    """A step of different lengths and classes."""
    made = [
        ([5 + i % 4, *range(6, 6 + i % 5)], list(range(20 + i, 21 + i + i * 5 % 7)), i % 3)
        for i in range(count)
    ]
    return rows(*made)


@pytest.mark.parametrize("family", ["llama, tied", "qwen3, head norms"])
@pytest.mark.parametrize("width", [1, 12, 25, 1000])
@pytest.mark.parametrize(("config", "stratified"), [(PATH, True), (PATH, False), (OWN, True)])
def test_packed_examples_have_the_loss_and_gradients_they_have_apart(
    family: str, width: int, config: L2DConfig, stratified: bool
) -> None:
    draws = Draws(own_guess_share=0.5, class_dropout=0.3, stratified=stratified)
    found = []
    for packed_to in (0, width):
        backbone = tiny_backbone(family)
        path = stirred_path(backbone, config, scale=0.1).requires_grad_(True)
        batch = collate(mixed_rows(), width=packed_to)
        loss = objective(draws, path=path, backbone=backbone).loss(batch)
        loss.backward()
        found.append((float(loss.detach()), [p.grad for p in path.parameters()]))
    (apart, grads), (packed, packed_grads) = found
    assert packed == pytest.approx(apart, abs=1e-5)
    for ours, theirs in zip(packed_grads, grads, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-5)


def test_unstratified_times_cover_all_of_zero_to_one_in_rising_order() -> None:
    draws = Draws(per_token=3, stratified=False)
    t = objective(draws)._times(collate(rows(*[ROWS[0]] * 400)))
    assert torch.equal(t, t.sort(dim=0).values)
    assert float(t.mean()) == pytest.approx(0.5, abs=0.03)
    assert float((t[0] > 1 / 3).float().mean()) == pytest.approx((2 / 3) ** 3, abs=0.05)


def test_packing_fills_rows_and_loses_nothing() -> None:
    apart, packed = collate(mixed_rows()), collate(mixed_rows(), width=25)
    filled = [float((batch.owner >= 0).float().mean()) for batch in (apart, packed)]
    assert filled[1] > 0.9 > filled[0]
    assert len(packed.ids) == -(-sum(len(row.ids) for row in mixed_rows()) // 25)
    assert packed.tokens == apart.tokens == packed.total
    for batch in (apart, packed):
        assert sorted(batch.index[batch.valid].tolist()) == list(range(batch.total))
    targets = [b.targets[b.valid][b.index[b.valid].argsort()] for b in (apart, packed)]
    assert torch.equal(*targets)


@pytest.mark.parametrize("parts", [2, 3, 9])
def test_parts_of_a_step_add_up_to_the_step(parts: int) -> None:
    step, draws = mixed_rows(), Draws(own_guess_share=0.5)
    whole = collate(step)
    shares = [collate(step, 0, i, parts) for i in range(parts)]
    losses = [float(objective(draws).loss(b)) * b.tokens / whole.total for b in shares]
    assert sum(losses) == pytest.approx(float(objective(draws).loss(whole)), abs=1e-5)


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_loss_depends_on_its_own_generator_alone(share: float) -> None:
    draws, losses = Draws(own_guess_share=share), []
    for global_seed, seed in itertools.product((0, 1), (5, 6)):
        torch.manual_seed(global_seed)
        losses.append(float(objective(draws, seed).loss(collate(rows(*ROWS)))))
    assert losses[0] == losses[2]
    assert losses[1] == losses[3]
    assert losses[0] != losses[1]


def test_draws_of_a_token_come_one_in_each_part_of_time_from_early_to_late() -> None:
    seen = []

    class Watched(Objective):
        def _pass(self, batch, x_1, t, labels, context, layers):  # type: ignore[no-untyped-def]
            seen.append(t)
            return super()._pass(batch, x_1, t, labels, context, layers)

    whole = objective(Draws(per_token=5))
    Watched(whole.backbone, whole.path, whole.draws, whole.generator).loss(collate(rows(*ROWS)))
    assert [set((t * 5).floor().flatten().tolist()) for t in seen] == [{float(i)} for i in range(5)]


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_draw_starts_from_the_guess_before_it_or_from_the_truth(share: float) -> None:
    batch, seen = collate(rows(*ROWS)), []

    class Watched(Objective):
        def _pass(self, batch, x_1, t, labels, context, layers):  # type: ignore[no-untyped-def]
            hidden = super()._pass(batch, x_1, t, labels, context, layers)
            seen.append((x_1, self.backbone.logits(hidden).argmax(-1)))
            return hidden

    whole = objective(Draws(per_token=3, own_guess_share=share))
    watched = Watched(whole.backbone, whole.path, whole.draws, whole.generator)
    watched.loss(batch)
    lm = whole.backbone.logits(read(whole.backbone, batch).hidden).argmax(-1)
    own = [lm, *(guess for _, guess in seen[:-1])]
    for (x_1, _), guess in zip(seen, own, strict=True):
        expected = whole._rows(guess if share else batch.targets)
        assert torch.equal(x_1[batch.valid], expected[batch.valid])


def test_padding_of_a_batch_is_not_trained_on() -> None:
    """Targets behind a shorter response may be anything."""
    batch = collate(rows(*ROWS))
    targets = torch.where(batch.valid, batch.targets, 90)
    other = replace(batch, targets=targets)
    draws = Draws(own_guess_share=0.5)
    assert torch.equal(objective(draws).loss(batch), objective(draws).loss(other))


@pytest.mark.parametrize("config", [PATH, OWN], ids=["LM's reading", "own reading"])
def test_only_the_path_gets_gradients_and_all_of_it(config: L2DConfig) -> None:
    backbone = tiny_backbone()
    path = stirred_path(backbone, config).requires_grad_(True)
    objective(Draws(own_guess_share=0.5), path=path).loss(collate(rows(*ROWS))).backward()
    assert all(w.grad is not None and w.grad.isfinite().all() for w in path.parameters())
    assert backbone.embedding.grad is None
    assert backbone.layers[0].qkv.weight.grad is None


def test_a_reading_of_its_own_is_learned_as_one_more_draw() -> None:
    batch, backbone = collate(rows(*ROWS)), tiny_backbone()
    its = objective(Draws(per_token=2), path=stirred_path(backbone, OWN))
    losses = its.chain(batch, list(its._times(batch)))
    assert len(losses) == 3
    hidden = read(its.path.reader(backbone), batch).hidden[batch.valid]
    expected = cross_entropy(backbone.logits(hidden), batch.targets[batch.valid])
    assert float(losses[0]) == pytest.approx(float(expected), abs=1e-5)
    theirs = objective(Draws(per_token=2))
    assert len(theirs.chain(batch, list(theirs._times(batch)))) == 2


def test_draws_from_its_own_reading_teach_that_reading_too() -> None:
    """Through the keys and values they look at, and through H."""
    batch, backbone = collate(rows(*ROWS)), tiny_backbone()
    path = stirred_path(backbone, OWN).requires_grad_(True)
    its = objective(Draws(per_token=1), path=path)
    its.chain(batch, list(its._times(batch)))[1].backward()
    grads = [weight.grad for name, weight in path.named_parameters() if ".kv." in name]
    assert len(grads) == backbone.shape.layers
    assert all(grad is not None and bool(grad.abs().sum() > 0) for grad in grads)


def test_class_dropout_of_one_never_shows_the_class() -> None:
    labels = objective(Draws(class_dropout=1.0))._labels(collate(rows(*ROWS)))
    assert set(labels.flatten().tolist()) == {len(PATH.classes)}
    labels = objective(Draws(class_dropout=0.0))._labels(collate(rows(*ROWS)))
    assert labels[:, 0].tolist() == [0, 2]
