"""One attention: all positions at once, step by step with either cache, and the formula."""

import pytest
import torch

from vqnat.modules.attention import CrossAttention, SelfAttention, dot_product
from vqnat.modules.key_value_cache import ConcatenatedCache, InPlaceCache
from vqnat.modules.local_attention import LocalDotProduct, local_mask
from vqnat.modules.transformer import StackShape, TransformerStack

HEADS, DIM, LENGTH = 2, 8, 7


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(1)


def formula(query, key, value, mask):
    """softmax(q k / sqrt(D / H)) v, head by head."""
    heads = []
    for part in zip(*(x.chunk(HEADS, -1) for x in (query, key, value)), strict=True):
        q, k, v = part
        scores = q @ k.transpose(1, 2) / (DIM / HEADS) ** 0.5  # (B, T, S)
        heads.append(scores.masked_fill(~mask, -torch.inf).softmax(-1) @ v)
    return torch.cat(heads, -1)


def causal_mask(length):
    return torch.ones(length, length, dtype=torch.bool).tril()


@pytest.mark.parametrize("kind", ["full", "causal", "padded"])
def test_the_core_is_the_formula(kind):
    query, key, value = (torch.randn(3, LENGTH, DIM) for _ in range(3))
    real = torch.arange(LENGTH) < torch.tensor([7, 3, 5]).unsqueeze(1)  # (B, S)
    mask, reads = {
        "full": (None, torch.ones(LENGTH, LENGTH, dtype=torch.bool)),
        "causal": (None, causal_mask(LENGTH)),
        "padded": (real[:, None, None, :], real.unsqueeze(1)),
    }[kind]
    found = dot_product(query, key, value, HEADS, mask, causal=kind == "causal")
    torch.testing.assert_close(found, formula(query, key, value, reads))


@pytest.mark.parametrize(("length", "block"), [(12, 4), (10, 4), (3, 4), (7, 1), (9, 16), (1, 3)])
def test_the_local_core_is_the_formula_with_its_mask(length, block):
    query, key, value = (torch.randn(3, length, DIM) for _ in range(3))
    mask = local_mask(length, block)
    torch.testing.assert_close(
        LocalDotProduct(block)(query, key, value, HEADS), formula(query, key, value, mask), rtol=1e-4, atol=1e-6
    )
    assert int(mask[-1].sum()) == min(length, (length - 1) % block + 1 + block)


@pytest.mark.parametrize("core", [dot_product, LocalDotProduct(2)], ids=["full", "local"])
@pytest.mark.parametrize("kind", ["in place", "concatenated"])
@torch.no_grad()
def test_steps_with_a_cache_are_the_whole(core, kind):
    attention, x = SelfAttention(DIM, HEADS, 0.0, core), torch.randn(3, LENGTH, DIM)
    whole = attention(x, causal=True)
    room = torch.zeros(2, 3, HEADS, LENGTH, DIM // HEADS)
    growing = ConcatenatedCache(*room[:, :, :, :0])
    for position in range(LENGTH):
        cache = InPlaceCache(room, position) if kind == "in place" else growing
        step = attention(x[:, position : position + 1], causal=True, cache=cache)
        torch.testing.assert_close(step[:, 0], whole[:, position], rtol=1e-4, atol=1e-6)
    if kind == "concatenated":
        assert not room.any() and growing.keys.shape == room[0].shape


@torch.no_grad()
def test_attention_to_the_source_reads_real_positions_only():
    attention, x, source = CrossAttention(DIM, HEADS, 0.0), torch.randn(2, 4, DIM), torch.randn(2, 5, DIM)
    real = torch.tensor([[True] * 5, [True, True, False, False, False]])
    found = attention(x, attention.project(source), real[:, None, None, :])
    alone = attention(x[1:], attention.project(source[1:, :2]), None)
    torch.testing.assert_close(found[1:], alone)


@pytest.mark.parametrize("normalize_before", [True, False])
@torch.no_grad()
def test_the_stack_steps_as_a_whole_and_reorders_its_rows(normalize_before):
    shape = StackShape(2, DIM, 16, HEADS, 0.0, normalize_before=normalize_before)
    stack, x = TransformerStack(shape, reads_source=True), torch.randn(3, LENGTH, DIM)
    source = stack.project_source(torch.randn(1, 4, DIM).expand(3, -1, -1))
    rows = torch.tensor([2, 0, 0])
    whole = stack(torch.cat([x[rows, :3], x[:, 3:]], 1), None, source, causal=True)
    cache = stack.new_cache(3, LENGTH, x)
    for position in range(LENGTH):
        if position == 3:
            cache.reorder(rows)
        step = stack(x[:, position : position + 1], None, source, causal=True, caches=cache.at(position))
        if position >= 3:
            torch.testing.assert_close(step[:, 0], whole[:, position], rtol=1e-4, atol=1e-5)
