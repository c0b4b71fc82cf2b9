"""Training learns, leaves the base alone, and resumed it is the run that was never stopped."""

import dataclasses
import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from model import checkpoint
from model.backbone import Backbone
from model.data import Example
from model.errors import CheckpointError
from model.loss import Draws, Objective, losses_at
from model.train import PROBE_TIMES, Progress, TrainConfig, Trainer
from tests.tiny import PATH, Letters, tiny_backbone

CONFIG = TrainConfig(
    adapter=PATH,
    draws=Draws(per_token=2, own_guess_share=0.5, unroll=2),
    total_draws=2_000,
    batch_size=4,
    peak_lr=1e-2,
    warmup_steps=5,
    seed=3,
    checkpoint_minutes=0.0,  # after every step
)
HELD_OUT = [Example("ab", "ba", "math"), Example("cd", "dc")]


class Stop(Exception):
    """The process dies here."""


def stream() -> Iterator[Example]:
    """Words and their reversal, without end and the same every time."""
    for i in itertools.count():
        word = "".join("abcdef"[(i * k) % 6] for k in (1, 2, 5)[: 1 + i % 3])
        yield Example(word, word[::-1], ("math", "data", None)[i % 3])


def quiet(_: Progress) -> None:
    pass


def trainer(
    folder: Path, config: TrainConfig = CONFIG, report: Callable[[Progress], None] = quiet
) -> Trainer:
    return Trainer(tiny_backbone(), Letters(), config, folder, report)


def weights_of(backbone: Backbone) -> list[torch.Tensor]:
    flat = [backbone.embedding, backbone.norm, backbone.head]
    for layer in backbone.layers:
        flat += [layer.norm1, layer.norm2]
        flat += [x.weight for x in (layer.qkv, layer.o, layer.gate_up, layer.down)]
    return flat


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Trainer, Path, list[Progress]]:
    """One whole run, reported at every step."""
    folder, reports = tmp_path_factory.mktemp("run"), list[Progress]()
    run = trainer(folder, report=reports.append)
    run.run(stream(), HELD_OUT, minutes=5)
    return run, folder, reports


def test_training_lowers_the_loss(finished: tuple[Trainer, Path, list[Progress]]) -> None:
    _, _, reports = finished
    losses = [r.loss for r in reports if r.loss == r.loss]
    tenth = len(losses) // 10
    assert sum(losses[-tenth:]) < 0.8 * sum(losses[:tenth])
    first, last = reports[0].held_out, reports[-1].held_out
    assert first is not None
    assert last is not None
    assert last["0.97"] < 0.7 * first["0.97"]
    assert last["0"] == first["0"]  # at t=0 it stays the LM, whatever was learned


def test_base_weights_stay_as_they_are_to_the_bit(tmp_path: Path) -> None:
    run = trainer(tmp_path, dataclasses.replace(CONFIG, total_draws=100))
    before = [w.clone() for w in weights_of(run.backbone)]
    start = {k: v.clone() for k, v in run.path.state_dict().items()}
    run.run(stream(), [], minutes=5)
    assert all(torch.equal(a, b) for a, b in zip(before, weights_of(run.backbone), strict=True))
    assert not any(w.requires_grad for w in weights_of(run.backbone))
    after = run.path.state_dict()
    assert all(not torch.equal(after[k], v) for k, v in start.items() if "lora" in k and ".A" in k)


@pytest.mark.parametrize("died_at", [1, 7, 20])
def test_resumed_run_ends_as_the_uninterrupted_one(
    finished: tuple[Trainer, Path, list[Progress]], tmp_path: Path, died_at: int
) -> None:
    def die(progress: Progress) -> None:
        if progress.step == died_at:
            raise Stop

    with pytest.raises(Stop):
        trainer(tmp_path, report=die).run(stream(), HELD_OUT, minutes=5)
    torch.manual_seed(99)  # another process, another global state
    resumed = trainer(tmp_path)
    resumed.run(stream(), HELD_OUT, minutes=5, resume=True)
    whole, folder, _ = finished
    assert (resumed.step, resumed.draws) == (whole.step, whole.draws)
    for name, weight in whole.path.state_dict().items():
        assert torch.equal(resumed.path.state_dict()[name], weight), name
    ours, theirs = (
        checkpoint.load(f / "adapter", tiny_backbone()).sha256 for f in (tmp_path, folder)
    )
    assert ours == theirs


def test_same_seed_same_run_and_other_seed_another(tmp_path: Path) -> None:
    short = dataclasses.replace(CONFIG, total_draws=100)
    hashes = []
    for i, seed in enumerate((3, 3, 4)):
        run = trainer(tmp_path / str(i), dataclasses.replace(short, seed=seed))
        adapter = run.run(stream(), [], minutes=5)
        hashes.append(checkpoint.load(adapter, tiny_backbone()).sha256)
    assert hashes[0] == hashes[1] != hashes[2]


