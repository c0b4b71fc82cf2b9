"""The model behind the Engine port: plans become sampler settings, tokens text and counted units.

One job runs at a time; others wait their turn and can leave while they wait.
"""

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch

from app.ports import Cancelled, Finish, Job, ModelInfo, Outcome, Piece
from app.settings import Settings
from model import checkpoint, pull
from model.config import Method, SamplerConfig
from model.errors import Cancelled as Stopped
from model.errors import ModelError
from model.hf import Prompter, load_backbone
from model.prepared import PreparedPath
from model.refinement import Hooks
from model.sampler import Row, Sampler, Token
from policies.errors import InvalidInput, Unavailable
from policies.types import Domain, Plan, Rung, Solver, Units

_TURN_SECONDS = 0.05
"""How often a waiting job asks whether it was cancelled."""


_METHODS: dict[Solver, Method] = {Solver.EULER: "euler", Solver.MIDPOINT: "midpoint"}


def load_engine(settings: Settings) -> "LocalEngine":
    """Base weights, adapter and tokenizer from disk. Raises Unavailable saying what is missing."""
    if settings.model == "builtin" and not pull.is_pulled(Path(settings.base_dir)):
        raise Unavailable("the base weights are not here yet; run: python app.py model pull")
    if settings.threads:
        torch.set_num_threads(settings.threads)
    dtype = choose_precision(settings.precision)
    try:
        backbone = load_backbone(settings.base_dir, dtype).to(device=settings.device)
        adapter = checkpoint.load(settings.adapter, backbone)
        prompter = Prompter.load(settings.base_dir)
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
        precision=str(dtype).removeprefix("torch."),
        classes=adapter.path.config.classes,
    )
    return LocalEngine(Sampler(PreparedPath(backbone, adapter.path)), prompter, info)


def choose_precision(wanted: str) -> torch.dtype:
    """bfloat16 halves the memory read for a token; without hardware for it float32 is faster."""
    if wanted == "auto":
        wanted = "bfloat16" if torch.ops.mkldnn._is_mkldnn_bf16_supported() else "float32"
    return {"bfloat16": torch.bfloat16, "float32": torch.float32}[wanted]


@dataclass
class _Count:
    """Work done for one call, counted as it happens."""

    prompt_tokens: int = 0
    decode_tokens: int = 0
    nfe: int = 0

    def units(self) -> Units:
        return Units(self.prompt_tokens, self.decode_tokens, self.nfe)

    def evaluated(self, nfe: int) -> None:
        self.nfe += nfe


@dataclass
class LocalEngine:
    """app.ports.Engine in this process."""

    sampler: Sampler
    prompter: Prompter
    model_info: ModelInfo
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def info(self) -> ModelInfo:
        return self.model_info

    def count_prompt_tokens(self, question: str) -> int:
        return len(self.prompter.prompt(question))

    def nfe_per_token(self, plan: Plan) -> int:
        try:
            return self.sampler.grid(_config(plan.rung)).nfe
        except ModelError as err:
            raise InvalidInput(f"this adapter cannot run the plan: {err}") from err

    def run(self, job: Job, cancelled: Cancelled) -> Iterator[Piece | Outcome]:
        """Pieces, then one Outcome; after a cancel that Outcome comes within one evaluation."""
        nfe = self.nfe_per_token(job.plan)
        count, writing = _Count(), _Writing(self.prompter)
        hooks = Hooks(before=lambda: _stop_if(cancelled), after=count.evaluated)
        row = self._row(job)
        finish, seconds = Finish.CANCELLED, 0.0
        if self._take_turn(cancelled):
            tokens = self.sampler.generate([row], _config(job.plan.rung), hooks)
            try:
                while True:
                    began = time.perf_counter()
                    token = next(tokens, None)
                    seconds += time.perf_counter() - began
                    if token is None:
                        break
                    count.prompt_tokens = len(row.prompt)
                    count.decode_tokens += 1
                    if token.last:
                        finish = Finish.STOP if self._ends(token) else Finish.LENGTH
                    if text := writing.add(token):
                        yield Piece(text, count.units())
            except Stopped:
                seconds += time.perf_counter() - began
                count.prompt_tokens = len(row.prompt) if count.nfe or count.decode_tokens else 0
            finally:
                tokens.close()
                self._turn.release()
        yield Outcome(writing.text, count.units(), finish, nfe, writing.changed, seconds)

    def run_batch(self, jobs: Sequence[Job], cancelled: Cancelled) -> list[Outcome]:
        """All jobs in one batch; they must share a rung. Raises Unavailable if cancelled."""
        if not jobs:
            return []
        rung, nfe = jobs[0].plan.rung, self.nfe_per_token(jobs[0].plan)
        if any(job.plan.rung != rung for job in jobs):
            raise InvalidInput("the jobs of a batch must share one rung")
        rows = [self._row(job) for job in jobs]
        writings = [_Writing(self.prompter) for _ in jobs]
        ends = [Finish.LENGTH] * len(jobs)
        hooks = Hooks(before=lambda: _stop_if(cancelled))
        began = time.perf_counter()
        if not self._take_turn(cancelled):
            raise Unavailable("the measurement was stopped")
        try:
            for token in self.sampler.generate(rows, _config(rung), hooks):
                writings[token.row].add(token)
                if token.last and self._ends(token):
                    ends[token.row] = Finish.STOP
        except Stopped as err:
            raise Unavailable("the measurement was stopped") from err
        finally:
            self._turn.release()
        seconds = (time.perf_counter() - began) / len(jobs)
        return [
            Outcome(w.text, Units(len(r.prompt), w.tokens, w.nfe), end, nfe, w.changed, seconds)
            for w, r, end in zip(writings, rows, ends, strict=True)
        ]

    def _row(self, job: Job) -> Row:
        label = None if job.plan.domain is Domain.GENERAL else job.plan.domain.value
        return Row(tuple(self.prompter.prompt(job.question)), job.seed, label)

    def _ends(self, token: Token) -> bool:
        return token.id in self.sampler.prepared.backbone.eos_ids

    def _take_turn(self, cancelled: Cancelled) -> bool:
        while not self._turn.acquire(timeout=_TURN_SECONDS):
            if cancelled():
                return False
        return True


class _Writing:
    """Text of one answer as its tokens come; half a character waits for its other half."""

    def __init__(self, prompter: Prompter) -> None:
        self.prompter = prompter
        self.ids: list[int] = []
        self.text = ""
        self.tokens = self.nfe = self.changed = 0

    def add(self, token: Token) -> str:
        """What this token adds to the text, if anything yet."""
        self.ids.append(token.id)
        self.tokens += 1
        self.nfe += token.nfe
        self.changed += token.id != token.base_id
        text = self.prompter.text(self.ids)
        if text.endswith("�") and not token.last:
            return ""
        new, self.text = text[len(self.text) :], text
        return new


def _config(rung: Rung) -> SamplerConfig:
    if rung.solver is Solver.BASE:
        return SamplerConfig(max_nfe=0, max_new_tokens=rung.max_new_tokens)
    return SamplerConfig(
        max_nfe=rung.max_nfe_per_token,
        method=_METHODS[rung.solver],
        points=rung.points,
        guidance=rung.guidance,
        max_new_tokens=rung.max_new_tokens,
    )


def _stop_if(cancelled: Cancelled) -> None:
    if cancelled():
        raise Stopped("stopped on request")
