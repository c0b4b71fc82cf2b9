"""What training draws: the right targets, stratified times, no global randomness."""

import itertools

import pytest
import torch

from model.data import Batch, Example, batches, collate
from model.l2d import FlowPath
from model.loss import Draws, Objective
from tests.tiny import PATH, Letters, stirred_path, tiny_backbone

ROWS = [([5, 6, 7], [8, 9], 0), ([5], [10, 11, 12], 2)]


def objective(draws: Draws, seed: int = 0, path: FlowPath | None = None) -> Objective:
    backbone = tiny_backbone()
    generator = torch.Generator().manual_seed(seed)
    return Objective(backbone, path or stirred_path(backbone), draws, generator)


def test_each_position_stands_before_its_target() -> None:
    batch = collate(ROWS)
    assert batch.tokens == 5
    for i, (prompt, answer, label) in enumerate(ROWS):
        text = prompt + answer
        assert batch.ids[i, : len(text)].tolist() == text
        assert int(batch.labels[i]) == label
        for position, target, valid in zip(
            batch.positions[i].tolist(),
            batch.targets[i].tolist(),
            batch.valid[i].tolist(),
            strict=True,
        ):
            assert not valid or text[position + 1] == target
    assert [int(v.sum()) for v in batch.valid] == [2, 3]


def test_batches_are_the_same_every_time_and_lose_no_example() -> None:
    examples = [Example("ab"[: 1 + i % 2], "abcdef"[: 1 + i % 6], "math") for i in range(50)]
    index = {"math": 0, "data": 1}

    def made(seed: int) -> list[Batch]:
        return list(batches(examples, Letters(), index, 4, seed))

    first, again, other = made(1), made(1), made(2)
    assert all(torch.equal(a.ids, b.ids) for a, b in zip(first, again, strict=True))
    assert any(a.ids.shape != b.ids.shape for a, b in zip(first, other, strict=True))
    assert sum(len(b.ids) for b in first) == 50
    assert sum(b.tokens for b in first) == sum(len(x.response) + 1 for x in examples)


def test_example_of_an_unknown_class_is_of_no_class() -> None:
    examples = [Example("a", "b", label) for label in ("data", "law", None)]
    (batch,) = batches(examples, Letters(), {"math": 0, "data": 1}, 3, 0)
    assert sorted(batch.labels.tolist()) == [1, 2, 2]


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_loss_depends_on_its_own_generator_alone(share: float) -> None:
    draws, losses = Draws(own_guess_share=share, unroll=2), []
    for global_seed, seed in itertools.product((0, 1), (5, 6)):
        torch.manual_seed(global_seed)
        losses.append(float(objective(draws, seed).loss(collate(ROWS))))
    assert losses[0] == losses[2]
    assert losses[1] == losses[3]
    assert losses[0] != losses[1]


def test_times_of_a_token_are_stratified() -> None:
    B, R, K = 3, 4, 5
    t = objective(Draws())._stratified(torch.Size((B, R)), K)
    slots = (t.reshape(B, K, R) * K).floor()
    assert torch.equal(slots, torch.arange(K).float()[None, :, None].expand(B, K, R))


def test_padding_of_a_batch_is_not_trained_on() -> None:
    """Targets behind a shorter response may be anything."""
    batch = collate(ROWS)
    targets = torch.where(batch.valid, batch.targets, 90)
    other = Batch(batch.ids, batch.positions, targets, batch.valid, batch.labels)
    draws = Draws(own_guess_share=0.5)
    assert torch.equal(objective(draws).loss(batch), objective(draws).loss(other))


def test_only_the_path_gets_gradients() -> None:
    backbone = tiny_backbone()
    path = stirred_path(backbone).requires_grad_(True)
    objective(Draws(own_guess_share=0.5), path=path).loss(collate(ROWS)).backward()
    assert all(w.grad is not None and w.grad.isfinite().all() for w in path.parameters())
    assert backbone.embedding.grad is None
    assert backbone.layers[0].qkv.weight.grad is None


def test_class_dropout_of_one_never_shows_the_class() -> None:
    labels = objective(Draws(class_dropout=1.0))._labels(collate(ROWS), 4)
    assert set(labels.flatten().tolist()) == {len(PATH.classes)}
    labels = objective(Draws(class_dropout=0.0))._labels(collate(ROWS), 4)
    assert labels[:, 0].tolist() == [0, 2]
