"""`policy` and `price` as they are typed: what they print, and the status they end with."""

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from app import energy
from app.cli import main
from app.commands.simulating import nfe_per_token
from app.gateways import _config as sampler_config
from model.writing import Recipe
from policies.document import preset
from policies.types import Rung, Solver
from tests.tiny import tiny_sampler
from tests.unit.policies.policies import policy, written

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """One command in a folder of its own: status, standard output, standard error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("L2D_DATA_DIR", str(tmp_path / "data"))

    def command(*words: str) -> tuple[int, str, str]:
        status = main(words)
        said = capsys.readouterr()
        return status, said.out, said.err

    return command


def parsed(done: tuple[int, str, str]) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(done[1])
    return value


def draft(folder: Path, **fields: Any) -> Path:
    file = folder / "draft.yaml"
    file.write_text(written("draft", **fields), encoding="utf-8")
    return file


def test_policy_goes_from_file_to_force_and_back(run: Run, tmp_path: Path) -> None:
    file, version = draft(tmp_path), policy("draft").version
    first = parsed(run("policy", "show", "--json"))
    assert first["version"] == preset("pilot").version
    assert run("policy", "propose", str(file), "--user", "ann", "--note", "try it")[0] == 0
    status, _, said = run("policy", "approve", version, "--user", "ann")
    assert (status, said.startswith(f"error: ann proposed {version}")) == (1, True)
    assert run("policy", "activate", version, "--user", "bob")[0] == 1
    assert run("policy", "approve", version, "--user", "bob")[0] == 0
    assert run("policy", "activate", version, "--user", "ann")[0] == 0
    assert run("policy", "show")[1].startswith(version)
    assert run("policy", "show", version, "--source")[1] == file.read_text("utf-8") + "\n"
    history = parsed(run("policy", "history", "--json"))["versions"]
    assert {v["version"]: (v["state"], v["note"]) for v in history} == {
        version: ("active", "try it"),
        first["version"]: ("retired", "the policy this pilot began with"),
    }
    assert (
        parsed(run("policy", "rollback", "--user", "bob", "--json"))["version"] == first["version"]
    )
    assert run("policy", "show")[1].startswith(first["version"])


def test_validate_lists_every_fault_with_its_line(run: Run, tmp_path: Path) -> None:
    file = draft(tmp_path, critical={"max_nfe_per_token": 5}, high={"solver": "rk9"})
    status, _, said = run("policy", "validate", str(file))
    assert status == 1
    assert "draft.yaml, line 12: rungs.high.solver: Input should be 'base', 'euler'" in said
    found = parsed(run("policy", "validate", str(file), "--json"))
    assert (found["valid"], found["version"]) == (False, None)
    assert [(f["line"], f["field"], f["got"]) for f in found["faults"]] == [
        (12, "rungs.high.solver", "'rk9'")
    ]


def test_validate_knows_the_prices_of_the_settings(run: Run, tmp_path: Path) -> None:
    limit = {"scope": "request", "window": "request", "limit": "0.000000001 USD"}
    status, _, said = run("policy", "validate", str(draft(tmp_path, ceilings=[limit])))
    assert (status, "routine can never run" in said) == (1, True)


def test_validate_of_a_file_that_is_not_there_says_so(run: Run) -> None:
    status, _, said = run("policy", "validate", "nowhere.yaml")
    assert status == 1
    assert said.startswith("error: nowhere.yaml: cannot be read")


def test_diff_takes_files_and_versions(run: Run, tmp_path: Path) -> None:
    file = draft(tmp_path)
    status, said, _ = run("policy", "diff", str(file))
    assert status == 0
    assert 'name: "draft" -> "pilot"' in said
    assert "rungs.high.max_new_tokens: 10 -> 96" in said
    same = parsed(run("policy", "diff", preset("pilot").version, "--json"))
    assert same["changes"] == []


def test_simulate_of_an_empty_log_is_all_zero(run: Run, tmp_path: Path) -> None:
    found = parsed(run("policy", "simulate", str(draft(tmp_path)), "--json"))
    assert (found["queries"], found["cost_nanos"]) == (0, {"before": 0, "after": 0})
    assert found["policy_version"] == policy("draft").version
    status, _, said = run("policy", "simulate", str(draft(tmp_path)), "--since", "yesterday")
    assert (status, "a day is written as 2026-11-24" in said) == (1, True)


def test_price_show_says_which_list_is_in_force_in_the_zone_of_the_pilot(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lists = "".join(
        f"- {{version: {v}, currency: JPY, model: m, valid_from: {day}, prompt_token_nanos: 1, "
        "decode_token_nanos: 2, nfe_nanos: 3}\n"
        for v, day in (("later", "2999-01-01"), ("first", "2020-01-01"), ("now", "2021-01-01"))
    )
    (tmp_path / "prices.yaml").write_text(lists, encoding="utf-8")
    monkeypatch.setenv("L2D_PRICES", "prices.yaml")
    monkeypatch.setenv("L2D_TIME_ZONE", "Asia/Tokyo")
    found = parsed(run("price", "show", "--json"))["prices"]
    assert [(p["version"], p["in_force"]) for p in found] == [
        ("first", False), ("now", True), ("later", False),
    ]  # fmt: skip
    assert found[1]["valid_from"] == "2021-01-01T00:00:00+09:00"
    monkeypatch.setenv("L2D_TIME_ZONE", "Mars/Base")
    assert "IANA time zone as Asia/Tokyo, got 'Mars/Base'" in run("price", "show")[2]


def test_price_list_that_changed_under_its_name_stops_the_start(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("policy", "show")[0] == 0
    text = (Path(__file__).parents[3] / "policies" / "presets" / "prices.yaml").read_text("utf-8")
    dearer = text.replace("nfe_nanos: 700", "nfe_nanos: 701")
    (tmp_path / "prices.yaml").write_text(dearer, encoding="utf-8")
    monkeypatch.setenv("L2D_PRICES", "prices.yaml")
    status, _, said = run("policy", "show")
    assert (status, "is in use with other prices" in said) == (1, True)


def test_reconcile_of_an_empty_span_says_so(run: Run) -> None:
    status, said, _ = run("price", "reconcile", "--since", "2026-01-01", "--until", "2026-01-31")
    assert (status, said) == (0, "no answer ended in that time\n")
    assert run("price", "reconcile", "--since", "2026-02-01", "--until", "2026-01-01")[0] == 1


@pytest.mark.parametrize("solver", [s for s in Solver if s is not Solver.BASE and not s.adaptive])
@pytest.mark.parametrize("cap", [2, 3, 4, 7, 16])
def test_replay_counts_the_evaluations_that_the_engine_would_run(solver: Solver, cap: int) -> None:
    prepared, rung = tiny_sampler().prepared, Rung(solver, cap, 1.0, 8)
    rungs = [rung, replace(rung, guidance=2.0)] + [replace(rung, points=3)] * (cap >= 16)
    for each in rungs:
        assert nfe_per_token(each) == Recipe.of(prepared, sampler_config(each)).grid.nfe


def package(folder: Path, name: str, joules: float, wrap: int) -> Path:
    counter = folder / name
    counter.mkdir(exist_ok=True)
    (counter / "energy_uj").write_text(f"{round(joules * 1e6)}\n")
    (counter / "max_energy_range_uj").write_text(f"{wrap}\n")
    return counter


def test_energy_of_all_packages_adds_up_over_a_counter_that_begins_again(tmp_path: Path) -> None:
    for name in ("intel-rapl:0", "intel-rapl:1"):
        package(tmp_path, name, 8.0, 9_999_999)
    package(tmp_path, "intel-rapl:0:0", 99.0, 10**9)  # a part of package 0, counted in it
    joules, source = energy.meter("cpu", tmp_path)
    assert (joules(), source) == (0.0, "RAPL, 2 packages")
    package(tmp_path, "intel-rapl:0", 9.5, 9_999_999)
    package(tmp_path, "intel-rapl:1", 1.0, 9_999_999)  # went over its limit of ten
    assert joules() == pytest.approx(1.5 + 3.0)


def test_machine_without_counters_says_so_and_measures_nothing(tmp_path: Path) -> None:
    joules, source = energy.meter("cpu", tmp_path)
    assert (joules(), source) == (None, "this machine has no RAPL counters")
    (tmp_path / "intel-rapl:0").mkdir()
    joules, source = energy.meter("cpu", tmp_path)
    assert joules() is None
    assert source.startswith("RAPL cannot be read")


def test_energy_of_a_gpu_is_what_nvml_counts_since_the_meter_began(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """NVML itself needs the GPU; this is its face."""
    counted = {0: 1_000, 1: 5_000}  # millijoules
    nvml = SimpleNamespace(
        nvmlInit=lambda: None,
        nvmlDeviceGetHandleByIndex=lambda index: index,
        nvmlDeviceGetTotalEnergyConsumption=lambda handle: counted[handle],
        NVMLError=RuntimeError,
    )
    monkeypatch.setitem(sys.modules, "pynvml", nvml)
    joules, source = energy.meter("cuda:1")
    counted[1] += 2_500
    assert (joules(), source) == (2.5, "NVML")
