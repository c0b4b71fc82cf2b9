"""`model ...`: the weights and where they come from."""

import argparse
from pathlib import Path
from typing import Any

from app import pull as base
from app.commands.output import progress, result, show
from app.gateways import LocalEngine
from app.loading import load_engine
from app.settings import Settings
from model import checkpoint
from model.errors import ModelError
from model.hf import load_backbone
from parity import golden, reference
from policies.errors import InvalidInput, Unavailable


def pull(settings: Settings, args: argparse.Namespace) -> int:
    try:
        if settings.model == "builtin":
            base.pull(Path(settings.base_dir), progress)
        else:
            # a Hugging Face id is downloaded and kept by its library
            load_backbone(settings.base_dir)
    except ModelError as err:
        raise Unavailable(str(err)) from err
    return 0


def info(settings: Settings, args: argparse.Namespace) -> int:
    engine = load_engine(settings)
    card = checkpoint.card_of(settings.adapter)
    values = _info(engine) | {"card": card}
    show(values, args.json)
    return 0


def _info(engine: LocalEngine) -> dict[str, Any]:
    i = engine.info()
    return {
        "base": i.base,
        "base_sha256": i.base_sha256,
        "adapter": i.adapter,
        "adapter_sha256": i.adapter_sha256,
        "classes": list(i.classes),
        "device": i.device,
        "precision": i.precision,
        "config": engine.sampler.prepared.config.to_dict(),
    }


def check_golden(settings: Settings, args: argparse.Namespace) -> int:
    """Largest difference of every golden tensor; 1 if any is out of tolerance or not compared.

    `unstable` is out of tolerance too: our own runs, weights disturbed, lie as far apart.
    """
    try:
        differences, skipped = golden.check(Path(args.folder))
    except ModelError as err:
        raise InvalidInput(str(err)) from err
    for d in differences:
        outcome = "ok" if d.ok else "unstable" if d.unstable else "FAIL"
        own = "" if d.ok or d.spread is None else f"; our disturbed runs {d.spread:.2e} apart"
        result(f"{outcome:4} {d.case:24} {d.value:.2e}  (at most {d.tolerance:g}{own})")
    for case in skipped:
        result(f"FAIL {case.case:24} not compared: {case.reason}")
    return 0 if all(d.ok for d in differences) and not skipped else 1


def import_reference(settings: Settings, args: argparse.Namespace) -> int:
    """Write the adapter of a checkpoint of the reference code."""
    said = {"noise_rescaling": args.noise_scale, "flow_lora_alpha": args.lora_alpha}
    known = {name: value for name, value in said.items() if value is not None}
    out = Path(args.out)
    if out.exists():
        raise InvalidInput(f"{out} exists; name a folder that does not, or remove it")
    try:
        config = reference.take_over(Path(args.folder), out, known)
    except ModelError as err:
        raise InvalidInput(str(err)) from err
    for name, value in checkpoint.card_of(out)["assumed"].items():
        progress(f"{args.folder} does not say {name}; taken as published: {value:g}")
    result(f"{out}: {config.weights} path, {len(config.classes)} classes; L2D_ADAPTER={out}")
    return 0
