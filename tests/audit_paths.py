"""Along which paths of a block of code a unit of work is committed without an audit entry.

A path takes either side of each branch, and the body of a loop not at all or once. A call that is
handed the unit counts where every path through what it may call leaves an entry.
"""

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

Functions = Mapping[str, Sequence[ast.FunctionDef]]
"""By their name alone, as a call says it."""
LATER = (ast.Lambda, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
MAYBE = (ast.IfExp, ast.BoolOp, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@dataclass(frozen=True, slots=True)
class At:
    """Where a path is."""

    told: bool = False
    """An entry was appended."""
    committed: bool = False

    def after(self, told: bool, committed: bool) -> "At":
        return At(self.told or told, self.committed or committed)


@dataclass
class Paths:
    """Those through one unit of work, by its name."""

    unit: str
    known: Functions
    seen: frozenset[str] = frozenset()
    """Functions that are being walked already."""

    def ends(self, block: Iterable[ast.stmt]) -> set[At]:
        """Of every path that is not broken off by an error; one that is, is rolled back."""
        left: set[At] = set()
        return self._through(block, {At()}, left) | left

    def _through(self, block: Iterable[ast.stmt], here: set[At], left: set[At]) -> set[At]:
        """Where the paths are behind the block; those that leave before go to `left`."""
        for each in block:
            here = self._step(each, here, left)
        return here

    def _step(self, each: ast.stmt, here: set[At], left: set[At]) -> set[At]:
        if isinstance(each, ast.Return | ast.Continue | ast.Break):
            left |= self._did([each], here)
            return set()
        if isinstance(each, ast.Raise):
            left |= {at for at in here if at.committed}
            return set()
        if isinstance(each, ast.If):
            here = self._did([each.test], here)
            return self._through(each.body, here, left) | self._through(each.orelse, here, left)
        if isinstance(each, ast.For | ast.While):
            return self._loop(each, here, left)
        if isinstance(each, ast.With):
            here = self._did([item.context_expr for item in each.items], here)
            return self._through(each.body, here, left)
        if isinstance(each, ast.Try):
            tried = self._through(each.body, here, left)
            behind = self._through(each.orelse, tried, left)
            for handler in each.handlers:
                behind |= self._through(handler.body, here | tried, left)
            return self._through(each.finalbody, behind, left)
        assert not isinstance(each, ast.Match | ast.TryStar), "teach this walk about it first"
        return self._did([each], here)

    def _loop(self, each: ast.For | ast.While, here: set[At], left: set[At]) -> set[At]:
        here = self._did([each.iter if isinstance(each, ast.For) else each.test], here)
        inside: set[At] = set()
        once = self._through(each.body, here, inside)
        returns = any(isinstance(node, ast.Return) for node in ast.walk(each))
        left |= inside if returns else set()
        return here | once | inside

    def _did(self, nodes: Iterable[ast.AST], here: set[At]) -> set[At]:
        told = committed = False
        for call in _calls(nodes):
            said = ast.unparse(call.func)
            told |= said == f"{self.unit}.audit.append" or self._hands_on(call)
            committed |= said == f"{self.unit}.commit"
        return {at.after(told, committed) for at in here}

    def _hands_on(self, call: ast.Call) -> bool:
        """To something that leaves an entry whatever it does."""
        name = ast.unparse(call.func).rpartition(".")[2]
        taken = [
            (function, place)
            for place, given in enumerate(call.args)
            if isinstance(given, ast.Name) and given.id == self.unit
            for function in self.known.get(name, ())
            if place in _units(function)
        ]
        if not taken or name in self.seen:
            return False
        inside = self.seen | {name}
        return all(
            at.told
            for function, place in taken
            for at in Paths(_units(function)[place], self.known, inside).ends(function.body)
        )


def silent(block: ast.With, unit: str, known: Functions) -> bool:
    """Whether some path commits and leaves no entry."""
    return any(at.committed and not at.told for at in Paths(unit, known).ends(block.body))


def _units(function: ast.FunctionDef) -> dict[int, str]:
    """Which of its arguments are units of work, and what it calls them."""
    taken = [each for each in function.args.args if each.arg != "self"]
    return {
        place: each.arg
        for place, each in enumerate(taken)
        if each.annotation is not None and ast.unparse(each.annotation) == "UnitOfWork"
    }


def _calls(nodes: Iterable[ast.AST]) -> Iterator[ast.Call]:
    """Those that are surely made: not what is kept for later or hangs on something."""
    for node in nodes:
        if isinstance(node, LATER):
            continue
        if isinstance(node, ast.BoolOp):
            yield from _calls(node.values[:1])
        elif isinstance(node, ast.IfExp):
            yield from _calls([node.test])
        elif isinstance(node, MAYBE):
            continue
        else:
            if isinstance(node, ast.Call):
                yield node
            yield from _calls(ast.iter_child_nodes(node))