def test_finished_run_resumed_does_no_more(
    finished: tuple[Trainer, Path, list[Progress]], tmp_path: Path
) -> None:
    _, folder, _ = finished
    (tmp_path / "state.pt").write_bytes((folder / "state.pt").read_bytes())
    again = trainer(tmp_path)
    steps = finished[0].step
    again.run(stream(), [], minutes=5, resume=True)
    assert again.step == steps


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"seed": 4}, "seed 3, not 4"),
        ({"batch_size": 8}, "batch_size 4, not 8"),
        ({"adapter": dataclasses.replace(PATH, lora_rank=2)}, "adapter"),
    ],
)
def test_run_of_another_configuration_is_refused(
    finished: tuple[Trainer, Path, list[Progress]], changes: dict[str, object], named: str
) -> None:
    _, folder, _ = finished
    other = dataclasses.replace(CONFIG, **changes)  # type: ignore[arg-type]
    with pytest.raises(CheckpointError, match=named):
        trainer(folder, other).run(stream(), [], minutes=5, resume=True)


def test_run_is_never_begun_over_another(
    finished: tuple[Trainer, Path, list[Progress]],
) -> None:
    _, folder, _ = finished
    before = (folder / "state.pt").read_bytes()
    with pytest.raises(CheckpointError, match="--resume"):
        trainer(folder).run(stream(), [], minutes=5)
    assert (folder / "state.pt").read_bytes() == before


@pytest.mark.parametrize("damage", ["other", "half", "empty", "keys"])
def test_damaged_state_is_refused(
    finished: tuple[Trainer, Path, list[Progress]], tmp_path: Path, damage: str
) -> None:
    whole = (finished[1] / "state.pt").read_bytes()
    content = {"other": b"half a fi", "half": whole[: len(whole) // 2], "empty": b""}
    if damage == "keys":
        torch.save({"step": 1}, tmp_path / "state.pt")
    else:
        (tmp_path / "state.pt").write_bytes(content[damage])
    with pytest.raises(CheckpointError, match=r"state\.pt"):
        trainer(tmp_path).run(stream(), [], minutes=5, resume=True)


def test_time_limit_ends_a_run_that_can_be_resumed(tmp_path: Path) -> None:
    first = trainer(tmp_path)
    adapter = first.run(stream(), [], minutes=0)
    assert first.step == 0
    assert checkpoint.load(adapter, tiny_backbone()).card["draws"] == 0
    second = trainer(tmp_path, dataclasses.replace(CONFIG, total_draws=50))
    second.run(stream(), [], minutes=5, resume=True)
    assert second.draws >= 50


def test_progress_is_reported_and_logged(
    finished: tuple[Trainer, Path, list[Progress]],
) -> None:
    run, folder, reports = finished
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [r.step for r in reports]
    assert reports[-1].draws == run.draws >= CONFIG.total_draws
    held_out = reports[-1].held_out
    assert held_out is not None
    assert list(held_out) == [f"{t:g}" for t in PROBE_TIMES]
    card = json.loads((folder / "adapter" / checkpoint.CARD).read_text())
    assert (card["draws"], card["steps"]) == (run.draws, run.step)


def test_draws_count_response_tokens_times_times(tmp_path: Path) -> None:
    one = dataclasses.replace(CONFIG, total_draws=1, batch_size=2)
    run = trainer(tmp_path, one)
    run.run(iter([Example("a", "abc"), Example("ab", "d")]), [], minutes=5)
    assert run.draws == (3 + 1 + 1 + 1) * 2  # end marks are learned too


def test_probe_at_time_zero_is_the_lms_own_loss() -> None:
    backbone = tiny_backbone()
    run = trainer(Path("unused"))
    (batch,) = run._probe_batch(HELD_OUT)
    objective = Objective(backbone, run.path, CONFIG.draws, torch.Generator().manual_seed(0))
    (loss,) = losses_at(objective, batch, (0.0,))
    hidden = backbone.forward(
        batch.ids, backbone.new_cache(*batch.ids.shape), *_plain(batch.ids)
    ).gather(1, batch.positions[..., None].expand(-1, -1, backbone.shape.hidden))
    expected = torch.nn.functional.cross_entropy(
        backbone.logits(hidden)[batch.valid], batch.targets[batch.valid]
    )
    assert loss == pytest.approx(float(expected), rel=1e-5)


def _plain(ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    B, S = ids.shape
    causal = torch.ones(S, S, dtype=torch.bool).tril().expand(B, 1, S, S)
    return torch.arange(S).expand(B, S), causal


@pytest.mark.parametrize("decay_from", [0.0, 0.4])
def test_learning_rate_warms_up_holds_and_ends_at_its_floor(decay_from: float) -> None:
    config = TrainConfig(
        total_draws=1000, peak_lr=1e-2, floor_lr=1e-5, warmup_steps=10, decay_from=decay_from
    )
    span = config.peak_lr - config.floor_lr
    assert config.lr(0, 0) == pytest.approx(config.floor_lr + span / 10)
    assert config.lr(9, 0) == pytest.approx(config.peak_lr)
    assert config.lr(99, int(1000 * decay_from)) == pytest.approx(config.peak_lr)
    halfway = int(1000 * (1 + decay_from) / 2)
    assert config.lr(99, halfway) == pytest.approx(config.floor_lr + span / 2)
    assert config.lr(99, 1000) == pytest.approx(config.floor_lr)
    assert config.lr(99, 1200) == pytest.approx(config.floor_lr)
