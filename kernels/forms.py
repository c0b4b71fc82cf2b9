"""What is passed to the compiled pass: sizes, and addresses of all it reads and writes."""

from typing import NamedTuple

# Columns of the table of a pass, a row a layer; addresses are 0 where a family has none. Five
# matrices, and for each of them its address, its form, its bias, and the two of its change.
QKV, O, GATE, UP, DOWN = range(5)  # noqa: E741
FORM, BIAS, A, B = range(5, 25, 5)
"""Where these columns of the first matrix are."""
Q_NORM, K_NORM, KEYS, VALUES, WINDOW, ROTARY, COLUMNS = range(25, 32)


class Sizes(NamedTuple):
    """Of the LM; in the last five of the pass."""

    layers: int
    hidden: int
    heads: int
    kv_heads: int
    head_dim: int
    mlp: int
    vocab: int
    room: int
    """Positions of a slot."""
    fresh: int
    """1 where keys and values of the row's own token are made and kept, 0 where they are there."""
    rank: int
    """Of changes that are not merged: x W^T + (x A^T) B^T with A (rank, K), B (n, rank)."""
    change: int
    """Their form (kernels.tiles)."""
    packing: int
    """How input is made ready for products (kernels.packing)."""


class Rows(NamedTuple):
    """Addresses of what differs between the R rows."""

    slots: int  # int64 (R)
    lengths: int  # int64 (R), tokens in the slot before this pass
    modulations: int  # int64 (R), of bfloat16 (layers, 6, h): a1 s1 g1 a2 s2 g2
    exits: int  # int64 (R), of bfloat16 (h); 0 where the LM itself is run
    cos: int  # float32 (R, D)
    sin: int  # float32 (R, D), its first half negative
    wanted: int  # int64 (ends), the rows whose logits are asked for


class Work(NamedTuple):
    """Addresses of float32 buffers."""

    x: int  # (R, h), what enters the first layer, and what runs through all
    hidden: int  # (R, h), H of the LM; then what the pass comes to
    y: int  # (threads, R, h), a normed copy for every thread
    qkv: int  # (R, (H + 2 G) D)
    heads: int  # (R, H D)
    gate: int  # (R, mlp), or (R, width of the entry network) where that is more
    up: int  # (R, mlp)
    out: int  # (R, h)
    low: int  # (2, R, rank), what of the input the changes look at
    rows: int  # bytes (threads, scratch_bytes(largest K)), weights that several tiles need
    packed: int  # bytes, packing_bytes(...)
    mine: int  # (threads, 2 D + room + 16), for one head's attention
    logits: int  # (ends, V)
    parts: int  # (threads, ends, 5), of what is told about logits (kernels.telling)
    told: int  # (ends, 3), first of the largest, entropy, sum
