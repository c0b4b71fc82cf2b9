"""The compiled passes against torch's: every kind of layer, any company, any number of threads."""

import copy
import dataclasses
import math
from collections.abc import Iterator
from statistics import geometric_mean
from typing import Literal

import pytest
import torch
from torch import Tensor

from kernels.passes import CompiledPasses, supports
from kernels.table import Weights
from kernels.unit import DOTS
from kernels.weights import Matrix
from model.backbone import Backbone
from model.choice import Logits
from model.config import Choice, L2DConfig, SamplerConfig
from model.engine import Engine
from model.errors import WeightsError
from model.passes import Passes, Piece, TorchPasses
from model.prepared import PreparedPath
from model.refinement import Ask
from model.request import Fault, Request
from model.slots import Slots
from model.writing import Recipe, Row, Token
from tests.tiny import FAMILIES, PATH, PROMPT, VOCAB, read_prompts, sized_backbone, stirred_path

CARRY = dataclasses.replace(PATH, start="token", carry=True)
OWN = dataclasses.replace(CARRY, reading="own")
LENGTHS = (6, 2, 5, 6, 1)


@dataclasses.dataclass
class Standing:
    """A row that stands somewhere."""

    slot: int
    token: int
    length: int
    hidden: Tensor
    carried: Tensor


def path_on(
    name: str, dtype: torch.dtype = torch.bfloat16, config: L2DConfig = CARRY
) -> PreparedPath:
    backbone = sized_backbone(name, hidden=64, dtype=dtype)
    return PreparedPath(backbone, stirred_path(backbone, config, scale=0.1))


def standing(prepared: PreparedPath) -> tuple[Slots, list[Standing]]:
    """Rows of several lengths, read by torch in float32, so that all start from the same."""
    exact = prepared.backbone.to(torch.float32)
    kv, rows = Slots(prepared.backbone), list[Standing]()
    kv.reserve(len(LENGTHS), 16)
    for slot, length in enumerate(LENGTHS):
        ids = torch.tensor([[(7 * slot + 3 * i) % VOCAB for i in range(length)]])
        hidden, cache = read_prompts(exact, ids)
        cache.keys = [k.bfloat16().to(prepared.backbone.dtype) for k in cache.keys]
        cache.values = [v.bfloat16().to(prepared.backbone.dtype) for v in cache.values]
        for own, its in zip(
            kv.cache.keys + kv.cache.values, cache.keys + cache.values, strict=True
        ):
            own[slot, :, : cache.length] = its[0, :, : cache.length]
        last = hidden[:, -1:].to(prepared.backbone.dtype)
        rows.append(Standing(slot, int(ids[0, -1]), length, last, last + 0.1))
    return kv, rows


def asks() -> list[Ask]:
    """At their own times; of the second both halves of a guided evaluation are asked for."""
    g = torch.Generator().manual_seed(5)
    queries = (1, 2, 1, 1, 1)
    times = (0.0, 0.5, 0.25, 0.9, 1.0)
    return [
        Ask(
            8 * torch.randn(1, q, PATH.flow_dim, generator=g).double(),
            t,
            torch.tensor([[0, 2][:q]]),
        )
        for q, t in zip(queries, times, strict=True)
    ]


def results(passes: Passes, prepared: PreparedPath) -> dict[str, Tensor]:
    """Of an evaluation, of a pass of what reads, and of one more that sees what the first left."""
    kv, rows = standing(prepared)
    for row in rows:
        row.length -= 1
    hidden, logits = passes.decode(kv, rows, prepared.reader is not prepared.backbone)
    out = {"H": hidden, "logits": torch.cat([row.values for row in logits])}
    for i, row in enumerate(rows):
        row.length, row.hidden, row.carried = row.length + 1, hidden[i : i + 1], hidden[i : i + 1]
    states, read_out = passes.evaluate(kv, rows, asks())
    out["states"] = torch.cat([*states], dim=1)
    out["read-out"] = torch.cat([row.values for row in read_out], dim=1)
    return {name: value.float().squeeze() for name, value in out.items()}


