"""Policy documents: YAML in, a validated Policy out, named by the hash of what it says.

The version is the SHA-256 of the canonical JSON, so equal rules have equal names and comments do
not count.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from policies.errors import InvalidPolicy
from policies.types import Importance, Rung, Solver

PRESETS = Path(__file__).parent / "presets"


@dataclass(frozen=True, slots=True)
class Policy:
    """Four rungs, one for each importance, under one version."""

    name: str
    version: str
    rungs: dict[Importance, Rung]
    text: str
    """Canonical JSON of the document, as stored with every version."""


class _RungDocument(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    solver: Solver
    max_nfe_per_token: int = Field(ge=0, le=1000)
    guidance: float = Field(default=1.0, ge=0.0, le=10.0)
    max_new_tokens: int = Field(ge=1, le=2048)
    points: int | None = Field(default=None, ge=2, le=1000)
    tolerance: float | None = Field(default=None, gt=0.0, le=1.0)
    gate: float | None = Field(default=None, gt=0.0, le=1.0)
    candidates: int = Field(default=1, ge=1, le=16)
    temperature: float = Field(default=0.0, ge=0.0, le=2.0)

    @model_validator(mode="after")
    def base_spends_nothing(self) -> "_RungDocument":
        refining = self.points or self.tolerance or self.gate or self.candidates > 1
        if self.solver is Solver.BASE and (
            self.max_nfe_per_token or self.guidance != 1.0 or refining
        ):
            raise ValueError(
                "solver base takes max_nfe_per_token 0, guidance 1, one candidate, and no points, "
                "tolerance or gate"
            )
        if self.solver is not Solver.BASE and self.max_nfe_per_token < 2:
            raise ValueError(
                "max_nfe_per_token must be at least 2: one evaluation and the read-out"
            )
        return self

    @model_validator(mode="after")
    def steps_are_chosen_once(self) -> "_RungDocument":
        if self.solver.adaptive and self.points is not None:
            raise ValueError(f"solver {self.solver} chooses its own steps: leave points out")
        if self.tolerance is not None and not self.solver.adaptive:
            raise ValueError(f"solver {self.solver} has no tolerance; adaptive ones have")
        return self

    @model_validator(mode="after")
    def candidates_differ(self) -> "_RungDocument":
        if self.candidates > 1 and not self.temperature:
            raise ValueError(
                f"{self.candidates} candidates at temperature 0 hardly differ: give a temperature"
            )
        return self


class _PolicyDocument(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1, max_length=80)
    rungs: dict[Importance, _RungDocument]

    @model_validator(mode="after")
    def every_importance_in_order(self) -> "_PolicyDocument":
        if missing := [i.value for i in Importance if i not in self.rungs]:
            raise ValueError(f"rungs lack {', '.join(missing)}")
        caps = [self.rungs[i].max_nfe_per_token for i in Importance]
        if caps != sorted(caps):
            raise ValueError(f"max_nfe_per_token must not fall as importance rises, got {caps}")
        return self


def parse(text: str, source: str = "policy") -> Policy:
    """A policy from YAML. Raises InvalidPolicy listing every fault: field, value and legal set."""
    try:
        raw = yaml.safe_load(text)
    except yaml.YAMLError as err:
        mark = getattr(err, "problem_mark", None)
        line = mark.line + 1 if mark else 0
        raise InvalidPolicy(
            f"{source}, line {line}: not YAML: {getattr(err, 'problem', err)}"
        ) from err
    if not isinstance(raw, dict):
        raise InvalidPolicy(
            f"{source}: a policy is a mapping with name and rungs, got {type(raw).__name__}"
        )
    try:
        document = _PolicyDocument.model_validate(raw)
    except ValidationError as err:
        raise InvalidPolicy(f"{source}: {faults(err)}") from err
    canonical = json.dumps(document.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
    version = f"{document.name}-{hashlib.sha256(canonical.encode()).hexdigest()[:12]}"
    rungs = {i: Rung(**document.rungs[i].model_dump()) for i in Importance}
    return Policy(document.name, version, rungs, canonical)


def load(file: Path) -> Policy:
    """A policy from a file; a bare name is looked up among the presets."""
    try:
        return parse(file.read_text(encoding="utf-8"), file.name)
    except (OSError, UnicodeDecodeError) as err:
        raise InvalidPolicy(f"{file} cannot be read: {err}") from err


def preset(name: str) -> Policy:
    return load(PRESETS / f"{name}.yaml")


def schema() -> dict[str, Any]:
    """JSON schema of the document, for editors; parse() checks more than it can say."""
    return _PolicyDocument.model_json_schema()


def faults(err: ValidationError) -> str:
    """Every fault of a document in one line each: where, what is wrong, what was there."""
    return "; ".join(_fault(e) for e in err.errors())


def _fault(error: Any) -> str:
    where = ".".join(str(part) for part in error["loc"]) or "document"
    got = error.get("input")
    shown = f", got {got!r}" if isinstance(got, str | int | float | bool) or got is None else ""
    return f"{where}: {error['msg']}{shown}"
