"""Our numbers against stored ones: those of the reference code where they lie, and our own."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from app.cli import main
from model.errors import CheckpointError
from parity import golden, reference
from tests.golden.make_golden import CASES, FOLDER, LABELS, SETTINGS, make

SHARED = Path(os.environ.get("L2D_GOLDEN_DIR", Path(__file__).parents[3] / "shared" / "golden"))
MODELS = ("llama_tied", "llama_guided", "qwen2")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the regression golden, to be damaged."""
    return Path(shutil.copytree(FOLDER, tmp_path / "golden"))


@pytest.mark.parametrize("model", MODELS)
def test_reference_goldens_are_reproduced(model: str) -> None:
    folder = SHARED / model
    if not folder.is_dir():
        pytest.skip(f"no reference golden at {folder}; set L2D_GOLDEN_DIR to the folder of goldens")
    differences, skipped = golden.check(folder)
    assert skipped == []
    assert [d for d in differences if not d.ok] == []
    cases = json.loads((folder / golden.CASES).read_text())["cases"]
    assert len(differences) == 2 + 4 * len(cases)


def test_regression_golden_is_reproduced() -> None:
    differences, skipped = golden.check(FOLDER)
    assert skipped == []
    assert [d for d in differences if not d.ok] == []
    assert len(differences) == 2 + 4 * len(CASES)


def test_regression_golden_comes_from_its_seed(tmp_path: Path) -> None:
    make(tmp_path / "again")
    for file in (golden.WEIGHTS, golden.TENSORS):
        torch.testing.assert_close(
            load_file(tmp_path / "again" / file), load_file(FOLDER / file), atol=1e-3, rtol=1e-3
        )


def test_regression_golden_is_small_and_says_something() -> None:
    assert sum(file.stat().st_size for file in FOLDER.iterdir()) < 300_000
    cases = json.loads((FOLDER / golden.CASES).read_text())["cases"]
    assert any(case["argmax"] != case["base_argmax"] for case in cases)


@pytest.mark.parametrize(
    "name",
    [
        "model.layers.0.self_attn.k_proj.weight",
        "model.layers.1.mlp.flow_down_proj.B",
        "model.layers.0.modulation_head.mlp.2.weight",
        "model.flow_token_embedder.embedder.layers_module.0.weight",
        "model.data_label_embedder.weight",
        "model.norm.weight",
    ],
)
def test_one_changed_weight_is_reported(folder: Path, name: str) -> None:
    weights = load_file(folder / golden.WEIGHTS)
    weights[name].view(-1)[0] += 0.5
    save_file(weights, folder / golden.WEIGHTS)
    differences, _ = golden.check(folder)
    assert any(not d.ok for d in differences)


def test_changed_number_is_reported_by_its_name_and_size(folder: Path) -> None:
    tensors = load_file(folder / golden.TENSORS)
    tensors["case2.x_final"][0, 0, 0] += 0.25
    save_file(tensors, folder / golden.TENSORS)
    (off,) = [d for d in golden.check(folder)[0] if not d.ok]
    assert off.case == "case2.x_final"
    assert off.value == pytest.approx(0.25, abs=1e-4)


def test_adaptive_steps_that_differ_are_a_difference(folder: Path) -> None:
    tensors = load_file(folder / golden.TENSORS)
    tensors["case5.evaluated"] = tensors["case5.evaluated"][:-1].clone()
    save_file(tensors, folder / golden.TENSORS)
    (off,) = [d for d in golden.check(folder)[0] if not d.ok]
    assert (off.case, off.value) == ("case5.evaluated", float("inf"))
    assert not off.unstable