@pytest.mark.parametrize("config", [CARRY, OWN], ids=["LM's reading", "own reading"])
@pytest.mark.parametrize("name", FAMILIES)
def test_they_are_nearer_to_float32_than_torch_in_bfloat16(name: str, config: L2DConfig) -> None:
    exact, half = path_on(name, torch.float32, config), path_on(name, config=config)
    true = results(TorchPasses(exact), exact)
    compiled, torchs = CompiledPasses(half, 2), TorchPasses(half)
    ours, theirs = results(compiled, half), results(torchs, half)
    compiled.close()
    for key, value in true.items():
        off = (ours[key] - value).square().mean()
        assert off <= (theirs[key] - value).square().mean(), key
        assert off < 1e-3 * value.square().mean(), key


def test_int8_comes_near_to_what_it_rounds(prepared: PreparedPath) -> None:
    plain = CompiledPasses(prepared, 2)
    rounded = CompiledPasses(prepared, 2, Weights.rounded(prepared))
    exact, near = results(plain, prepared), results(rounded, prepared)
    for passes in (plain, rounded):
        passes.close()
    for key, value in exact.items():
        off = (near[key] - value).square().mean() / value.square().mean()
        assert 0 < off < 1e-2, key


def published_of(backbone: Backbone) -> dict[str, Tensor]:
    """Blocks under a Llama's names, and what they stand for put into the backbone (float32)."""
    s, blocks = backbone.shape, dict[str, Tensor]()
    q, kv = s.heads * s.head_dim, s.kv_heads * s.head_dim

    def rounded(name: str, weight: Tensor) -> None:
        matrix = Matrix.rounded(weight)
        weight.copy_(matrix.numbers(weight.shape[1]))
        blocks[f"{name}.weight"] = matrix.data

    for i, layer in enumerate(backbone.layers):
        parts = {
            "self_attn.q_proj": layer.qkv.rows(0, q),
            "self_attn.k_proj": layer.qkv.rows(q, q + kv),
            "self_attn.v_proj": layer.qkv.rows(q + kv, q + 2 * kv),
            "self_attn.o_proj": layer.o,
            "mlp.gate_proj": layer.gate_up.rows(0, s.mlp),
            "mlp.up_proj": layer.gate_up.rows(s.mlp, 2 * s.mlp),
            "mlp.down_proj": layer.down,
        }
        for name, linear in parts.items():
            rounded(f"model.layers.{i}.{name}", linear.weight)
    rounded("lm_head", backbone.head)
    return blocks


def published_errors(
    name: str, kind: Literal["lora", "full"], config: L2DConfig
) -> dict[str, tuple[float, float, float]]:
    """Of each result: squared error by the published blocks and by bfloat16, its square; means."""
    backbone = sized_backbone(name, hidden=64, dtype=torch.float32)
    blocks = published_of(backbone)
    path = stirred_path(backbone, dataclasses.replace(config, weights=kind), scale=0.1)
    half = PreparedPath(backbone.to(torch.bfloat16), path)
    # a token is looked up in bfloat16 by all
    looked_up = dataclasses.replace(backbone, embedding=half.backbone.embedding.float())
    exact = PreparedPath(looked_up, path)
    ways = CompiledPasses(half, 2, Weights.published(half, blocks)), CompiledPasses(half, 2)
    true = results(TorchPasses(exact), exact)
    whole, rounded = (results(passes, half) for passes in ways)
    for passes in ways:
        passes.close()
    return {
        key: (
            float((whole[key] - value).square().mean()),
            float((rounded[key] - value).square().mean()),
            float(value.square().mean()),
        )
        for key, value in true.items()
    }


@pytest.mark.parametrize("config", [CARRY, OWN], ids=["LM's reading", "own reading"])
@pytest.mark.parametrize("kind", ["lora", "full"])
def test_published_blocks_are_nearer_to_what_they_stand_for_than_bfloat16(
    kind: Literal["lora", "full"], config: L2DConfig
) -> None:
    """Over all families: in one alone, of few numbers, bfloat16 may happen to round better."""
    ratios = dict[str, list[float]]()
    for name in FAMILIES:
        for key, (off, rounded, size) in published_errors(name, kind, config).items():
            assert off < 1e-3 * size, (name, key)
            ratios.setdefault(key, []).append(off / rounded)
    for key, found in ratios.items():
        assert geometric_mean(found) <= 1 + 1e-9, (key, found)


