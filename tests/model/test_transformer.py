"""Properties of the whole model: causality, padding, caching, loss."""

import contextlib
import dataclasses
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from anekdot.errors import ConfigurationError
from anekdot.model import attention_kernels, transformer
from anekdot.model.attention_kernels import folded_bias
from anekdot.model.cache import KVCache
from anekdot.model.config import PRESETS, ModelConfig, parameter_shapes
from anekdot.model.transformer import (
    IGNORE_INDEX,
    Transformer,
    evaluation_mode,
    next_token_loss,
    reference_loss,
)
from tests.support.models import TINY_MODEL, random_ids, tiny_model


def test_future_cannot_move_the_past():
    model, ids = tiny_model(), random_ids(1, 20)
    changed = ids.clone()
    changed[0, 12:] = random_ids(8, seed=2)
    before, after = model(ids)[0], model(changed)[0]
    assert torch.equal(before[:12], after[:12])
    assert not torch.allclose(before[12:], after[12:])


def test_no_gradient_flows_from_the_future():
    model = tiny_model()
    embedded = model.token_embedding(random_ids(1, 10)).detach().requires_grad_()
    model.token_embedding.forward = lambda ids: embedded
    model(random_ids(1, 10))[0, 4].sum().backward()
    assert embedded.grad[0, :5].abs().amin(dim=-1).gt(0).all()
    assert not embedded.grad[0, 5:].any()


@pytest.mark.parametrize("side", ["left", "right"])
def test_padding_cannot_move_anything(side):
    model = tiny_model()
    rows = [random_ids(n, seed=n) for n in (3, 11, 7)]
    ids_BT = torch.zeros(3, 11, dtype=torch.long)
    mask_BS = torch.zeros(3, 11, dtype=torch.bool)
    for b, row in enumerate(rows):
        place = slice(11 - len(row), 11) if side == "left" else slice(0, len(row))
        ids_BT[b, place], mask_BS[b, place] = row, True
    logits = model(ids_BT, padding_mask_BS=mask_BS)
    filled = torch.where(mask_BS, ids_BT, 42)
    assert torch.isfinite(logits).all()
    for b, row in enumerate(rows):
        alone = model(row[None])[0]
        torch.testing.assert_close(logits[b, mask_BS[b]], alone, atol=1e-4, rtol=0)
        other = model(filled, padding_mask_BS=mask_BS)[b, mask_BS[b]]
        assert torch.equal(other, logits[b, mask_BS[b]])


@settings(max_examples=30)
@given(lengths=st.lists(st.integers(1, 9), min_size=1, max_size=5), folded=st.booleans())
def test_documents_of_a_row_are_read_as_if_alone(lengths, folded):
    """In one row, with the bias of each kind, against a forward pass for each document."""
    model, begin_id = tiny_model(), 1
    documents = [torch.cat([torch.tensor([begin_id]), random_ids(n, seed=n)]) for n in lengths]
    ids_BT = torch.cat([*documents, random_ids(1)])[None]
    n_targets = [len(document) for document in documents]
    expected = [
        next_token_loss(model(document[None]), following[None])
        for document, following in zip(documents, ids_BT[0, 1:].split(n_targets), strict=True)
    ]
    if folded:  # as on a GPU
        model._bias = lambda ids, *_: folded_bias(
            model.slopes_N, TINY_MODEL.head_dim, ids.shape[1], (ids == begin_id).cumsum(1)
        )
    loss = model.loss(ids_BT[:, :-1], ids_BT[:, 1:], begin_id)
    mean = sum(n * nats for n, nats in zip(n_targets, expected, strict=True)) / sum(n_targets)
    torch.testing.assert_close(loss, mean, atol=1e-4, rtol=0)


def test_what_would_not_fit_into_memory_is_folded(monkeypatch):
    model, ids_BT = tiny_model(), random_ids(2, 20)
    documents_BT = (ids_BT % 7 == 0).cumsum(1)
    expected = model(ids_BT, documents_BT=documents_BT)
    monkeypatch.setattr(attention_kernels, "MAX_SCORE_ELEMENTS", 2 * 6 * 20 * 20 - 1)
    monkeypatch.setattr(transformer, "attention_bias", None)
    logits = model(ids_BT, documents_BT=documents_BT)
    torch.testing.assert_close(logits, expected, atol=1e-4, rtol=0)


def test_with_a_cache_nothing_is_folded_however_large(monkeypatch):
    """The folded bias knows no earlier tokens: with them it would see the wrong positions."""
    model, ids_BT = tiny_model(), random_ids(2, 20)
    expected = model(ids_BT)
    monkeypatch.setattr(attention_kernels, "MAX_SCORE_ELEMENTS", 0)
    cache = KVCache(model.config, batch_size=2, capacity=20)
    pieces = [model(piece, cache=cache) for piece in ids_BT.split([7, 6, 7], dim=1)]
    torch.testing.assert_close(torch.cat(pieces, 1), expected, atol=1e-4, rtol=0)


def test_dropout_thins_the_embeddings_and_what_each_half_of_a_block_adds():
    """Embeddings of ten, halves that add one each: what comes out tells which were dropped."""
    model, seen = tiny_model(dropout=0.25, n_layer=1).train(), []
    block, ones_BTD = model.blocks[0], torch.ones(8, 500, 24)
    model.token_embedding.register_forward_hook(lambda *_: 10 * ones_BTD)
    for module in (block.attention.out_proj, block.feed_forward.down_proj):
        module.register_forward_hook(lambda *_: ones_BTD)
    model.final_norm.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    model(random_ids(8, 500))
    sums_BTD = (seen[0] * 0.75).round()  # without the factor that keeps the mean
    expected = {0: 1 / 64, 1: 6 / 64, 2: 9 / 64, 10: 3 / 64, 11: 18 / 64, 12: 27 / 64}
    assert {*sums_BTD.unique().tolist()} == expected.keys()
    for total, share in expected.items():
        assert (sums_BTD == total).double().mean().item() == pytest.approx(share, abs=0.01)


@settings(max_examples=30)
@given(cuts=st.lists(st.integers(1, 6), min_size=1, max_size=5))
def test_cached_equals_full(cuts):
    model = tiny_model()
    ids = random_ids(2, sum(cuts))
    cache = KVCache(model.config, batch_size=2, capacity=sum(cuts))
    pieces = [model(piece, cache=cache) for piece in ids.split(cuts, dim=1)]
    torch.testing.assert_close(torch.cat(pieces, 1), model(ids), atol=1e-4, rtol=0)


def test_cached_ragged_batch_equals_single_rows():
    model = tiny_model()
    rows = [random_ids(n, seed=n) for n in (2, 9, 5)]
    more = random_ids(3, 4, seed=9)
    ids_BT = torch.zeros(3, 9, dtype=torch.long)
    mask_BS = torch.ones(3, 13, dtype=torch.bool)
    for b, row in enumerate(rows):
        ids_BT[b, 9 - len(row) :] = row
        mask_BS[b, : 9 - len(row)] = False
    cache = KVCache(model.config, batch_size=3, capacity=13)
    model(ids_BT, padding_mask_BS=mask_BS[:, :9], cache=cache)
    for step in range(4):
        logits = model(
            more[:, step : step + 1], padding_mask_BS=mask_BS[:, : 10 + step], cache=cache
        )
        for b, row in enumerate(rows):
            whole = torch.cat([row, more[b, : step + 1]])[None]
            torch.testing.assert_close(logits[b, -1], model(whole)[0, -1], atol=1e-4, rtol=0)


def test_a_copied_cache_is_independent():
    model, ids = tiny_model(), random_ids(1, 8)
    cache = KVCache(model.config, batch_size=1, capacity=12)
    model(ids, cache=cache)
    twin = cache.copy()
    model(random_ids(1, 4, seed=5), cache=twin)
    expected = model(torch.cat([ids, ids[:, :1]], 1))[0, -1]
    torch.testing.assert_close(model(ids[:, :1], cache=cache)[0, -1], expected, atol=1e-4, rtol=0)


@pytest.mark.parametrize("vocab_size", [300, 2048])
def test_initial_loss_is_that_of_guessing(vocab_size):
    torch.manual_seed(0)
    config = ModelConfig(vocab_size=vocab_size, context_length=64, **PRESETS["nano"])
    ids = torch.randint(vocab_size, (8, 65))
    loss = next_token_loss(Transformer(config)(ids[:, :-1]), ids[:, 1:])
    assert loss.item() == pytest.approx(math.log(vocab_size), abs=0.1)


def test_one_batch_overfits():
    model, ids = tiny_model(), random_ids(4, 17)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim == 2:
                parameter.div_(10)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for _ in range(200):
        loss = next_token_loss(model(ids[:, :-1]), ids[:, 1:])
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    assert loss.item() < 0.05


def test_loss_equals_the_definition_and_ignores_padding():
    logits = torch.randn(2, 3, 5)
    targets = torch.tensor([[1, 2, IGNORE_INDEX], [4, IGNORE_INDEX, IGNORE_INDEX]])
    by_hand = [
        -torch.log_softmax(logits[b, t], -1)[targets[b, t]] for b, t in ((0, 0), (0, 1), (1, 0))
    ]
    torch.testing.assert_close(next_token_loss(logits, targets), sum(by_hand) / 3)
    torch.testing.assert_close(reference_loss(logits, targets), sum(by_hand) / 3)


def test_gradients_of_the_loss_equal_those_in_float64():
    torch.manual_seed(0)
    logits = (torch.randn(3, 40, 64) * 5).requires_grad_()
    targets = random_ids(3, 40)
    targets[1, 20:] = IGNORE_INDEX
    wide = logits.detach().double().requires_grad_()
    next_token_loss(logits, targets).backward()
    reference_loss(wide, targets).backward()
    torch.testing.assert_close(logits.grad.double(), wide.grad, atol=1e-7, rtol=1e-5)


def test_dropout_acts_in_training_alone():
    model, ids = tiny_model(dropout=0.5), random_ids(1, 10)
    assert torch.equal(model(ids), model(ids))
    model.train()
    assert not torch.equal(model(ids), model(ids))


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("error", [None, ValueError, KeyboardInterrupt])
def test_evaluation_mode_is_left_as_it_was_entered(training, error):
    model = tiny_model(dropout=0.5).train(training)
    with contextlib.suppress(*[error] if error else []), evaluation_mode(model):
        assert not any(module.training for module in model.modules())
        assert not torch.is_grad_enabled()
        if error:
            raise error
    assert all(module.training == training for module in model.modules())
    assert torch.is_grad_enabled()


def test_tied_embeddings_are_one_matrix():
    tied, untied = tiny_model(), tiny_model(tie_embeddings=False)
    assert tied.lm_head.weight is tied.token_embedding.weight
    assert untied.lm_head.weight is not untied.token_embedding.weight


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("preset", PRESETS)
def test_parameter_count_and_shapes_are_the_models(preset, tied):
    config = ModelConfig(
        vocab_size=1024, context_length=128, tie_embeddings=tied, **PRESETS[preset]
    )
    with torch.device("meta"):
        model = Transformer(config)
    assert config.n_parameters == sum(p.numel() for p in model.parameters())
    shapes = {name: tuple(p.shape) for name, p in model.named_parameters()}
    assert shapes == parameter_shapes(config)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("n_kv_head", 4),
        ("hidden_dim", 25),
        ("n_layer", 0),
        ("n_layer", 2.0),
        ("vocab_size", -1),
        ("n_head", True),
        ("dropout", 1.0),
        ("dropout", math.nan),
        ("rms_eps", 0.0),
        ("tie_embeddings", "yes"),
        ("hidden_dim", 10**12),
    ],
)
def test_impossible_shapes_are_refused_by_name(field, value):
    with pytest.raises(ConfigurationError) as error:
        dataclasses.replace(TINY_MODEL, **{field: value})
    assert f"{field} " in error.value.cause
