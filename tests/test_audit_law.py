"""Every change leaves an entry in the audit log, in its own transaction: a law over the code.

Whatever commits a unit of work must append to the audit log of that same unit, itself or in a
function that it hands the unit to, along every path that commits. Only what is listed here need
not, and why. That change and entry come and go together is tests/integration/test_audit_crashes.py.
"""

import ast
from collections import defaultdict
from collections.abc import Iterator

import pytest

from tests.audit_paths import silent
from tests.test_architecture import sources, tree

LEDGER = "the ledger is a sealed chain of its own, with the answer, the person and the instant"
LIVES = "a sign of life changes nothing that anyone decided"
OWN = "what people say of their own answers is kept with who and when, and nothing hangs on it"
OUTBOX = "of a message that is under way; what it tells of has its own entry"
NEED_NONE = {
    "Admission._admit": LEDGER,
    "Admission._hold_all": LEDGER,
    "Admission._record_refusals": LEDGER,
    "Run._settle": LEDGER,
    "Ask.recover": LEDGER,
    "BookTime._booked": LEDGER,
    "Run._beat": LIVES,
    "_Running._lengthen": LIVES,
    "ReviewDesk.heartbeat": LIVES,
    "ReviewEvidence._run": LIVES,
    "SignIn.touch": LIVES,
    "Ask.rate": OWN,
    "SideBySide.vote": OWN,
    "ReviewDesk.save": "a draft decides nothing; the verdict it becomes has its entry",
    "SendAlerts.__call__": OUTBOX,
    "Sweep._send": OUTBOX,
    "SignIn.count": "counted before the password is tried; that it failed is an entry",
}
NOTHING_NEW = "where something is new it has its entry; the rest is there already"
SOME_PATHS = {
    "Bookings._book": "a key that booked before books nothing",
    "Sweep.__call__": "what ran out has its entry; reminders are messages of their own",
    "open_storage": NOTHING_NEW,
    "seed": NOTHING_NEW,
}
"""Where one path leaves an entry and another need not, and why."""
Functions = dict[str, list[ast.FunctionDef]]


def functions() -> Iterator[tuple[str, ast.FunctionDef]]:
    """With their names, a method's after its class."""
    for file in sources("app"):
        yield from _within(tree(file), "")


def _within(node: ast.AST, before: str) -> Iterator[tuple[str, ast.FunctionDef]]:
    for each in ast.iter_child_nodes(node):
        if isinstance(each, ast.FunctionDef):
            yield before + each.name, each
        elif isinstance(each, ast.ClassDef):
            yield from _within(each, f"{each.name}.")


def by_name() -> Functions:
    found: Functions = defaultdict(list)
    for name, function in functions():
        found[name.rpartition(".")[2]].append(function)
    return found


def commits() -> Iterator[tuple[str, ast.With, str]]:
    """Function, block and name of each unit of work that is committed."""
    for name, function in functions():
        for block in (each for each in ast.walk(function) if isinstance(each, ast.With)):
            for unit in (each.optional_vars for each in block.items):
                if isinstance(unit, ast.Name) and _calls(block, f"{unit.id}.commit"):
                    yield name, block, unit.id


def appends(node: ast.AST, unit: str, known: Functions, seen: frozenset[str]) -> bool:
    """Whether the unit's audit log is appended to here, or where the unit is handed on to."""
    if _calls(node, f"{unit}.audit.append"):
        return True
    for call in (each for each in ast.walk(node) if isinstance(each, ast.Call)):
        name = ast.unparse(call.func).rpartition(".")[2]
        if name in seen:
            continue
        for place, given in enumerate(call.args):
            if isinstance(given, ast.Name) and given.id == unit:
                for function in known.get(name, ()):
                    taken = [each.arg for each in function.args.args if each.arg != "self"]
                    if taken[place:] and appends(function, taken[place], known, seen | {name}):
                        return True
    return False


def _calls(node: ast.AST, what: str) -> bool:
    return any(
        isinstance(each, ast.Call) and ast.unparse(each.func) == what for each in ast.walk(node)
    )


def test_whatever_changes_something_writes_an_audit_entry_in_the_same_transaction() -> None:
    known, silent = by_name(), set()
    found = list(commits())
    for name, block, unit in found:
        if not appends(block, unit, known, frozenset()):
            silent.add(name)
    assert len({name for name, _, _ in found}) > len(NEED_NONE) + 20  # it does find them
    assert silent == set(NEED_NONE)


def test_along_every_path_that_commits_an_entry_is_left() -> None:
    """Either side of each branch; a loop that runs not at all; whatever the unit is handed to."""
    known = by_name()
    missing = {name for name, block, unit in commits() if silent(block, unit, known)}
    assert missing == set(NEED_NONE) | set(SOME_PATHS)


@pytest.mark.parametrize(
    ("code", "missing"),
    [
        ("u.audit.append(1)\nu.commit()", False),
        ("u.commit()\nu.audit.append(1)", False),
        ("if a:\n u.audit.append(1)\nu.commit()", True),
        ("if a:\n u.audit.append(1)\nelse:\n told(u)\nu.commit()", False),
        ("if a:\n u.commit()\n return\nu.audit.append(1)\nu.commit()", True),
        ("if a:\n return\nu.audit.append(1)\nu.commit()", False),
        ("if a:\n raise b\nelse:\n u.audit.append(1)\nu.commit()", False),
        ("for a in b:\n u.audit.append(1)\nu.commit()", True),
        ("try:\n u.audit.append(1)\nexcept E:\n pass\nu.commit()", True),
        ("a and u.audit.append(1)\nu.commit()", True),
        ("f = lambda: u.audit.append(1)\nu.commit()", True),
        ("told(u)\nu.commit()", False),
        ("perhaps(u)\nu.commit()", True),
        ("with x() as y:\n told(u)\nu.commit()", False),
    ],
)
def test_a_path_that_leaves_no_entry_is_found(code: str, missing: bool) -> None:
    known: Functions = defaultdict(list)
    given = (
        "def told(w: UnitOfWork): w.audit.append(1)\n"
        "def perhaps(w: UnitOfWork):\n if x: return\n w.audit.append(1)\n"
    )
    for each in ast.parse(given).body:
        assert isinstance(each, ast.FunctionDef)
        known[each.name].append(each)
    whole = "with open() as u:\n" + "\n".join(f"  {line}" for line in code.split("\n"))
    block = ast.parse(whole).body[0]
    assert isinstance(block, ast.With)
    assert silent(block, "u", known) is missing


def test_a_change_without_an_entry_is_found_through_all_that_it_calls() -> None:
    known: Functions = defaultdict(list)
    code = (
        "def told(work, by): work.audit.append(by)\n"
        "def silent(work, by): work.policies.add(by)\n"
        "def handed(other, work): told(work, other)\n"
    )
    for each in ast.parse(code).body:
        assert isinstance(each, ast.FunctionDef)
        known[each.name].append(each)
    for call, leaves in (("told(u, 1)", True), ("silent(u, 1)", False), ("handed(1, u)", True)):
        block = ast.parse(f"with open() as u:\n  {call}\n  u.commit()")
        assert appends(block, "u", known, frozenset()) is leaves
