"""Bits per byte against a sum made token by token."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from anekdot.evaluation import likelihood as module
from anekdot.evaluation.likelihood import likelihood, windows
from tests.support.models import random_ids, tiny_model

LENGTHS = np.array([0, 0, 0, *(1 + np.arange(61) % 5)])


def make_documents(*lengths):
    return [np.array([1, *random_ids(n, seed=n).tolist(), 2], np.uint16) for n in lengths]


def by_hand(model, documents):
    """Each token on its own forward pass, with the context that the measure grants it."""
    context, nats = model.config.context_length, 0.0
    for ids in documents:
        for target in range(1, len(ids)):
            start, end = 0, min(context, len(ids) - 1)
            while not start < target <= end or (start and target <= start + context // 2):
                start += context // 2
                end = min(len(ids) - 1, start + context)
            seen = torch.tensor(ids[start:target].astype(int))[None]
            nats -= torch.log_softmax(model(seen)[0, -1].double(), -1)[int(ids[target])].item()
    return nats


def test_equals_a_sum_made_by_hand_also_beyond_the_context():
    model = tiny_model()
    documents = make_documents(5, 31, 32, 33, 80, 1)
    result = likelihood(model, documents, LENGTHS, tokens_per_batch=100)
    assert result.nats == pytest.approx(by_hand(model, documents), rel=1e-5)
    assert result.tokens == sum(len(ids) - 1 for ids in documents)
    assert result.bytes == sum(LENGTHS[ids].sum() for ids in documents)
    assert result.documents == 6


def test_figures_follow_from_the_sums():
    result = module.Likelihood(nats=20.0, tokens=10, bytes=40, documents=1)
    assert result.loss == 2.0
    assert result.perplexity == pytest.approx(math.e**2)
    assert result.bits_per_byte == pytest.approx(20 / math.log(2) / 40)


@pytest.mark.parametrize("tokens_per_batch", [1, 64, 10_000])
def test_batches_change_nothing(tokens_per_batch):
    model, documents = tiny_model(), make_documents(3, 40, 17, 25)
    alone = sum(likelihood(model, [ids], LENGTHS).nats for ids in documents)
    result = likelihood(model, documents, LENGTHS, tokens_per_batch=tokens_per_batch)
    assert result.nats == pytest.approx(alone, rel=1e-5)


@given(st.integers(1, 300), st.integers(1, 40))
def test_windows_score_each_input_once_with_half_a_context_before_it(n_inputs, context):
    cover = windows(0, n_inputs, context)
    scored = [i for w in cover for i in range(w.start + w.skip, w.end)]
    assert scored == list(range(n_inputs))
    for window in cover:
        assert window.end - window.start <= context
        assert window.start == 0 or window.skip >= context // 2


def test_the_mode_is_kept_after_an_error():
    model = tiny_model(dropout=0.5).train()

    def stop(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        likelihood(model, make_documents(9), LENGTHS, progress=stop)
    assert model.training
    assert torch.is_grad_enabled()


def test_a_lower_precision_is_used_where_it_is_asked_for():
    model, documents = tiny_model(), make_documents(5, 31, 40)
    exact = likelihood(model, documents, LENGTHS).nats
    rounded = likelihood(
        model, documents, LENGTHS, autocast=torch.autocast("cpu", torch.bfloat16)
    ).nats
    assert rounded != exact
    assert rounded == pytest.approx(exact, rel=0.05)
    assert likelihood(model, documents, LENGTHS).nats == exact


def test_dropout_is_off_and_the_mode_is_kept():
    model = tiny_model(dropout=0.5).train()
    documents = make_documents(9)
    first, second = (likelihood(model, documents, LENGTHS).nats for _ in range(2))
    assert first == second
    assert model.training


def test_the_error_is_that_of_drawing_other_documents():
    """Against a thousand draws of the same documents with replacement."""
    model = tiny_model()
    rng = np.random.default_rng(0)
    documents = [np.array([1, *rng.integers(3, 64, n), 2]) for n in rng.integers(1, 60, 80)]
    lengths = np.ones(64, int)
    lengths[:3] = 0
    found = likelihood(model, documents, lengths, tokens_per_batch=200, with_error=True)
    assert found.nats == likelihood(model, documents, lengths, tokens_per_batch=200).nats
    alone = [likelihood(model, [ids], lengths) for ids in documents]
    draws = rng.integers(0, 80, (1000, 80))
    nats, sizes = (np.array([getattr(x, name) for x in alone]) for name in ("nats", "bytes"))
    drawn = nats[draws].sum(1) / np.log(2) / sizes[draws].sum(1)
    assert found.error == pytest.approx(drawn.std(), rel=0.15)


def test_one_document_has_no_error():
    found = likelihood(tiny_model(), [np.array([1, 5, 2])], np.ones(64, int), with_error=True)
    assert found.error is None
