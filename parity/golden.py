"""Holds our numbers against tensors computed by the reference code. Folder: L2D.md section 8."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from model.adaptive import ADAPTIVE, Adaptive
from model.backbone import Backbone, KVCache, causal_mask
from model.config import SamplerConfig
from model.errors import CheckpointError, ModelError
from model.l2d import Context, FlowPath, refine
from model.prepared import PreparedPath
from model.refinement import Refinement
from model.solvers import SOLVERS, Grid
from parity import reference

CASES, WEIGHTS = "cases.json", "reference_state_dict.safetensors"
TENSORS = "tensors.safetensors"
TOLERANCE = 1e-4
ADAPTIVE_TOLERANCE = 1e-3
"""Wider, as whether a step is accepted can hang on the last bits."""
DISTURBANCE = 6e-8
"""Of each weight; half of float32's last bit. Another machine's order of sums does as much."""
_DISTURBED_RUNS = 16
_UNCAPPED = 5_000
"""The reference has no cap; its cases take far fewer evaluations."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Largest absolute difference of one named tensor; `tolerance` is what it must stay within."""

    case: str
    value: float
    tolerance: float = TOLERANCE
    spread: float | None = None
    """How far apart our own disturbed runs lie; measured where an adaptive case is not `ok`."""

    @property
    def ok(self) -> bool:
        return self.value <= self.tolerance

    @property
    def unstable(self) -> bool:
        """Not `ok`, yet our own disturbed runs lie as far apart: the case proves nothing."""
        return not self.ok and self.spread is not None and self.spread >= self.value


@dataclass(frozen=True, slots=True)
class Skipped:
    """A case this version has no solver for."""

    case: str
    reason: str


@torch.no_grad()
def check(folder: Path) -> tuple[list[Difference], list[Skipped]]:
    """Every case of a folder. Raises CheckpointError where the folder is not in the format."""
    described, weights, golden = _read(folder)
    try:
        backbone, path = reference.load(described["config"], weights)
        replay = Replay(backbone, path, golden, described["class_labels"])
        differences, skipped = _compare("", replay.whole(), golden, TOLERANCE), list[Skipped]()
        for i, case in enumerate(described["cases"]):
            adaptive = case["method"] in ADAPTIVE
            if not adaptive and case["method"] not in SOLVERS:
                skipped.append(Skipped(f"case{i}", f"no solver {case['method']!r}"))
                continue
            ours, within = replay.case(case), ADAPTIVE_TOLERANCE if adaptive else TOLERANCE
            found = _compare(f"case{i}.", ours, golden, within)
            if adaptive and not all(d.ok for d in found):
                spread = _spread(described, weights, golden, case, ours)
                found = [replace(d, spread=s) for d, s in zip(found, spread, strict=True)]
            differences += found
    except ModelError as err:
        raise CheckpointError(f"{folder}: {err}") from err
    except (KeyError, TypeError, AttributeError) as err:
        raise CheckpointError(f"{folder} is not in the golden format: {err!r}") from err
    return differences, skipped


def _read(folder: Path) -> tuple[dict[str, Any], dict[str, Tensor], dict[str, Tensor]]:
    try:
        described = json.loads((folder / CASES).read_text())
        weights, golden = load_file(folder / WEIGHTS), load_file(folder / TENSORS)
    except (OSError, ValueError, SafetensorError) as err:
        raise CheckpointError(f"{folder} holds no golden tensors: {err}") from err
    return described, weights, golden


def _compare(
    prefix: str, ours: dict[str, Tensor], golden: dict[str, Tensor], within: float
) -> list[Difference]:
    theirs = {key: golden[prefix + key] for key in ours}
    return [Difference(prefix + k, _apart(k, ours[k], theirs[k]), within) for k in ours]