@pytest.mark.skipif(not DOTS, reason="needs the vectors of x86, and no AMX")
@pytest.mark.parametrize("name", ["llama, tied", "qwen3, head norms"])
def test_by_dot_products_a_row_is_the_same_to_the_last_bit_in_any_company(name: str) -> None:
    backbone = sized_backbone(name, hidden=64, dtype=torch.float32)
    blocks = published_of(backbone)
    path = stirred_path(backbone, CARRY, scale=0.1)
    half = PreparedPath(backbone.to(torch.bfloat16), path)
    passes = CompiledPasses(half, 1, Weights.published(half, blocks))
    (kv, rows), all_asks = standing(half), asks()
    _, together = passes.evaluate(kv, rows, all_asks)
    for row, ask, expected in zip(rows, all_asks, together, strict=True):
        _, (logits,) = passes.evaluate(kv, [row], [ask])
        assert torch.equal(logits.values, expected.values)
    hidden, _ = passes.decode(kv, rows)
    for row, expected in zip(rows, hidden, strict=True):
        assert torch.equal(passes.decode(kv, [row])[0][0], expected)
    passes.close()


def test_blocks_of_another_model_are_refused() -> None:
    backbone = sized_backbone("qwen3, head norms", hidden=64, dtype=torch.float32)
    blocks = published_of(backbone)
    half = backbone.to(torch.bfloat16)
    prepared = PreparedPath(half, stirred_path(half, CARRY))
    other = blocks | {"lm_head.weight": blocks["lm_head.weight"].flip(0)}
    with pytest.raises(WeightsError, match=r"of lm_head.weight are not those of the base"):
        Weights.published(prepared, other)
    with pytest.raises(WeightsError, match=r"lack model.layers.0.self_attn.q_proj"):
        Weights.published(prepared, {})


@pytest.fixture(scope="module")
def prepared() -> PreparedPath:
    return path_on("qwen3, head norms")


@pytest.mark.parametrize("threads", [2, 3, 5])
def test_the_number_of_threads_changes_nothing(prepared: PreparedPath, threads: int) -> None:
    one, many = CompiledPasses(prepared, 1), CompiledPasses(prepared, threads)
    alone, together = results(one, prepared), results(many, prepared)
    many.close()
    for key, value in alone.items():
        assert torch.equal(value, together[key]), key


def test_a_row_is_the_same_in_any_company(prepared: PreparedPath) -> None:
    passes = CompiledPasses(prepared, 2)
    (kv, rows), all_asks = standing(prepared), asks()
    _, together = passes.evaluate(kv, rows, all_asks)
    for row, ask, expected in zip(rows, all_asks, together, strict=True):
        _, (logits,) = passes.evaluate(kv, [row], [ask])
        torch.testing.assert_close(logits.values, expected.values, atol=1e-4, rtol=1e-4)
    passes.close()


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_what_is_told_of_logits_is_what_torch_finds_in_them(
    prepared: PreparedPath, threads: int
) -> None:
    passes = CompiledPasses(prepared, threads)
    kv, rows = standing(prepared)
    told = [*passes.evaluate(kv, rows, asks())[1], *passes.decode(kv, rows)[1]]
    told += passes.read(kv, [Piece(0, 0, PROMPT)])[1]
    for logits in told:
        found = Logits(logits.values)
        assert torch.equal(logits.best, found.best)
        torch.testing.assert_close(logits.entropy, found.entropy, atol=1e-5, rtol=1e-5)
        assert logits.finite
    passes.close()


@pytest.mark.parametrize("amount", [math.nan, math.inf, -math.inf])
def test_it_is_told_that_logits_are_not_numbers(prepared: PreparedPath, amount: float) -> None:
    passes = CompiledPasses(prepared, 2)
    kv, rows = standing(prepared)
    rows[1].hidden = rows[1].hidden.clone().fill_(amount)
    _, logits = passes.evaluate(kv, rows, asks())
    assert [row.finite for row in logits] == [True, False, True, True, True]
    passes.close()


def test_only_the_new_token_is_written_into_the_slots(prepared: PreparedPath) -> None:
    passes = CompiledPasses(prepared, 2)
    kv, rows = standing(prepared)
    before = copy.deepcopy(kv.cache)
    passes.evaluate(kv, rows, asks())
    assert all(map(torch.equal, kv.cache.keys, before.keys))
    passes.decode(kv, rows)
    for stores, were in ((kv.cache.keys, before.keys), (kv.cache.values, before.values)):
        for store, was in zip(stores, were, strict=True):
            for row in rows:
                changed = (store[row.slot] != was[row.slot]).any(dim=-1).any(dim=0).nonzero()
                assert changed.flatten().tolist() == [row.length]
    passes.close()


