"""A folder with any model of a known family serves as L2D_MODEL, from weights to words."""

import json
from pathlib import Path

import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedModel

from app.loading import load_engine
from app.ports import Job, Outcome, Piece
from app.settings import read
from model import checkpoint
from model.config import SamplerConfig
from model.errors import WeightsError
from model.hf import Prompter, load_backbone
from model.prepared import PreparedPath
from model.sampler import Row, Sampler
from policies.errors import Unavailable
from policies.types import Domain, Importance
from tests.databases import new_answer
from tests.tiny import lm_settings, read_prompts, stirred_path
from tests.tokenizer import TEMPLATE, tiny_tokenizer

NAMES = ("llama, tied", "qwen3, window in the first layer", "smollm3, a layer without rotation")


def saved(folder: Path, name: str, template: str | None = TEMPLATE) -> PreTrainedModel:
    """A random LM with a tokenizer, as transformers writes them."""
    tokenizer = tiny_tokenizer(template)
    family, settings = lm_settings(name)
    changes = {"vocab_size": len(tokenizer), "eos_token_id": tokenizer.eos_token_id}
    torch.manual_seed(1)
    config = AutoConfig.for_model(family, **settings | changes)
    lm: PreTrainedModel = AutoModelForCausalLM.from_config(config)
    lm.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    lm.eval().requires_grad_(False)
    return lm


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_folder_is_read_as_transformers_reads_it(
    name: str, dtype: torch.dtype, tmp_path: Path
) -> None:
    lm = saved(tmp_path, name)
    backbone, prompter = load_backbone(tmp_path, dtype), Prompter.load(tmp_path)
    assert backbone.dtype == dtype
    assert backbone.eos_ids == {prompter.tokenizer.eos_token_id}
    ids = torch.tensor([prompter.prompt("How many pens are left?")])
    ours, theirs = backbone.logits(read_prompts(backbone, ids)[0]).float(), lm(ids).logits
    within = 1e-4 if dtype == torch.float32 else 0.06 * float(theirs.abs().max())
    assert float((ours - theirs).abs().max()) <= within


@pytest.mark.parametrize("name", NAMES)
def test_engine_answers_from_the_folder_and_its_adapter(name: str, tmp_path: Path) -> None:
    saved(tmp_path / "lm", name)
    backbone = load_backbone(tmp_path / "lm")
    path = stirred_path(backbone)
    checkpoint.save(tmp_path / "adapter", path, checkpoint.base_of(backbone), {})
    settings = {
        "L2D_MODEL": str(tmp_path / "lm"),
        "L2D_ADAPTER": str(tmp_path / "adapter"),
        "L2D_PRECISION": "float32",
    }
    engine = load_engine(read(settings, tmp_path / "none.toml"))
    assert engine.info().base_sha256 == checkpoint.sha256_of(tmp_path / "lm/model.safetensors")
    plan = new_answer("a-1", Importance.STANDARD).decision.plan
    job = Job("How many pens are left?", plan, seed=7)
    *pieces, outcome = engine.run(job, lambda: False)
    assert isinstance(outcome, Outcome)
    assert outcome.units.decode_tokens > 0
    assert outcome.units.nfe == outcome.units.decode_tokens * outcome.nfe_per_token
    assert "".join(p.text for p in pieces if isinstance(p, Piece)) == outcome.text

    adapter = checkpoint.load(tmp_path / "adapter", backbone)
    prompter = Prompter.load(tmp_path / "lm")
    rung = plan.rung
    config = SamplerConfig(
        rung.max_nfe_per_token, "midpoint", rung.points, max_new_tokens=rung.max_new_tokens
    )
    assert rung.solver.value == config.method
    row = Row(tuple(prompter.prompt(job.question)), job.seed, Domain.MATH.value)
    tokens = Sampler(PreparedPath(backbone, adapter.path)).generate([row], config)
    assert outcome.text == prompter.text([token.id for token in tokens])


def test_folder_without_a_tokenizer_is_unavailable(tmp_path: Path) -> None:
    saved(tmp_path, "llama, tied")
    for file in tmp_path.glob("tokenizer*"):
        file.unlink()
    with pytest.raises(WeightsError, match="no tokenizer"):
        Prompter.load(tmp_path)


@pytest.mark.parametrize(
    ("template", "says"),
    [
        (None, "chat_template is not set"),
        ("{{ raise_exception('System role not supported') }}", "System role not supported"),
        ("{% for m in messages %}{{ m['role'] }}{% endfor %}", "chat template"),
    ],
)
def test_tokenizer_that_cannot_frame_a_question_is_refused_when_loaded(
    template: str | None, says: str, tmp_path: Path
) -> None:
    """At the start with the reason, not with a traceback at the first question."""
    saved(tmp_path / "lm", "llama, tied", template)
    with pytest.raises(WeightsError, match=says) as refusal:
        Prompter.load(tmp_path / "lm")
    assert str(tmp_path / "lm") in str(refusal.value)

    backbone = load_backbone(tmp_path / "lm")
    base = checkpoint.base_of(backbone)
    checkpoint.save(tmp_path / "adapter", stirred_path(backbone), base, {})
    settings = {"L2D_MODEL": str(tmp_path / "lm"), "L2D_ADAPTER": str(tmp_path / "adapter")}
    with pytest.raises(Unavailable, match="chat template"):
        load_engine(read(settings, tmp_path / "none.toml"))


def test_weights_missing_from_a_folder_are_never_replaced_by_noise(tmp_path: Path) -> None:
    """A headless checkpoint: transformers would load it, with a random head and a warning."""
    lm = saved(tmp_path, "llama, untied")
    lm.model.save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"tie_word_embeddings": False}))
    with pytest.raises(WeightsError, match="lm_head"):
        load_backbone(tmp_path)