def _apart(name: str, *runs: Tensor) -> float:
    """The largest difference between any two."""
    if len({x.shape for x in runs}) == 1:
        stacked = torch.stack([x.double() for x in runs])
        return float((stacked.amax(0) - stacked.amin(0)).max())
    if name == "evaluated":  # an adaptive solver took other steps
        return float("inf")
    raise CheckpointError(f"{name}: shapes {', '.join(str(tuple(x.shape)) for x in runs)}")


def _spread(
    described: dict[str, Any],
    weights: dict[str, Tensor],
    golden: dict[str, Tensor],
    case: dict[str, Any],
    ours: dict[str, Tensor],
) -> list[float]:
    """How far our run and those with disturbed weights lie apart, in every tensor of a case."""
    runs, draw = [ours], torch.Generator().manual_seed(0)
    for _ in range(_DISTURBED_RUNS):
        moved = {
            name: w * (1 + DISTURBANCE * torch.randn(w.shape, generator=draw))
            for name, w in weights.items()
        }
        backbone, path = reference.load(described["config"], moved)
        runs.append(Replay(backbone, path, golden, described["class_labels"]).case(case))
    return [_apart(name, *(run[name] for run in runs)) for name in ours]


class Replay:
    """Our numbers for golden inputs: `input_ids`, `forward_t`, `forward_xt`, `x0`."""

    def __init__(
        self,
        backbone: Backbone,
        path: FlowPath,
        inputs: dict[str, Tensor],
        labels: list[int] | None,
    ) -> None:
        self.backbone, self.path, self.inputs = backbone, path, inputs
        self.prepared = PreparedPath(backbone, path)
        ids = inputs["input_ids"]
        B, S = ids.shape
        self.unlabelled = torch.full((B, 1), len(path.config.classes))
        self.labels = self.unlabelled if labels is None else torch.tensor(labels)[:, None]
        self.cache: KVCache = backbone.new_cache(B, S)
        self.mask = causal_mask(torch.ones(B, S, dtype=torch.bool))
        self.positions = torch.arange(S).expand(B, S)
        self.token = backbone.embedding[ids]
        self.hidden = backbone.forward(ids, self.cache, self.positions, self.mask)

    def whole(self) -> dict[str, Tensor]:
        """Flow table, and one full-sequence pass in which every position has its own time."""
        t = self.inputs["forward_t"]
        mods = self.path.modulations(self.backbone, t, self.labels.expand(t.shape))
        rope = self.backbone.rotary(self.positions)
        context = Context(self.cache, self.token, self.hidden, rope, self.mask)
        layers, x_t = self.path.layers(self.backbone), self.inputs["forward_xt"]
        hidden = refine(self.backbone, layers, self.path, x_t, mods, context)
        return {"token_table": self.prepared.table, "forward_logits": self.backbone.logits(hidden)}

    def case(self, case: dict[str, Any]) -> dict[str, Tensor]:
        """One sampling case from the stored x_0, for the last position of every row."""
        w = case.get("guidance", 1.0)
        grid = _grid(case, passes=1 if w == 1.0 else 2)
        config = SamplerConfig(
            max_nfe=grid.nfe,
            guidance=w,
            estimate=case.get("x1_estimation", "argmax"),
            temperature=case.get("temperature") or 1.0,
        )
        rope = self.backbone.rotary(self.positions[:, -1:])
        last = Context(self.cache, self.token[:, -1:], self.hidden[:, -1:], rope, None)
        labels = self.labels if "guidance" in case else self.unlabelled
        work = Refinement(self.prepared, labels, config)
        x, logits = work.run(grid, self.inputs["x0"].double(), last)
        return {
            "x_final": x,
            "logits": logits,
            "base_logits": self.backbone.logits(last.hidden),
            # the read-out is not in the reference's list
            "evaluated": torch.tensor(work.times[:-1]),
        }


def _grid(case: dict[str, Any], passes: int) -> Grid | Adaptive:
    method = case["method"]
    if method in SOLVERS:
        return Grid(method, case["ode_steps"], passes, zero_at_end=True)
    return Adaptive(method, _UNCAPPED, passes, case["rtol"], case["atol"], zero_at_end=True)
