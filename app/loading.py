"""From weights on disk to an engine: base, adapter, tokenizer, precision, threads."""

import atexit
from pathlib import Path

import torch

from app import pull
from app.gateways import LocalEngine
from app.ports import ModelInfo
from app.settings import Settings
from kernels.passes import CompiledPasses, supports
from kernels.table import Weights
from model import checkpoint, published
from model.backbone import Backbone
from model.errors import ModelError
from model.hf import Prompter, load_backbone
from model.prepared import PreparedPath
from model.sampler import Sampler
from policies.errors import Unavailable


def load_engine(settings: Settings) -> LocalEngine:
    """Base weights, adapter and tokenizer from disk. Raises Unavailable saying what is missing."""
    if settings.model == "builtin" and not pull.is_pulled(Path(settings.base_dir)):
        raise Unavailable("the base weights are not here yet; run: python app.py model pull")
    before = torch.get_num_threads()
    # Of this thread, which only loads. Each thread that computes keeps workers of its own, and with
    # more of them than cores OpenMP puts them to sleep after every operation: half the speed.
    torch.set_num_threads(1)
    try:
        engine = _loaded(settings, settings.threads or before)
    finally:
        torch.set_num_threads(before)
    atexit.register(engine.close)  # a thread still in torch when the process ends would abort it
    return engine


def _loaded(settings: Settings, threads: int) -> LocalEngine:
    try:
        backbone = _backbone(settings)
        adapter = checkpoint.load(settings.adapter, backbone)
        prompter = Prompter.load(settings.base_dir)
        prepared = PreparedPath(backbone, adapter.path)
        precision, passes = _passes(settings, prepared, threads)
    except ModelError as err:
        raise Unavailable(str(err)) from err
    name = pull.NAME if settings.model == "builtin" else settings.model
    info = ModelInfo(
        model=name,
        base=name,
        base_sha256=pull.weights_hash(Path(settings.base_dir)),
        adapter=settings.adapter.name,
        adapter_sha256=adapter.sha256,
        device=settings.device,
        precision=precision,
        classes=adapter.path.config.classes,
    )
    return LocalEngine(Sampler(prepared), prompter, info, threads, passes)


def _backbone(settings: Settings) -> Backbone:
    """Left to us, in bfloat16 for the compiled passes, which need no hardware for it."""
    if settings.precision == "auto" and settings.device == "cpu":
        backbone = load_backbone(settings.base_dir, torch.bfloat16)
        if supports(backbone):
            return backbone
    dtype = choose_precision(settings.precision)
    return load_backbone(settings.base_dir, dtype).to(device=settings.device)


def _passes(
    settings: Settings, prepared: PreparedPath, threads: int
) -> tuple[str, CompiledPasses | None]:
    """The compiled passes where they can run, and what their weights are called."""
    backbone, wanted = prepared.backbone, settings.precision
    if not supports(backbone):
        if wanted in ("int8", "published"):
            raise Unavailable(f"precision {wanted} needs the device cpu and sizes that 32 divides")
        return str(backbone.dtype).removeprefix("torch."), None
    if wanted == "int8":
        return wanted, CompiledPasses(prepared, threads, Weights.rounded(prepared))
    blocks = published.read(Path(settings.base_dir)) if wanted in ("auto", "published") else {}
    if blocks:
        return "published", CompiledPasses(prepared, threads, Weights.published(prepared, blocks))
    if wanted == "published":
        raise Unavailable(f"{settings.base_dir} has no {published.FILE}: nothing was published so")
    return "bfloat16", CompiledPasses(prepared, threads)


def choose_precision(wanted: str) -> torch.dtype:
    """Of what torch computes: bfloat16 halves what is read, without hardware float32 is faster.

    int8 and published are forms of the matrices of compiled passes: all else is as in bfloat16.
    """
    if wanted == "auto":
        wanted = "bfloat16" if torch.ops.mkldnn._is_mkldnn_bf16_supported() else "float32"
    return torch.float32 if wanted == "float32" else torch.bfloat16
