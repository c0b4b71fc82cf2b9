"""`user`, `audit` and who a command speaks for, as they are typed."""

import csv
import json
import socket
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.cli import main
from app.commands.serving import serve
from app.services.audit import cell
from app.settings import read
from policies.errors import InvalidInput
from tests.unit.policies.policies import policy, written

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """One command in a folder of its own: status, standard output, standard error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("L2D_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("LOGNAME", "root")

    def command(*words: str) -> tuple[int, str, str]:
        status = main(words)
        said = capsys.readouterr()
        return status, said.out, said.err

    return command


def parsed(done: tuple[int, str, str]) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(done[1])
    return value


def users(run: Run) -> dict[str, tuple[list[str], str]]:
    found = parsed(run("user", "list", "--json"))["users"]
    return {user["user"]: (user["roles"], user["state"]) for user in found}


def events(run: Run, *only: str) -> list[tuple[str, str, str]]:
    """Newest first."""
    found = parsed(run("audit", "show", *only, "--json"))["entries"]
    return [(entry["by"], entry["action"], entry["subject"]) for entry in found]


def test_an_account_is_added_changed_and_disabled(run: Run) -> None:
    added = parsed(run("user", "add", "Ann", "--role", "requester", "--team", "sales", "--json"))
    assert added["user"] == "ann"
    assert added["link"].startswith("http://127.0.0.1:7860/welcome?link=")
    assert run("user", "add", "cho", "--role", "admin", "--role", "reviewer")[0] == 0
    assert users(run) == {
        "ann": (["requester"], "no password chosen yet"),
        "cho": (["admin", "reviewer"], "no password chosen yet"),
    }
    assert run("user", "roles", "ann", "--role", "viewer")[0] == 0
    assert parsed(run("user", "link", "ann", "--json"))["link"] != added["link"]
    assert run("user", "team", "ann", "ops")[0] == 0
    assert run("user", "disable", "ann")[0] == 0
    assert users(run)["ann"][1].startswith("disabled")
    assert run("user", "enable", "ann")[0] == 0
    assert [action for _, action, _ in events(run, "--subject", "ann")] == [
        "user.enable", "user.disable", "user.team", "user.link", "user.roles", "user.link",
        "user.add",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("host", "port", "address"),
    [
        ("10.1.2.3", "9000", "http://10.1.2.3:9000"),
        ("::1", "8080", "http://[::1]:8080"),
        ("0.0.0.0", "80", f"http://{socket.gethostname()}:80"),
        ("::", "80", f"http://{socket.gethostname()}:80"),
        ("ask.example", "443", "http://ask.example:443"),
    ],
)
def test_a_link_names_the_host_and_port_on_which_the_pages_are(
    run: Run, monkeypatch: pytest.MonkeyPatch, host: str, port: str, address: str
) -> None:
    monkeypatch.setenv("L2D_HOST", host)
    monkeypatch.setenv("L2D_PORT", port)
    added = parsed(run("user", "add", "ann", "--role", "requester", "--json"))
    assert added["link"].startswith(f"{address}/welcome?link=")
    assert parsed(run("user", "link", "ann", "--json"))["link"].startswith(f"{address}/welcome?")


def test_a_role_that_is_none_is_refused_with_those_there_are(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        run("user", "add", "ann", "--role", "king")
    said = capsys.readouterr().err
    assert "budget_owner" in said


def test_writing_the_totals_anew_is_in_the_audit_log(run: Run) -> None:
    assert run("ledger", "rebuild")[0] == 0
    assert events(run)[0] == ("root", "ledger.rebuild", "ledger")


def test_a_command_speaks_for_an_account_with_its_roles_only(run: Run, tmp_path: Path) -> None:
    file, version = tmp_path / "draft.yaml", policy("draft").version
    file.write_text(written("draft"), encoding="utf-8")
    run("user", "add", "ann", "--role", "requester")
    run("user", "add", "finn", "--role", "policy_owner")
    status, _, said = run("policy", "propose", str(file), "--as", "ann")
    assert status == 1
    assert said.startswith("error: ann may not propose policy; it takes one of these roles: ")
    assert run("policy", "propose", str(file), "--as", "finn")[0] == 0
    status, _, said = run("policy", "approve", version, "--as", "nobody")
    assert (status, "there is no account nobody" in said) == (1, True)
    assert run("policy", "approve", version)[0] == 0  # the system's own user
    assert events(run, "--action", "policy.")[:2] == [
        ("root", "policy.approve", version), ("finn", "policy.propose", version),
    ]  # fmt: skip


def test_raises_and_limits_are_in_the_log(run: Run) -> None:
    asked = run("budget", "ask", "pilot", "day", "2.50", "--user", "ann", "--reason", "month end")
    raise_id = asked[1].split("budget grant ")[1].split()[0]
    assert run("budget", "grant", raise_id, "--user", "ann")[0] == 1
    assert run("budget", "grant", raise_id, "--user", "emi")[0] == 0
    assert run("budget", "limit", "team:sales", "1.00", "--user", "emi")[0] == 0
    assert events(run)[:3] == [
        ("emi", "budget.limit", "team:sales"),
        ("emi", "raise.grant", raise_id),
        ("ann", "raise.ask", raise_id),
    ]


def test_budget_show_knows_a_raise_before_any_request_does(run: Run) -> None:
    def limit() -> int:
        (pilot,) = parsed(run("budget", "show", "--json"))["ceilings"]
        return int(pilot["limit_nanos"])

    before = limit()
    asked = run("budget", "ask", "pilot", "whole", "2.50", "--user", "ann", "--reason", "more")
    raise_id = asked[1].split("budget grant ")[1].split()[0]
    assert limit() == before
    assert run("budget", "grant", raise_id, "--user", "emi")[0] == 0
    assert limit() == before + 2_500_000_000


def test_a_pilot_begins_with_its_limit_its_prices_and_its_policy_in_the_log(run: Run) -> None:
    assert [event[:2] for event in events(run)] == [
        ("operator", "policy.activate"), ("system", "price.set"), ("system", "budget.limit"),
    ]  # fmt: skip
    assert events(run) == events(run)  # opening it again adds nothing


def test_only_some_roles_read_and_export_the_log(run: Run) -> None:
    run("user", "add", "ann", "--role", "requester")
    for words in (("audit", "show"), ("audit", "export")):
        status, out, said = run(*words, "--as", "ann")
        assert (status, out, "ann may not read audit" in said) == (1, "", True)


def test_an_export_has_every_entry_and_is_one_itself(run: Run, tmp_path: Path) -> None:
    run("user", "add", "ann", "--role", "requester", "--team", "=cmd|'/c calc'!A1")
    run("budget", "ask", "pilot", "day", "2.50", "--user", "root", "--reason", "more")
    lines = run("audit", "export")[1].splitlines()
    entries = [json.loads(line) for line in lines]
    assert [entry["number"] for entry in entries] == list(range(1, len(lines) + 1))
    assert entries[-1]["action"] == "export"
    file = tmp_path / "audit.csv"
    assert run("audit", "export", "--format", "csv", "--out", str(file))[0] == 0
    with file.open(encoding="utf-8", newline="") as opened:
        rows = list(csv.DictReader(opened))
    assert [row["hash"] for row in rows[:-1]] == [entry["hash"] for entry in entries]
    assert json.loads(rows[2]["details"]) == entries[2]["details"]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_cell_is_a_formula(text: str) -> None:
    assert cell(text) == f"'{text}"
    assert cell("user:=1") == "user:=1"
    assert cell(7) == "7"


def test_verify_says_whole_or_names_the_entry(run: Run, tmp_path: Path) -> None:
    run("user", "add", "ann", "--role", "requester")
    whole = parsed(run("audit", "verify", "--json"))
    assert (whole["whole"], whole["entries"]) == (True, 5)
    head = f"{whole['entries']}:{whole['head']}"
    run("user", "link", "ann")
    assert run("audit", "verify", "--head", head)[0] == 0
    assert run("audit", "verify", "--head", f"5:{'0' * 64}")[0] == 1
    assert run("audit", "verify", "--head", f"9:{whole['head']}")[0] == 1
    status, _, said = run("audit", "verify", "--head", "four")
    assert (status, "NUMBER:HASH" in said) == (1, True)
    with sqlite3.connect(tmp_path / "data" / "l2d.sqlite") as database:
        database.execute("DROP TRIGGER audit_log_no_update")
        database.execute("UPDATE audit_log SET \"by\" = 'eve' WHERE number = 3")
    database.close()
    status, out, _ = run("audit", "verify")
    assert (status, out.count("\n")) == (1, 1)
    assert out.startswith("audit entry 3: ")


def test_days_and_filters_choose_entries(run: Run) -> None:
    run("user", "add", "ann", "--role", "requester")
    assert len(events(run)) == 5
    assert events(run, "--until", "2020-01-01") == []
    assert events(run, "--since", "2999-01-01") == []
    assert events(run, "--by", "root", "--action", "user.add") == [("root", "user.add", "ann")]
    assert len(events(run, "--limit", "1")) == 1


# --- serving --------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.7", "::", "example.org"])
def test_without_sign_in_only_this_machine_is_served(host: str, tmp_path: Path) -> None:
    from argparse import Namespace

    settings = read({"L2D_AUTH": "off"}, tmp_path / "none.toml")
    with pytest.raises(InvalidInput, match="no loopback address"):
        serve(settings, Namespace(host=host, port=0))


def test_single_sign_on_is_refused_until_it_is_there(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"oidc .* comes in a later release; use local or off"):
        read({"L2D_AUTH": "oidc"}, tmp_path / "none.toml")
    with pytest.raises(InvalidInput, match="auth must be one of local, off"):
        read({"L2D_AUTH": "none"}, tmp_path / "none.toml")
    assert read({}, tmp_path / "none.toml").auth == "local"
