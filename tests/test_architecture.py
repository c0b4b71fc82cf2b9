"""The shape of the code, held by tests: directions of imports, purity, docstrings everywhere."""

import ast
import functools
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CONFIG = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PACKAGES = CONFIG["tool"]["importlinter"]["root_packages"]
SUPPORT = {"tests", "scripts", "benchmarks"}
"""Folders with code that is not shipped; they may import anything."""
OUTSIDE_WORLD = {"os", "time", "random", "secrets", "socket", "subprocess", "uuid"}
MONEY = ("policies/pricing.py", "storage/ledger.py", "app/services/run.py")
HEAVY = ("torch", "gradio", "transformers", "plotly")


def sources(*folders: str) -> list[Path]:
    return sorted(file for folder in folders for file in (ROOT / folder).rglob("*.py"))


@functools.cache
def tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"), str(file))


# Parsed while tests are collected, before any of them starts a thread: CPython 3.11 keeps the depth
# of this recursion for all threads together and may end one of two with a SystemError.
for _file in sources(*PACKAGES, *SUPPORT):
    tree(_file)


def imported(file: Path) -> Iterator[str]:
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def name(file: Path) -> str:
    return str(file.relative_to(ROOT))


def python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)


def test_imports_run_one_way_and_every_framework_has_one_home() -> None:
    """In a process of its own: the linter sets up logging for all of it."""
    code = (
        "from importlinter.cli import lint_imports as run; exit(run(no_cache=True, no_logo=True))"
    )
    done = python(code)
    assert done.returncode == 0, done.stdout


def test_every_package_is_under_the_import_contracts() -> None:
    with_code = {file.relative_to(ROOT).parts[0] for file in ROOT.glob("*/*.py")}
    assert with_code - SUPPORT == set(PACKAGES)


def test_app_py_only_hands_over() -> None:
    lines = (ROOT / "app.py").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 15
    assert list(imported(ROOT / "app.py")) == ["sys", "app.cli"]


@pytest.mark.parametrize("file", sources(*PACKAGES, "scripts", "tests"), ids=name)
def test_every_file_says_what_it_is(file: Path) -> None:
    assert not file.read_text(encoding="utf-8").strip() or ast.get_docstring(tree(file))


@pytest.mark.parametrize("file", sources("policies"), ids=name)
def test_policies_ask_nothing_of_the_outside_world(file: Path) -> None:
    assert not {module.split(".")[0] for module in imported(file)} & OUTSIDE_WORLD
    called = {node.attr for node in ast.walk(tree(file)) if isinstance(node, ast.Attribute)}
    assert not called & {"now", "today", "utcnow"}


@pytest.mark.parametrize("file", [ROOT / file for file in MONEY], ids=name)
def test_money_is_never_divided_and_never_a_float(file: Path) -> None:
    """Whole nanos stay whole, so that a quote is a true upper bound and sums agree to the nano."""
    nodes = list(ast.walk(tree(file)))
    assert not [ast.unparse(n) for n in nodes if isinstance(n, ast.Div)]
    assert not [n.lineno for n in nodes if isinstance(n, ast.Name) and n.id in ("float", "round")]


def test_tests_use_fakes_and_no_mocks() -> None:
    mocking = [name(f) for f in sources("tests") if "unittest.mock" in set(imported(f))]
    assert mocking == []


@pytest.mark.parametrize(
    "module", ["app.cli", "app.services.ask", "app.presenters.ask", "policies"]
)
def test_light_modules_stay_light(module: str) -> None:
    """Whoever asks for the policy in force does not wait seconds for torch and Gradio."""
    code = f"import sys, {module}; print(*(m for m in {HEAVY} if m in sys.modules))"
    done = python(code)
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr
