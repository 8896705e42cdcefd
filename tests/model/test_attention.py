"""Attention against a Python loop, against multi-head attention, and under damage."""

import itertools
import math

import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from torch.nn.attention import SDPBackend, sdpa_kernel

from anekdot.model import attention_kernels
from anekdot.model.alibi import head_slopes
from anekdot.model.attention import (
    Attention,
    attention_bias,
    reference_attention,
    stable_softmax,
)
from anekdot.model.attention_kernels import (
    MAX_EXACT_POSITION,
    blockwise_attention,
    document_code,
    fast_attention,
    folded_attention,
    folded_bias,
    grouped_attention,
    should_fold_bias,
)
from anekdot.model.config import PRESETS, ModelConfig
from anekdot.model.transformer import Transformer
from tests.support.models import published_slopes

SHAPES = [(4, 4), (4, 2), (6, 3), (6, 1), (3, 1)]
VERSIONS = [grouped_attention, blockwise_attention, fast_attention]


def random_qkv(n_head, n_kv_head, n_query=5, n_key=7):
    batch, head_dim = 2, 4
    torch.manual_seed(0)
    return (
        torch.randn(batch, n_head, n_query, head_dim) * 3,
        torch.randn(batch, n_kv_head, n_key, head_dim) * 3,
        torch.randn(batch, n_kv_head, n_key, head_dim),
    )


def random_documents(n_position):
    """Numbers of documents that begin at random places of two rows."""
    return (torch.randn(2, n_position) > 1.5).cumsum(1)


def loop_attention(q, k, v, slopes, padding):
    """Softmax attention spelled out one number at a time, in Python floats."""
    batch, n_head, n_query, head_dim = q.shape
    n_kv_head, n_key = k.shape[1], k.shape[2]
    out = torch.zeros_like(q)
    for b in range(batch):
        for n in range(n_head):
            kv = n // (n_head // n_kv_head)
            for t in range(n_query):
                i = n_key - n_query + t
                seen = [j for j in range(i + 1) if padding is None or padding[b][j]]
                scores = [
                    sum(float(q[b, n, t, h]) * float(k[b, kv, j, h]) for h in range(head_dim))
                    / math.sqrt(head_dim)
                    - slopes[n] * (i - j)
                    for j in seen
                ]
                weights = [math.exp(s - max(scores)) for s in scores]
                for weight, j in zip(weights, seen, strict=True):
                    out[b, n, t] += weight / sum(weights) * v[b, kv, j]
    return out


@pytest.mark.parametrize(("n_head", "n_kv_head"), SHAPES)
@pytest.mark.parametrize("padded", [False, True])
def test_every_version_equals_the_loop(n_head, n_kv_head, padded):
    q, k, v = random_qkv(n_head, n_kv_head)
    padding = torch.tensor([[1] * 7, [0, 0, 1, 1, 1, 1, 1]]).bool() if padded else None
    slopes = head_slopes(n_head)
    bias = attention_bias(torch.tensor(slopes), 5, 7, padding_mask_BS=padding)
    expected = loop_attention(q, k, v, published_slopes(n_head), padding)
    torch.testing.assert_close(reference_attention(q, k, v, bias), expected, atol=1e-5, rtol=0)
    for version in VERSIONS:
        torch.testing.assert_close(version(q, k, v, bias), expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("n_query", "n_key"), [(1, 300), (128, 128), (129, 129), (300, 310)])
@pytest.mark.parametrize("several", [False, True])
def test_values_and_gradients_equal_those_in_float64(version, n_query, n_key, several, dtype):
    n_query = n_key if several else n_query
    q, k, v = random_qkv(6, 3, n_query, n_key)
    # as large as in training where scores are rounded, and larger where they are not
    narrow = [q, k, v] if dtype == torch.float32 else [x.to(dtype) for x in (q / 3, k / 3, v)]
    slopes = torch.tensor(head_slopes(6))
    sums, documents = torch.randn(2, 6, n_query, 4), random_documents(n_key) if several else None
    bias = attention_bias(slopes, n_query, n_key, documents_BT=documents)
    results = []
    for attention, wide in ((reference_attention, torch.float64), (version, dtype)):
        qkv = [tensor.to(wide).requires_grad_() for tensor in narrow]
        out = attention(*qkv, bias.double() if wide == torch.float64 else bias)
        (out * sums).sum().backward()
        results.append([out, *(tensor.grad for tensor in qkv)])
    for exact, found in zip(*results, strict=True):
        if dtype == torch.float32:
            torch.testing.assert_close(found.double(), exact, atol=1e-5, rtol=1e-5)
        else:
            assert (found.double() - exact).norm() < 1e-2 * exact.norm()


@pytest.mark.parametrize("change", ["slope", "mask", "group"])
def test_damage_is_noticed(change):
    q, k, v = random_qkv(4, 2)
    slopes = head_slopes(4)
    expected = loop_attention(q, k, v, published_slopes(4), None)
    bias = attention_bias(torch.tensor(slopes), 5, 7)
    if change == "slope":
        bias[1] = bias[2]
    if change == "mask":
        bias[:, 0, 3] = 0.0
    if change == "group":
        k = k.flip(1)
    assert not torch.allclose(reference_attention(q, k, v, bias), expected, atol=1e-3)


def test_equal_head_counts_are_multi_head_attention():
    """K = N: PyTorch's own multi-head attention, given the same bias, is the oracle."""
    torch.manual_seed(0)
    config = ModelConfig(
        vocab_size=8, context_length=8, n_layer=1, n_head=4, n_kv_head=4, hidden_dim=16,
        intermediate_dim=8,
    )  # fmt: skip
    ours, theirs = Attention(config), torch.nn.MultiheadAttention(16, 4, False, batch_first=True)
    theirs.in_proj_bias = None
    projections = (ours.q_proj, ours.k_proj, ours.v_proj)
    with torch.no_grad():
        theirs.in_proj_weight.copy_(torch.cat([matrix.weight for matrix in projections]))
        theirs.out_proj.weight.copy_(ours.out_proj.weight)
        theirs.out_proj.bias = None
    x_BTD = torch.randn(2, 6, 16)
    bias_NTS = attention_bias(torch.tensor(head_slopes(4)), 6, 6)
    expected, _ = theirs(x_BTD, x_BTD, x_BTD, attn_mask=bias_NTS.repeat(2, 1, 1))
    torch.testing.assert_close(ours(x_BTD, bias_NTS), expected, atol=1e-5, rtol=0)


def test_masks_come_after_the_bias_and_are_absolute():
    padding = torch.tensor([[False, True, True]])
    bias = attention_bias(torch.tensor([1e30]), 3, 3, padding_mask_BS=padding)[0, 0]
    inf = math.inf
    assert bias[0].tolist() == [0.0, -inf, -inf]
    assert bias[1].tolist() == [-inf, 0.0, -inf]
    assert bias[2, 0] == -inf
    assert torch.isfinite(bias[2, 1:]).all()


def test_documents_see_themselves_only():
    documents = torch.tensor([[0, 0, 1, 1, 1], [0, 1, 2, 2, 3]])
    bias = attention_bias(torch.tensor([0.5]), 5, 5, documents_BT=documents)
    assert bias.shape == (2, 1, 5, 5)
    for row, numbers in enumerate(documents.tolist()):
        for i, j in itertools.product(range(5), range(5)):
            seen = j <= i and numbers[i] == numbers[j]
            assert bias[row, 0, i, j] == (-0.5 * (i - j) if seen else -math.inf)


def test_softmax_is_stable():
    rows = torch.tensor([[1e4, 1e4, -1e4], [-1e30, 0.0, 1.0], [-math.inf, 5.0, 5.0]])
    torch.testing.assert_close(stable_softmax(rows), torch.softmax(rows, -1))
    huge = stable_softmax(torch.tensor([3e38, -3e38]))
    assert huge.tolist() == [1.0, 0.0]


def test_softmax_of_a_fully_masked_row_is_zero_not_nan():
    assert stable_softmax(torch.full((2, 3), -math.inf)).tolist() == [[0.0] * 3] * 2


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.bfloat16, 2e-2)])
@pytest.mark.parametrize("several", [False, True])
def test_the_folded_bias_equals_the_bias(dtype, tolerance, several):
    """In bfloat16 a slope or a position that was rounded would be off by far more."""
    qkv = [x.to(dtype).requires_grad_() for x in random_qkv(6, 3, 300, 300)]
    precise = [x.detach().double().requires_grad_() for x in qkv]
    slopes, documents = torch.tensor(head_slopes(6)), random_documents(300) if several else None
    bias = attention_bias(slopes, 300, 300, documents_BT=documents)
    exact = reference_attention(*precise, bias.double())
    folded = fast_attention(*qkv, folded_bias(slopes, 4, 300, documents))
    torch.testing.assert_close(folded.double(), exact, atol=tolerance, rtol=0)
    sums = torch.randn(2, 6, 300, 4)
    (folded * sums).sum().backward()
    (exact * sums).sum().backward()
    for narrow, wide in zip(qkv, precise, strict=True):
        size = wide.grad.abs().max().item()
        torch.testing.assert_close(narrow.grad.double(), wide.grad, atol=tolerance * size, rtol=0)


def test_folded_documents_are_apart_to_the_bit():
    """What stands in another document changes nothing, up to scores of thousands."""
    q, k, v = random_qkv(6, 3, 40, 40)
    documents = (torch.arange(40) // 8)[None].expand(2, -1)
    bias = folded_bias(torch.tensor(head_slopes(6)), 4, 40, documents)
    before = folded_attention(q, k, v, bias)[:, :, 16:24]
    k[:, :, :16], v[:, :, :16] = -100 * k[:, :, :16], 1e6
    assert torch.equal(folded_attention(q, k, v, bias)[:, :, 16:24], before)


def test_a_folded_row_of_many_documents_keeps_all_of_them_apart():
    """600 documents of two tokens: whatever one of them says, no other hears it."""
    q, k, v = random_qkv(6, 3, 1200, 1200)
    documents = (torch.arange(1200) // 2)[None].expand(2, -1)
    bias = folded_bias(torch.tensor(head_slopes(6)), 4, 1200, documents)
    before = folded_attention(q, k, v, bias)
    for changed in (7, 300):  # 256 documents, or all bits of a byte, before others
        first = 2 * changed
        k[:, :, first : first + 2] *= -100
        v[:, :, first : first + 2] = 1e6
        after = folded_attention(q, k, v, bias)
        for others in (slice(0, first), slice(first + 2, None)):
            assert torch.equal(after[:, :, others], before[:, :, others])
        before = after


@given(st.integers(0, 2**16 - 1), st.integers(0, 2**16 - 1))
@example(0, 256)
@example(1, 2**15 + 1)
@example(0, 2**16 - 1)
@example(0b0111, 0b1000)
def test_of_two_documents_each_code_has_a_one_where_the_other_has_none(one, other):
    a, b = document_code(torch.tensor([[one, other]]))[0]
    assert bool((a * (1 - b)).any()) == bool((b * (1 - a)).any()) == (one != other)


@pytest.mark.parametrize("head_dim", [4, 64, 256])
def test_a_folded_bias_fits_into_float16(head_dim):
    documents = torch.arange(MAX_EXACT_POSITION)[None]
    query_extra, key_extra = folded_bias(
        torch.tensor(head_slopes(1)), head_dim, MAX_EXACT_POSITION, documents
    )
    for extra in (query_extra, key_extra):
        assert torch.isfinite(extra.half()).all()
    assert torch.equal(key_extra.half().float(), key_extra)
    qkv = [torch.zeros(1, 1, 300, head_dim, dtype=torch.float16) for _ in range(2)]
    v = torch.arange(300.0).half()[None, None, :, None].expand(1, 1, -1, head_dim)
    alone = folded_bias(torch.tensor([0.5]), head_dim, 300, torch.arange(300)[None])
    torch.testing.assert_close(folded_attention(*qkv, v, alone), v)  # each sees itself alone


def test_positions_that_would_be_rounded_are_not_folded(monkeypatch):
    monkeypatch.setattr(attention_kernels, "MAX_SCORE_ELEMENTS", 0)
    for n_query, folds in ((2**16, True), (2**16 + 1, False)):
        assert should_fold_bias(torch.empty(1, n_query, dtype=torch.int8), 6) == folds
    exact = torch.arange(2**16)
    key_extra = folded_bias(torch.tensor([0.5]), 4, 2**16).key_extra.bfloat16()
    assert torch.equal(key_extra[:, :2].long().sum(-1), exact)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_training_on_a_gpu_runs_the_flash_kernel():
    q, k, v = (x.to("cuda", torch.bfloat16).requires_grad_() for x in random_qkv(6, 3, 128, 128))
    slopes, documents = torch.tensor(head_slopes(6)).cuda(), random_documents(128).cuda()
    bias = attention_bias(slopes, 128, 128, documents_BT=documents)
    with sdpa_kernel(SDPBackend.FLASH_ATTENTION):  # an error where it cannot run
        out = fast_attention(q, k, v, folded_bias(slopes, 4, 128, documents))
        out.float().sum().backward()
        model = Transformer(
            ModelConfig(vocab_size=64, context_length=128, **PRESETS["nano"])
        ).cuda()
        ids_BT = torch.randint(1, 64, (2, 128), device="cuda")
        with torch.autocast("cuda", torch.bfloat16):
            model.loss(ids_BT, ids_BT, begin_id=1).backward()
    exact = reference_attention(*(x.detach().double() for x in (q, k, v)), bias.double())
    torch.testing.assert_close(out.detach().double(), exact, atol=2e-2, rtol=0)


def test_training_on_a_cpu_never_runs_the_slow_kernel():
    qkv = [x.requires_grad_() for x in random_qkv(6, 3, 128, 128)]
    bias = attention_bias(torch.tensor(head_slopes(6)), 128, 128)
    with torch.profiler.profile() as profile:
        fast_attention(*qkv, bias).sum().backward()
    names = {event.name for event in profile.events()}
    assert "aten::bmm" in names
    assert not any("attention" in name for name in names), names
