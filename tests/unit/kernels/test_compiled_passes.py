"""The compiled passes against torch's: every kind of layer, any company, any number of threads."""

import copy
import dataclasses
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from kernels.passes import CompiledPasses, supports
from model.config import Choice, SamplerConfig
from model.engine import Engine
from model.passes import Passes, TorchPasses
from model.prepared import PreparedPath
from model.refinement import Ask
from model.request import Fault, Request
from model.slots import Slots
from model.writing import Recipe, Row, Token
from tests.tiny import FAMILIES, PATH, PROMPT, VOCAB, read_prompts, sized_backbone, stirred_path

CARRY = dataclasses.replace(PATH, start="token", carry=True)
LENGTHS = (6, 2, 5, 6, 1)


@dataclasses.dataclass
class Standing:
    """A row that stands somewhere."""

    slot: int
    token: int
    length: int
    hidden: Tensor
    carried: Tensor


def path_on(name: str, dtype: torch.dtype = torch.bfloat16) -> PreparedPath:
    backbone = sized_backbone(name, hidden=64, dtype=dtype)
    return PreparedPath(backbone, stirred_path(backbone, CARRY, scale=0.1))


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
        kv.enter(slot, cache)
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
    """Of an evaluation, of a pass of the LM, and of one more that sees what the first left."""
    kv, rows = standing(prepared)
    for row in rows:
        row.length -= 1
    hidden, logits = passes.decode(kv, rows)
    out = {"H": hidden, "logits": logits}
    for i, row in enumerate(rows):
        row.length, row.hidden, row.carried = row.length + 1, hidden[i : i + 1], hidden[i : i + 1]
    states, read_out = passes.evaluate(kv, rows, asks())
    out |= {"states": torch.cat([*states], dim=1), "read-out": torch.cat([*read_out], dim=1)}
    return {name: value.float().squeeze() for name, value in out.items()}


@pytest.mark.parametrize("name", FAMILIES)
def test_they_are_nearer_to_float32_than_torch_in_bfloat16(name: str) -> None:
    exact, half = path_on(name, torch.float32), path_on(name)
    true = results(TorchPasses(exact), exact)
    compiled, torchs = CompiledPasses(half, 2), TorchPasses(half)
    ours, theirs = results(compiled, half), results(torchs, half)
    compiled.close()
    for key, value in true.items():
        off = (ours[key] - value).square().mean()
        assert off <= (theirs[key] - value).square().mean(), key
        assert off < 1e-3 * value.square().mean(), key


def test_int8_comes_near_to_what_it_rounds(prepared: PreparedPath) -> None:
    plain, rounded = CompiledPasses(prepared, 2), CompiledPasses(prepared, 2, int8=True)
    exact, near = results(plain, prepared), results(rounded, prepared)
    for passes in (plain, rounded):
        passes.close()
    for key, value in exact.items():
        off = (near[key] - value).square().mean() / value.square().mean()
        assert 0 < off < 1e-2, key


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
        torch.testing.assert_close(logits, expected, atol=1e-5, rtol=1e-5)
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


def drawn(passes: Passes, prepared: PreparedPath, rows: list[Row]) -> Iterator[list[int]]:
    engine, tokens = Engine(prepared, passes=passes), [list[int]() for _ in rows]

    def tell(i: int, event: Token | Fault | None) -> None:
        assert not isinstance(event, Fault), event
        if event is not None:
            tokens[i].append(event.id)

    for i, row in enumerate(rows):
        config = SamplerConfig(4, "euler", max_new_tokens=6, choice=Choice(temperature=1.0))
        recipe = Recipe.of(prepared, config)
        engine.submit(Request([row], recipe, lambda event, i=i: tell(i, event)))  # type: ignore[misc]
    while engine.busy:
        engine.tick()
    yield from tokens


def test_an_engine_draws_a_row_the_same_alone_and_among_others(prepared: PreparedPath) -> None:
    passes = CompiledPasses(prepared, 2)
    rows = [Row(PROMPT[: 2 + i % 4], i, "math" if i % 2 else None) for i in range(9)]
    together = list(drawn(passes, prepared, rows))
    alone = [next(drawn(passes, prepared, [row])) for row in rows]
    passes.close()
    assert together == alone


def test_what_they_cannot_run_is_left_to_torch() -> None:
    assert supports(sized_backbone("llama, tied", 64, torch.bfloat16))
    assert not supports(sized_backbone("llama, tied", 64, torch.float32))
    assert not supports(sized_backbone("llama, tied", 32, torch.bfloat16))  # heads of 8
