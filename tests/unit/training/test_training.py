"""Training learns, leaves the base alone, and resumed it is the run that was never stopped."""

import dataclasses
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from model import checkpoint
from model.backbone import Backbone
from model.errors import CheckpointError, ConfigError
from model.l2d import FlowPath
from tests.tiny import PATH, Letters, tiny_backbone
from training.data import Example, collate, steps
from training.loss import Draws, Objective, losses_at
from training.schedule import TrainConfig
from training.train import PROBE_TIMES, Progress, Trainer, begin_from

CONFIG = TrainConfig(
    adapter=PATH,
    draws=Draws(per_token=2, own_guess_share=0.5),
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
        ({"draws": Draws(per_token=3)}, "draws .*'per_token': 2"),
        ({"clip_norm": 0.5}, "clip_norm 1.0, not 0.5"),
        ({"max_tokens": 9}, "max_tokens 1024, not 9"),
        ({"data": ({"source": "other.jsonl"},)}, "data .*other"),
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
    (rows,) = steps(HELD_OUT, run.spelling, 4, 0)
    batch = collate(rows)
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


def same_weights(a: Trainer, b: Trainer) -> bool:
    return all(
        torch.equal(x, y)
        for x, y in zip(a.path.state_dict().values(), b.path.state_dict().values(), strict=True)
    )


def losses(folder: Path) -> list[float]:
    return [json.loads(line)["loss"] for line in (folder / "log.jsonl").read_text().splitlines()]


SHORT = dataclasses.replace(CONFIG, total_draws=150)


def test_schedule_may_change_on_resume_and_the_card_says_so(tmp_path: Path) -> None:
    trainer(tmp_path, SHORT).run(stream(), [], minutes=5)
    longer = dataclasses.replace(SHORT, total_draws=200, peak_lr=5e-3)
    run = trainer(tmp_path, longer)
    run.run(stream(), [], minutes=5, resume=True)
    changes = checkpoint.card_of(tmp_path / "adapter")["changes"]
    assert changes == [
        {"step": run.changes[0]["step"], "peak_lr": [1e-2, 5e-3], "total_draws": [150, 200]}
    ]
    again = trainer(tmp_path, longer)
    again.run(stream(), [], minutes=5, resume=True)
    assert again.changes == changes


def test_state_of_an_earlier_version_can_be_resumed(tmp_path: Path) -> None:
    """States once held no settings, no mean of the weights, and the generator's state."""
    first = trainer(tmp_path, SHORT)
    first.run(stream(), [], minutes=5)
    state = checkpoint.load_state(tmp_path / "state.pt")
    for key in ("settings", "changes", "ema"):
        del state[key]
    state["generator"] = torch.Generator().get_state()
    checkpoint.save_state(tmp_path / "state.pt", state)
    again = trainer(tmp_path, dataclasses.replace(SHORT, ema_decay=0.9))
    again._begin(resume=True)
    assert (again.step, again.draws) == (first.step, first.draws)
    assert same_weights(again, first)


@pytest.mark.parametrize("changes", [{"accumulate": 3}, {"packed_to": 12}, {"accumulate": 9}])
def test_parts_and_packing_change_nothing_of_the_curve(
    tmp_path: Path, changes: dict[str, int]
) -> None:
    for name, config in (("whole", SHORT), ("parts", dataclasses.replace(SHORT, **changes))):  # type: ignore[arg-type]
        trainer(tmp_path / name, config).run(stream(), [], minutes=5)
    whole = losses(tmp_path / "whole")
    assert len(whole) > 5
    assert losses(tmp_path / "parts")[:-1] == pytest.approx(whole[:-1], abs=2e-4)


def test_two_processes_follow_the_curve_of_one(
    finished: tuple[Trainer, Path, list[Progress]], tmp_path: Path
) -> None:
    """Started as on two GPUs; where there are none, they meet on the CPU."""
    launch = ["accelerate.commands.launch", "--multi_gpu", "--num_processes=2"]
    launch += ["--num_machines=1", "--mixed_precision=no", "--dynamo_backend=no"]
    done = subprocess.run(
        [sys.executable, "-m", *launch, "-m", "tests.train_worker", str(tmp_path)],
        capture_output=True,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    one, two = losses(finished[1]), losses(tmp_path)
    assert two[:5] == pytest.approx(one[:5], abs=1e-4)
    assert len(two) == len(one)  # only one process writes


def test_saved_adapter_is_the_mean_of_the_weights(tmp_path: Path) -> None:
    """Checked against the definition, step by step."""
    config = dataclasses.replace(SHORT, ema_decay=0.8)
    plain, seen = trainer(tmp_path / "plain", SHORT), list[dict[str, torch.Tensor]]()

    def remember(_: Progress) -> None:
        seen.append({k: v.clone() for k, v in plain.path.state_dict().items()})

    plain.report = remember
    start = {k: v.clone() for k, v in plain.path.state_dict().items()}
    plain.run(stream(), [], minutes=5)
    averaged = trainer(tmp_path / "ema", config)
    averaged.run(stream(), [], minutes=5)
    assert same_weights(plain, averaged)  # the mean does not touch what is trained
    for step, weights in enumerate(seen[:-1], start=1):  # the last report repeats the last step
        decay = min(0.8, step / (step + 9))
        start = {k: decay * v + (1 - decay) * weights[k] for k, v in start.items()}
    adapter = checkpoint.load(tmp_path / "ema" / "adapter", tiny_backbone())
    for name, weight in adapter.path.state_dict().items():
        torch.testing.assert_close(averaged.saved.state_dict()[name], start[name])
        assert torch.equal(weight, averaged.saved.state_dict()[name].bfloat16().float())


def test_mean_of_the_weights_resumes_exactly(tmp_path: Path) -> None:
    config = dataclasses.replace(SHORT, ema_decay=0.9)
    whole = trainer(tmp_path / "whole", config)
    whole.run(stream(), [], minutes=5)

    def die(progress: Progress) -> None:
        if progress.step == 3:
            raise Stop

    with pytest.raises(Stop):
        trainer(tmp_path / "cut", config, report=die).run(stream(), [], minutes=5)
    resumed = trainer(tmp_path / "cut", config)
    resumed.run(stream(), [], minutes=5, resume=True)
    for name, weight in whole.saved.state_dict().items():
        assert torch.equal(resumed.saved.state_dict()[name], weight), name


def test_master_weights_keep_what_the_precision_of_the_lm_would_lose(tmp_path: Path) -> None:
    """Steps of a millionth move every weight, though few would move in bfloat16."""
    backbone = tiny_backbone().to(torch.bfloat16)
    config = dataclasses.replace(SHORT, peak_lr=1e-6, floor_lr=1e-6)
    run = Trainer(backbone, Letters(), config, tmp_path, quiet)
    before = run.path.table.weight.detach().clone()
    run.run(stream(), [], minutes=5)
    after = run.path.table.weight.detach()
    assert (after != before).float().mean() > 0.9
    assert (after.bfloat16() == before.bfloat16()).float().mean() > 0.9
    assert {w.dtype for w in run.path.parameters()} == {torch.float32}
    assert {m.dtype for s in run.optimizer.state.values() for m in s.values()} == {torch.float32}


def test_run_begins_from_an_adapter(
    finished: tuple[Trainer, Path, list[Progress]], tmp_path: Path
) -> None:
    folder = str(finished[1] / "adapter")
    config = dataclasses.replace(SHORT, init_from=folder, ema_decay=0.9)
    run = trainer(tmp_path, config)
    run._begin(resume=False)
    theirs = checkpoint.load(finished[1] / "adapter", tiny_backbone()).path.state_dict()
    assert all(torch.equal(theirs[k], v) for k, v in run.path.state_dict().items())
    assert all(torch.equal(theirs[k], v) for k, v in run.saved.state_dict().items())
    assert (run.step, run.draws) == (0, 0)


def test_tensors_that_an_adapter_lacks_stay_as_born(
    finished: tuple[Trainer, Path, list[Progress]],
) -> None:
    wider = dataclasses.replace(PATH, carry=True)
    path = FlowPath(wider, tiny_backbone())
    with torch.no_grad():
        path.carry.weight.fill_(0.5)  # type: ignore[union-attr]
    begin_from(path, finished[1] / "adapter")
    assert path.carry is not None
    assert set(path.carry.weight.flatten().tolist()) == {0.5}
    trained = checkpoint.load(finished[1] / "adapter", tiny_backbone()).path
    assert torch.equal(path.table.weight, trained.table.weight)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"classes": ()}, "class_table"),
        ({"lora_rank": 2}, r"lora.*torch.Size\(\[.*torch.Size\(\["),
    ],
)
def test_adapter_that_does_not_fit_is_no_beginning(
    finished: tuple[Trainer, Path, list[Progress]], changes: dict[str, Any], named: str
) -> None:
    path = FlowPath(dataclasses.replace(PATH, **changes), tiny_backbone())
    with pytest.raises(CheckpointError, match=named):
        begin_from(path, finished[1] / "adapter")