def drawn(
    passes: Passes, prepared: PreparedPath, rows: list[Row], guidance: float = 1.0
) -> Iterator[list[int]]:
    engine, tokens = Engine(prepared, passes=passes), [list[int]() for _ in rows]

    def tell(i: int, event: Token | Fault | None) -> None:
        assert not isinstance(event, Fault), event
        if event is not None:
            tokens[i].append(event.id)

    for i, row in enumerate(rows):
        config = SamplerConfig(
            4, "euler", max_new_tokens=6, choice=Choice(temperature=1.0), guidance=guidance
        )
        recipe = Recipe.of(prepared, config)
        engine.submit(Request([row], recipe, lambda event, i=i: tell(i, event)))  # type: ignore[misc]
    while engine.busy:
        engine.tick()
    yield from tokens


@pytest.mark.parametrize("guidance", [1.0, 2.0])
def test_an_engine_draws_a_row_the_same_alone_and_among_others(
    prepared: PreparedPath, guidance: float
) -> None:
    passes = CompiledPasses(prepared, 2)
    rows = [Row(PROMPT[: 2 + i % 4], i, "math" if i % 2 else None) for i in range(9)]
    together = list(drawn(passes, prepared, rows, guidance))
    alone = [next(drawn(passes, prepared, [row], guidance)) for row in rows]
    passes.close()
    assert together == alone


@pytest.mark.parametrize("kind", ["compiled", "torch"])
def test_behind_a_guided_evaluation_goes_on_the_half_that_knows_the_class(
    prepared: PreparedPath, kind: str
) -> None:
    passes = CompiledPasses(prepared, 2) if kind == "compiled" else TorchPasses(prepared)
    kv, rows = standing(prepared)
    guided, plain = asks()[1], asks()[0]
    states, _ = passes.evaluate(kv, rows[:1], [guided])
    assert states[0].shape[1] == 2
    found = []
    for carried in (states[0], states[0][:, :1]):
        rows[0].carried = carried
        found.append(passes.evaluate(kv, rows[:1], [plain])[1][0].values)
    assert torch.equal(*found)
    if isinstance(passes, CompiledPasses):
        passes.close()


def test_what_they_cannot_run_is_left_to_torch() -> None:
    assert supports(sized_backbone("llama, tied", 64, torch.bfloat16))
    assert not supports(sized_backbone("llama, tied", 64, torch.float32))
    assert not supports(sized_backbone("llama, tied", 32, torch.bfloat16))  # heads of 8


@pytest.mark.parametrize("name", ["llama, tied", "qwen2, window in the last layer"])
def test_prompts_read_together_and_in_pieces_are_those_read_token_by_token(name: str) -> None:
    prepared = path_on(name)
    passes, prompts = CompiledPasses(prepared, 2), [PROMPT, PROMPT[::-1][:3], PROMPT[1:4]]
    one, many = Slots(prepared.backbone), Slots(prepared.backbone)
    for kv in (one, many):
        kv.reserve(3, len(PROMPT))
    for slot, ids in enumerate(prompts):
        for i, id_ in enumerate(ids):
            expected = passes.read(one, [Piece(slot, i, (id_,))])
        passes.read(many, [Piece(slot, 0, ids[:1])])
        prompts[slot] = ids[1:]
        hidden, (logits,) = expected
        torchs = prepared.backbone.logits(hidden.bfloat16()).float()
        torch.testing.assert_close(logits.values, torchs, atol=0.05, rtol=0.05)
    pieces = [Piece(slot, 1, ids) for slot, ids in enumerate(prompts)]
    states, read_out = passes.read(many, pieces)
    torch.testing.assert_close(states[-1:], hidden, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(read_out[-1].values, logits.values, atol=1e-4, rtol=1e-4)
    for a, b in zip(one.cache.keys + one.cache.values, many.cache.keys + many.cache.values,
                    strict=True):  # fmt: skip
        torch.testing.assert_close(a, b, atol=0.02, rtol=0.02)
    passes.close()
