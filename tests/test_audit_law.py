"""Every change leaves an entry in the audit log, in its own transaction: a law over the code.

Whatever commits a unit of work must append to the audit log of that same unit, itself or in a
function that it hands the unit to. Only what is listed here need not, and why. That an entry is
gone with a change that is rolled back is tests/integration/storage/test_audit.py.
"""

import ast
from collections import defaultdict
from collections.abc import Iterator

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
