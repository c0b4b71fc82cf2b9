"""A GGUF file's blocks, kept under the names of the checkpoint that was made of it."""

from pathlib import Path

import numpy as np
import pytest
import torch
from gguf import GGMLQuantizationType as Kind
from gguf import GGUFWriter, quants
from safetensors.torch import save_file
from torch import Tensor

from model import published
from model.errors import WeightsError

HEADS, KV_HEADS, HEAD, HIDDEN = 4, 2, 16, 64


def interleaved(weight: Tensor, heads: int) -> np.ndarray:
    """As GGUF has a head's rows: one of the first half, one of the second, and so on."""
    rows = weight.reshape(heads, 2, HEAD // 2, HIDDEN)
    return np.stack([rows[:, 0], rows[:, 1]], axis=2).reshape(weight.shape)


@pytest.fixture
def made(tmp_path: Path) -> tuple[Path, Path, dict[str, Tensor]]:
    """A GGUF file, a checkpoint of what it stands for, and its exact numbers."""
    torch.manual_seed(0)
    gguf, checkpoint = tmp_path / "lm.gguf", tmp_path / "model.safetensors"
    writer, exact = GGUFWriter(gguf, "llama"), dict[str, Tensor]()
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    each = (
        ("token_embd", "model.embed_tokens", 40, Kind.Q8_0, 0),
        ("blk.1.attn_q", "model.layers.1.self_attn.q_proj", HEADS * HEAD, Kind.Q4_1, HEADS),
        ("blk.1.attn_k", "model.layers.1.self_attn.k_proj", KV_HEADS * HEAD, Kind.Q4_1, KV_HEADS),
        ("blk.0.ffn_up", "model.layers.0.mlp.up_proj", 48, Kind.Q4_1, 0),
    )
    for name, ours, n, kind, heads in each:
        weight = torch.randn(n, HIDDEN)
        data = quants.quantize(interleaved(weight, heads) if heads else weight.numpy(), kind)
        writer.add_tensor(f"{name}.weight", data, raw_dtype=kind)
        exact[f"{ours}.weight"] = torch.from_numpy(
            quants.dequantize(quants.quantize(weight.numpy(), kind), kind)
        )
    writer.add_tensor("output_norm.weight", np.ones(HIDDEN, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    save_file({name: w.bfloat16() for name, w in exact.items()}, checkpoint)
    return gguf, checkpoint, exact


def test_blocks_stand_for_exactly_the_published_numbers(
    made: tuple[Path, Path, dict[str, Tensor]],
) -> None:
    gguf, checkpoint, exact = made
    published.keep(gguf, checkpoint, gguf.parent)
    kept = published.read(gguf.parent)
    assert kept.keys() == exact.keys()
    for name, blocks in kept.items():
        torch.testing.assert_close(published.numbers(blocks, HIDDEN), exact[name], rtol=0, atol=0)


def test_a_checkpoint_of_other_weights_is_refused(
    made: tuple[Path, Path, dict[str, Tensor]],
) -> None:
    gguf, checkpoint, exact = made
    name = "model.layers.0.mlp.up_proj.weight"
    save_file({k: (2 * w if k == name else w).bfloat16() for k, w in exact.items()}, checkpoint)
    with pytest.raises(WeightsError, match=f"{name} does not stand for the checkpoint"):
        published.keep(gguf, checkpoint, gguf.parent)
    assert published.read(gguf.parent) == {}
