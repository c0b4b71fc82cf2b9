"""What the documents promise, held against the code: generated pages, commands, targets, pins."""

import re
import shlex
from pathlib import Path

import pytest

from app.cli import main
from scripts.generate_docs import DOCS, pages

ROOT = DOCS.parent
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TEXTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]
COMMAND = re.compile(r"python app\.py +([^`\n]+)")
TARGET = re.compile(r"\bmake ([a-z]+)\b")
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")


def commands() -> list[str]:
    """Every command line the documents show."""
    found = {line for file in TEXTS for line in COMMAND.findall(file.read_text(encoding="utf-8"))}
    return sorted(line.split("#")[0].strip() for line in found)


@pytest.mark.parametrize("page", sorted(pages()))
def test_a_generated_page_is_up_to_date(page: str) -> None:
    assert (DOCS / page).read_text(encoding="utf-8") == pages()[page], "run: make docs"


@pytest.mark.parametrize("line", commands())
def test_a_command_in_the_documents_exists_with_its_options(
    line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = shlex.split(line)
    name = [word for word in words[:2] if re.fullmatch(r"[a-z][a-z-]*", word)]
    with pytest.raises(SystemExit) as done:
        main([*name, "--help"])
    said = capsys.readouterr().out
    assert done.value.code == 0
    assert not [word for word in words if word.startswith("--") and word not in said]


@pytest.mark.parametrize("file", TEXTS, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_document_names_targets_and_files_that_exist(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    code = " ".join(re.findall(r"`[^`]+`|```.*?```", text, re.DOTALL))
    targets = set(re.findall(r"^([a-z]+):", MAKEFILE, re.MULTILINE))
    assert set(TARGET.findall(code)) <= targets
    assert not [link for link in LINK.findall(text) if not (file.parent / link).exists()]


@pytest.mark.parametrize("file", ["requirements.txt", "requirements-dev.txt"])
def test_every_dependency_is_pinned_exactly(file: str) -> None:
    lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
    asked = [line for line in lines if line and not line.startswith(("#", "-r "))]
    assert [line for line in asked if not re.fullmatch(r"[\w-]+(\[\w+\])?==[\w.]+", line)] == []
