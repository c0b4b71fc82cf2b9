"""The weights of a quantised base as they were published: small whole numbers and their scales.

A GGUF file has blocks of 32 weights: `Q4_1` d q + m with q in 0..15, `Q8_0` d q with q in -127..127
(d and m float16). The bfloat16 checkpoint rounds what they stand for and is three times as large; a
pass that reads the blocks themselves is faster and nearer to the published model. They are kept
with d and m in float32, so that nothing is left to widen but q.
"""

from collections.abc import Iterator
from pathlib import Path

import torch
from gguf import GGMLQuantizationType as Kind
from gguf import GGUFReader
from safetensors.torch import load_file, save_file
from torch import Tensor

from model.errors import WeightsError

FILE = "published.safetensors"
BLOCK = 32
EIGHT, FOUR = 4 + BLOCK, 8 + BLOCK // 2
"""Bytes of a block as kept: d and 32 q; d, m and 16 pairs of q, the first half in the low bits."""
_SCALES = {Kind.Q4_1: 2, Kind.Q8_0: 1}
_OUTER = {"token_embd": "model.embed_tokens", "output": "lm_head"}
_INNER = {
    "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj", "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}  # fmt: skip


def keep(gguf: Path, checkpoint: Path, folder: Path) -> None:
    """Write the blocks of a Llama's matrices into `folder`, by the names of its checkpoint.

    Raises WeightsError where a block's numbers, rounded to bfloat16, are not the checkpoint's.
    """
    reader, rounded = GGUFReader(gguf), load_file(checkpoint)
    heads = {
        "attn_q": int(reader.fields["llama.attention.head_count"].contents()),
        "attn_k": int(reader.fields["llama.attention.head_count_kv"].contents()),
    }
    kept = dict(_blocks(reader, heads))
    for name, blocks in kept.items():
        if not torch.equal(numbers(blocks, rounded[name].shape[1]).bfloat16(), rounded[name]):
            raise WeightsError(f"{gguf.name}: {name} does not stand for the checkpoint's weights")
    save_file(kept, folder / FILE)


def read(folder: Path) -> dict[str, Tensor]:
    """Blocks by the weights' names, uint8 (n, bytes of a row); empty where none are kept."""
    file = folder / FILE
    return load_file(file) if file.exists() else {}


def numbers(blocks: Tensor, K: int) -> Tensor:
    """What they stand for, (n, K) float32."""
    each = blocks.unflatten(1, (K // BLOCK, -1))
    if each.shape[2] == EIGHT:
        return (_floats(each[..., :4]) * each[..., 4:].contiguous().view(torch.int8)).flatten(1)
    pairs = each[..., 8:]
    q = torch.cat([pairs & 15, pairs >> 4], dim=2)
    return (_floats(each[..., :4]) * q + _floats(each[..., 4:8])).flatten(1)


def _blocks(reader: GGUFReader, heads: dict[str, int]) -> Iterator[tuple[str, Tensor]]:
    for tensor in reader.tensors:
        if tensor.tensor_type not in _SCALES:
            continue
        scales = _SCALES[tensor.tensor_type]
        raw = torch.from_numpy(tensor.data.copy())  # (n, bytes of a row)
        each = raw.unflatten(1, (int(tensor.shape[0]) // BLOCK, -1))
        wide = each[..., : 2 * scales].contiguous().view(torch.float16).float()
        rows = torch.cat([wide.contiguous().view(torch.uint8), each[..., 2 * scales :]], dim=2)
        name, inner = _name(tensor.name)
        yield name, _turned(rows.flatten(1), heads[inner]) if inner in heads else rows.flatten(1)


def _name(published: str) -> tuple[str, str]:
    """The checkpoint's name of blk.N.PART.weight or PART.weight, and PART."""
    *layer, part, _ = published.split(".")
    if layer:
        return f"model.layers.{layer[1]}.{_INNER[part]}.weight", part
    return f"{_OUTER[part]}.weight", part


def _turned(rows: Tensor, heads: int) -> Tensor:
    """GGUF has the two halves of a head, which rotary positions turn together, row by row."""
    return rows.unflatten(0, (heads, -1, 2)).transpose(1, 2).flatten(0, 2).contiguous()


def _floats(octets: Tensor) -> Tensor:
    return octets.contiguous().view(torch.float32)