def _on_its_last_bits(folder: Path, moved: float) -> None:
    """Case 5 with a tolerance at which it hangs on them; as computed here, but x moved."""
    described = json.loads((folder / golden.CASES).read_text())
    case = described["cases"][5] | {"atol": 0.01, "rtol": 0.01}
    described["cases"] = [*described["cases"][:5], case]
    (folder / golden.CASES).write_text(json.dumps(described))
    tensors = load_file(folder / golden.TENSORS)
    backbone, path = reference.load(SETTINGS, load_file(folder / golden.WEIGHTS))
    with torch.no_grad():
        ours = golden.Replay(backbone, path, tensors, LABELS).case(case)
    ours["x_final"][0, 0, 0] += moved
    tensors |= {f"case5.{key}": value for key, value in ours.items()}
    save_file(tensors, folder / golden.TENSORS)


@pytest.mark.parametrize(("moved", "unstable"), [(0.02, True), (4.0, False)])
def test_adaptive_case_is_unstable_only_where_its_own_disturbed_runs_lie_as_far_apart(
    folder: Path, moved: float, unstable: bool
) -> None:
    _on_its_last_bits(folder, moved)
    (off,) = [d for d in golden.check(folder)[0] if not d.ok]
    assert (off.case, off.unstable) == ("case5.x_final", unstable)


def test_steady_adaptive_case_out_of_tolerance_is_no_more_than_wrong(folder: Path) -> None:
    tensors = load_file(folder / golden.TENSORS)
    tensors["case6.logits"][0, 0, 0] += 2e-3
    save_file(tensors, folder / golden.TENSORS)
    (off,) = [d for d in golden.check(folder)[0] if not d.ok]
    assert off.spread is not None
    assert 0 < off.spread < 1e-3
    assert not off.unstable


def test_command_names_an_unstable_case_and_still_fails(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _on_its_last_bits(folder, 0.02)
    assert main(["model", "check-golden", str(folder)]) == 1
    printed = capsys.readouterr().out
    assert "unstable case5.x_final" in printed
    assert "our disturbed runs" in printed
    assert "FAIL" not in printed


def test_case_of_an_unknown_solver_is_skipped_by_name(folder: Path) -> None:
    described = json.loads((folder / golden.CASES).read_text())
    described["cases"][1]["method"] = "rk9"
    (folder / golden.CASES).write_text(json.dumps(described))
    differences, skipped = golden.check(folder)
    assert skipped == [golden.Skipped("case1", "no solver 'rk9'")]
    assert all(d.ok for d in differences)


def _drop(file: str, name: str) -> Callable[[Path], object]:
    def damage(folder: Path) -> None:
        tensors = load_file(folder / file)
        del tensors[name]
        save_file(tensors, folder / file)

    return damage


def _reshape(folder: Path) -> None:
    tensors = load_file(folder / golden.TENSORS)
    tensors["token_table"] = tensors["token_table"][:, :3].clone()
    save_file(tensors, folder / golden.TENSORS)


def _truncate(folder: Path) -> None:
    file = folder / golden.TENSORS
    file.write_bytes(file.read_bytes()[:500])


DAMAGES: dict[str, Callable[[Path], object]] = {
    "gone": shutil.rmtree,
    "no cases": lambda f: (f / golden.CASES).unlink(),
    "cases not JSON": lambda f: (f / golden.CASES).write_text("cases: none"),
    "cases a list": lambda f: (f / golden.CASES).write_text("[]"),
    "cases without a config": lambda f: (f / golden.CASES).write_text('{"cases": []}'),
    "tensors truncated": _truncate,
    "weights of another kind": lambda f: (f / golden.WEIGHTS).write_bytes(b"PK\x03\x04" * 50),
    "an LM weight lacking": _drop(golden.WEIGHTS, "model.layers.1.mlp.up_proj.weight"),
    "a path weight lacking": _drop(golden.WEIGHTS, "model.layers.1.mlp.flow_up_proj.A"),
    "an input lacking": _drop(golden.TENSORS, "input_ids"),
    "an output lacking": _drop(golden.TENSORS, "case3.logits"),
    "an output of another shape": _reshape,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_broken_folder_is_refused(folder: Path, damage: str) -> None:
    DAMAGES[damage](folder)
    with pytest.raises(CheckpointError):
        golden.check(folder)
