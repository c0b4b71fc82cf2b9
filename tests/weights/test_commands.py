"""The commands on real weights: what they print is what the ledger says."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from policies.document import PRESETS, preset
from policies.prices import load
from policies.pricing import price
from policies.types import Importance, Units
from tests.weights.conftest import QUESTION, ROOT, Command, environment


def asked(
    command: Command, importance: str, *more: str, question: str = QUESTION
) -> dict[str, Any]:
    done = command("ask", question, "--importance", importance, "--domain", "math", "--json", *more)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def rows(folder: Path, query: str) -> list[tuple[Any, ...]]:
    with sqlite3.connect(folder / "l2d.sqlite") as database:
        return database.execute(query).fetchall()


def test_answer_ledger_and_price_list_agree_to_the_nano(command: Command, tmp_path: Path) -> None:
    answer = asked(command, "high", "--seed", "1")
    (prices,) = load("builtin")
    units = Units(answer["prompt_tokens"], answer["decode_tokens"], answer["nfe"])
    assert answer["cost_nanos"] == price(units, prices)
    assert rows(tmp_path, "select cost_nanos from answers") == [(answer["cost_nanos"],)]
    assert rows(tmp_path, "select nanos from ledger_entries") == [(answer["cost_nanos"],)]
    assert rows(tmp_path, "select committed_nanos, held_nanos from budgets") == [
        (answer["cost_nanos"], 0)
    ]
    assert command("ledger", "verify").returncode == 0


def test_routine_and_critical_spend_what_the_policy_says(command: Command) -> None:
    policy = preset("pilot")
    unsure = "Describe the sea in one sentence."  # of its own tasks it may be sure throughout
    routine, critical = (
        asked(command, i.value, "--seed", "1", question=unsure)
        for i in (Importance.ROUTINE, Importance.CRITICAL)
    )
    assert (routine["nfe_per_token"], routine["nfe"]) == (0, 0)
    rung = policy.rungs[Importance.CRITICAL]
    assert (critical["nfe_per_token"], rung.gate) == (1, 0.9)  # where it is not sure
    assert 0 < critical["nfe"] < rung.most_nfe
    for answer in (routine, critical):
        assert answer["policy_version"] == policy.version
        assert answer["cost_nanos"] <= answer["quote_nanos"]


def test_the_same_seed_gives_the_same_answer_and_the_same_charge(command: Command) -> None:
    first, second = (asked(command, "standard", "--seed", "5") for _ in range(2))
    for field in ("answer", "nfe", "cost_nanos", "decode_tokens"):
        assert first[field] == second[field]


def test_the_same_key_runs_once(command: Command) -> None:
    first, second = (asked(command, "standard", "--key", "k", "--seed", "5") for _ in range(2))
    assert (second["answer_id"], second["replayed"]) == (first["answer_id"], True)


def test_a_batch_is_stopped_and_goes_on_where_it_was(command: Command, tmp_path: Path) -> None:
    lines = [{"question": f"What is {n} + {n}?", "id": f"n{n}", "seed": n} for n in range(48)]
    lines[2]["importance"] = "critical"
    (tmp_path / "questions.jsonl").write_text("\n".join(map(json.dumps, lines)))
    call = [sys.executable, str(ROOT / "app.py"), "ask-all", "questions.jsonl", "--key", "k"]
    running = subprocess.Popen(
        call, env=environment(tmp_path), cwd=tmp_path, stdout=subprocess.PIPE, text=True
    )
    assert running.stdout is not None
    first = json.loads(running.stdout.readline())
    running.send_signal(signal.SIGINT)
    rest, _ = running.communicate(timeout=60)
    assert running.returncode == 130
    assert rows(tmp_path, "select count(*) from holds where state = 'open'") == [(0,)]
    told = {first["id"]: first} | {row["id"]: row for row in map(json.loads, rest.splitlines())}
    done = command("ask-all", "questions.jsonl", "--key", "k")
    assert done.returncode == 0, done.stderr
    found = {row["id"]: row for row in map(json.loads, done.stdout.splitlines())}
    assert set(found) == {f"n{n}" for n in range(48)}
    assert found["n2"]["status"] == "pending_review"
    assert found["n2"]["answer"] == ""
    for name, row in told.items():
        if row["status"] != "cancelled":
            assert (found[name]["answer_id"], found[name]["replayed"]) == (row["answer_id"], True)
    assert command("ledger", "verify").returncode == 0


def test_a_killed_process_loses_no_settled_row_and_its_hold_is_given_back(
    command: Command, tmp_path: Path
) -> None:
    slow = (PRESETS / "full.yaml").read_text(encoding="utf-8").replace(": 15,", ": 127,")
    (tmp_path / "slow.yaml").write_text(slow, encoding="utf-8")  # a critical answer takes long
    (tmp_path / "l2d.toml").write_text('policy = "slow.yaml"\n')
    settled = asked(command, "standard", "--seed", "1")
    call = [sys.executable, str(ROOT / "app.py"), "ask", QUESTION, "--importance", "critical"]
    running = subprocess.Popen(
        call,
        env=environment(tmp_path) | {"L2D_LEASE_SECONDS": "3"},
        cwd=tmp_path,
        stderr=subprocess.DEVNULL,
    )
    until = time.monotonic() + 120
    done = "select decode_tokens from holds where state = 'open' and decode_tokens > 0"
    while not rows(tmp_path, done):
        assert time.monotonic() < until, "the answer never got under way"
        assert running.poll() is None, "the answer was over before it could be killed"
        time.sleep(0.02)
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    time.sleep(3.1)
    assert command("db", "upgrade").returncode == 0  # opens the database without settling
    (held,) = rows(tmp_path, "select held_nanos from budgets")[0]
    assert held > 0, "nothing has recovered yet"
    again = asked(command, "routine")  # any start of the app recovers first
    assert rows(tmp_path, "select count(*) from holds where state = 'open'") == [(0,)]
    assert rows(tmp_path, "select held_nanos from budgets") == [(0,)]
    kept = dict(rows(tmp_path, "select id, cost_nanos from answers where status = 'released'"))
    assert kept == {
        settled["answer_id"]: settled["cost_nanos"],
        again["answer_id"]: again["cost_nanos"],
    }
    ((units, charged),) = rows(
        tmp_path,
        "select h.nfe, l.nanos from holds h join ledger_entries l on l.hold_id = h.id "
        "where h.state = 'expired'",
    )
    assert units > 0
    assert charged > 0
    assert command("ledger", "verify").returncode == 0


def test_evaluate_gives_intervals_and_stores_what_it_gives(
    command: Command, tmp_path: Path
) -> None:
    done = command("evaluate", "--budgets", "0,3", "--limit", "6", "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    results, comparisons = said["results"], said["comparisons"]
    assert [r["budget"] for r in results] == [0, 3]
    (whole,) = [c for c in comparisons if c["domain"] is None]
    assert (whole["budget"], whole["over_budget"], whole["n"]) == (3, 0, 6)
    assert whole["difference"] == pytest.approx(
        results[1]["accuracy"] - results[0]["accuracy"], abs=1e-3
    )
    for r in results:
        assert r["ci_low"] <= r["accuracy"] <= r["ci_high"]
        assert r["n"] == 6
        assert r["nfe_per_token"] == r["budget"]
    assert results[0]["cost_nanos_per_answer"] > 0
    stored = rows(
        tmp_path,
        "select budget, n from measurements where domain is null and n = 6 order by budget",
    )
    assert stored == [(0, 6), (3, 6)]


def test_bad_input_ends_in_one_clear_line(command: Command) -> None:
    done = command("ask", "   ")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "error: the question is empty\n"


def test_a_question_over_the_ceiling_is_refused_with_the_numbers(command: Command) -> None:
    done = command("ask", QUESTION, "--importance", "critical", L2D_PILOT_LIMIT="0.0001")
    assert done.returncode == 1
    for word in ("limit_nanos 100000", "quote_nanos", "fits routine"):
        assert word in done.stderr


def test_an_important_answer_waits_until_another_person_approved_it(command: Command) -> None:
    waiting = asked(command, "high", "--key", "k", "--user", "ann")
    assert (waiting["status"], waiting["answer"]) == ("pending_review", "")
    own = command("review", "approve", waiting["answer_id"], "--user", "ann")
    assert own.returncode == 1
    assert "asked for" in own.stderr
    assert command("review", "approve", waiting["answer_id"], "--user", "bob").returncode == 0
    again = asked(command, "high", "--key", "k", "--user", "ann")
    assert (again["status"], again["replayed"]) == ("released", True)
    assert again["answer"]
    assert command("ledger", "verify").returncode == 0
