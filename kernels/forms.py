"""What is passed to the compiled pass: sizes, and addresses of all it reads and writes."""

from typing import NamedTuple

# Columns of the table of a pass, a row a layer: addresses, 0 where a family has none.
QKV, O, GATE, UP, DOWN, QKV_BIAS, O_BIAS, GATE_BIAS, UP_BIAS, DOWN_BIAS = range(10)  # noqa: E741
QKV_SCALES, O_SCALES, GATE_SCALES, UP_SCALES, DOWN_SCALES = range(10, 15)
Q_NORM, K_NORM, KEYS, VALUES, WINDOW, ROTARY, COLUMNS = range(15, 22)


class Sizes(NamedTuple):
    """Of the LM; in the last two of the pass."""

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


class Rows(NamedTuple):
    """Addresses of what differs between the R rows."""

    slots: int  # int64 (R)
    lengths: int  # int64 (R), tokens in the slot before this pass
    modulations: int  # int64 (R), of bfloat16 (layers, 6, h): a1 s1 g1 a2 s2 g2
    exits: int  # int64 (R), of bfloat16 (h); 0 where the LM itself is run
    cos: int  # float32 (R, D)
    sin: int  # float32 (R, D), its first half negative


class Work(NamedTuple):
    """Addresses of float32 buffers."""

    x: int  # (R, h), what enters the first layer, and what runs through all
    hidden: int  # (R, h), H of the LM; then what the pass comes to
    y: int  # (threads, R, h), a normed copy for every thread
    qkv: int  # (R, (H + 2 G) D)
    heads: int  # (R, H D)
    gate: int  # (R, mlp)
    up: int  # (R, mlp)
    out: int  # (R, h)
    mine: int  # (threads, 3 D + room + 16), for one head's attention
    logits: int  # (R, V)
