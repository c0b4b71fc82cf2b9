"""From weights on disk to an engine: base, adapter, tokenizer, precision, threads."""

import atexit
from pathlib import Path

import torch

from app import pull
from app.gateways import LocalEngine
from app.ports import ModelInfo
from app.settings import Settings
from kernels.passes import CompiledPasses, supports
from model import checkpoint
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
    dtype, int8 = choose_precision(settings.precision), settings.precision == "int8"
    try:
        backbone = load_backbone(settings.base_dir, dtype).to(device=settings.device)
        adapter = checkpoint.load(settings.adapter, backbone)
        prompter = Prompter.load(settings.base_dir)
    except ModelError as err:
        raise Unavailable(str(err)) from err
    if int8 and not supports(backbone):
        raise Unavailable("precision int8 needs the device cpu and sizes that 16 divides")
    name = pull.NAME if settings.model == "builtin" else settings.model
    info = ModelInfo(
        model=name,
        base=name,
        base_sha256=pull.weights_hash(Path(settings.base_dir)),
        adapter=settings.adapter.name,
        adapter_sha256=adapter.sha256,
        device=settings.device,
        precision="int8" if int8 else str(dtype).removeprefix("torch."),
        classes=adapter.path.config.classes,
    )
    prepared = PreparedPath(backbone, adapter.path)
    passes = CompiledPasses(prepared, threads, int8) if supports(backbone) else None
    return LocalEngine(Sampler(prepared), prompter, info, threads, passes)


def choose_precision(wanted: str) -> torch.dtype:
    """bfloat16 halves the memory read for a token; without hardware for it float32 is faster.

    int8 rounds the matrices of the compiled passes alone: all else stays as in bfloat16.
    """
    if wanted == "auto":
        wanted = "bfloat16" if torch.ops.mkldnn._is_mkldnn_bf16_supported() else "float32"
    return torch.float32 if wanted == "float32" else torch.bfloat16