def test_folder_without_an_adapter_is_no_beginning(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no run can begin"):
        begin_from(FlowPath(PATH, tiny_backbone()), tmp_path)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"speed": 9}, "unknown key 'speed'; known: adapter, draws"),
        ({"draws": {"colour": 1}}, "draws .*unknown key 'colour'; known: per_token"),
        ({"adapter": {"rank": 8}}, "adapter .*unknown key 'rank'; known: flow_dim"),
        ({"peak_lr": "1e-3"}, "peak_lr must be a number as 1.0e-3, got '1e-3'"),
        ({"batch_size": 8.5}, "batch_size must be a whole number, got 8.5"),
        ({"batch_size": True}, "batch_size must be a whole number, got True"),
        ({"adapter": {"classes": "math"}}, "classes must be a list, got 'math'"),
        ({"adapter": {"modulation": "both"}}, "modulation must be one of"),
        ({"draws": {"stratified": 1}}, "stratified must be true or false, got 1"),
        ({"draws": {"class_dropout": 2}}, r"class_dropout must be in \[0, 1\], got 2"),
        ({"init_from": 3}, "init_from must be text, got 3"),
        ({"data": "tasks"}, "data must be a list, got 'tasks'"),
        ({"ema_decay": 1.0}, r"ema_decay must be in \[0, 1\), got 1.0"),
        ({"clip_norm": 0}, "clip_norm be above 0"),
        (None, "keys and values are needed, got None"),
    ],
)
def test_a_wrong_setting_is_named_with_its_value_and_what_is_legal(values: Any, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        TrainConfig.from_dict(values)


def test_training_leaves_the_smallest_numbers_as_they_were(tmp_path: Path) -> None:
    """It computes without them; what runs next in this process, after a stop too, has them."""

    def die(_progress: Progress) -> None:
        raise Stop

    with pytest.raises(Stop):
        trainer(tmp_path, report=die).run(stream(), HELD_OUT, minutes=5)
    assert 5e-324 * 1.0 > 0
    smallest = torch.tensor(5e-324, dtype=torch.float64)
    assert (smallest * 1.0).item() > 0
