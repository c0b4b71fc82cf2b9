"""Holds our numbers against tensors computed by the reference code. Folder format: L2D.md section 8."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from model import reference
from model.backbone import Backbone, KVCache, causal_mask
from model.config import SamplerConfig
from model.errors import CheckpointError
from model.l2d import Context, FlowPath, refine
from model.prepared import PreparedPath
from model.refinement import Refinement
from model.solvers import SOLVERS, Grid

TOLERANCE = 1e-4


@dataclass(frozen=True, slots=True)
class Difference:
    """Largest absolute difference of one named tensor; `tolerance` is what it must stay within."""

    case: str
    value: float
    tolerance: float = TOLERANCE

    @property
    def ok(self) -> bool:
        return self.value <= self.tolerance


@dataclass(frozen=True, slots=True)
class Skipped:
    """A case this version has no solver for."""

    case: str
    reason: str


@torch.no_grad()
def check(folder: Path) -> tuple[list[Difference], list[Skipped]]:
    """Every case of a folder. Raises CheckpointError where the folder is not in the format."""
    try:
        described = json.loads((folder / "cases.json").read_text())
        weights = load_file(folder / "reference_state_dict.safetensors")
        golden = load_file(folder / "tensors.safetensors")
    except (OSError, ValueError) as err:
        raise CheckpointError(f"{folder} holds no golden tensors: {err}") from err
    backbone, path = reference.load(described["config"], weights)
    run = _Run(backbone, path, golden, described["class_labels"])
    differences, skipped = run.whole(), []
    for i, case in enumerate(described["cases"]):
        if case["method"] in SOLVERS:
            differences += run.case(i, case)
        else:
            skipped.append(Skipped(f"case{i}", f"no solver {case['method']!r} yet"))
    return differences, skipped


class _Run:
    def __init__(
        self, backbone: Backbone, path: FlowPath, golden: dict[str, Tensor], labels: list[int] | None
    ) -> None:
        self.backbone, self.path, self.golden = backbone, path, golden
        self.prepared = PreparedPath(backbone, path)
        ids = golden["input_ids"]
        B, S = ids.shape
        self.unlabelled = torch.full((B, 1), len(path.config.classes))
        self.labels = self.unlabelled if labels is None else torch.tensor(labels)[:, None]
        self.cache: KVCache = backbone.new_cache(B, S)
        self.valid = torch.ones(B, S, dtype=torch.bool)
        self.positions = torch.arange(S).expand(B, S)
        mask = causal_mask(self.valid)
        self.hidden = backbone.forward(ids, self.cache, self.positions, mask)

    def whole(self) -> list[Difference]:
        """Flow table, and one full-sequence pass in which every position has its own time."""
        g = self.golden
        B, S = g["input_ids"].shape
        mods = self.path.modulations(self.backbone, g["forward_t"], self.labels.expand(B, S))
        context = Context(
            self.cache, self.hidden, self.backbone.rotary(self.positions), causal_mask(self.valid)
        )
        layers = self.path.layers(self.backbone)
        hidden = refine(self.backbone, layers, self.path.entry, g["forward_xt"], mods, context)
        return [
            _difference("token_table", self.prepared.table, g["token_table"]),
            _difference("forward_logits", self.backbone.logits(hidden), g["forward_logits"]),
        ]

    def case(self, index: int, case: dict[str, Any]) -> list[Difference]:
        """One sampling case from the stored x_0, for the last position of every row."""
        w = case.get("guidance", 1.0)
        grid = Grid(case["method"], case["ode_steps"], passes=1 if w == 1.0 else 2)
        config = SamplerConfig(
            max_nfe=grid.nfe,
            guidance=w,
            estimate=case.get("x1_estimation", "argmax"),
            temperature=case.get("temperature") or 1.0,
        )
        rope = self.backbone.rotary(self.positions[:, -1:])
        last = Context(self.cache, self.hidden[:, -1:], rope, None)
        labels = self.labels if "guidance" in case else self.unlabelled
        work = Refinement(self.prepared, last, labels, config)
        x, logits = work.run(grid, self.golden["x0"].double())
        ours = {
            "x_final": x,
            "logits": logits,
            "base_logits": self.backbone.logits(last.hidden),
            "evaluated": torch.tensor(work.times[:-1]),  # the read-out is not in the reference's list
        }
        name = f"case{index}"
        return [_difference(f"{name}.{k}", v, self.golden[f"{name}.{k}"]) for k, v in ours.items()]


def _difference(name: str, ours: Tensor, theirs: Tensor) -> Difference:
    if ours.shape != theirs.shape:
        raise CheckpointError(f"{name}: shape {tuple(ours.shape)}, golden {tuple(theirs.shape)}")
    return Difference(name, float((ours.double() - theirs.double()).abs().max()))
