"""The path that trains computes what the plain one does, step for step."""

import copy
import math
import os
from functools import partial
from pathlib import Path

import pytest
import torch

from anekdot.device import autocast
from anekdot.model import attention
from anekdot.model.config import PRESETS, ModelConfig
from anekdot.model.norm import RMSNorm
from anekdot.model.transformer import Transformer, reference_loss
from anekdot.training.compilation import CompilableLoss, can_compile
from anekdot.training.config import TrainingConfig
from anekdot.training.optimizer import build_optimizer, reference_adamw
from anekdot.training.train_step import train_step

STEPS, BEGIN = 50, 4
CONFIG = TrainingConfig(
    steps=STEPS, batch_size=4, rows="packed", learning_rate=1e-3, warmup_steps=0, beta1=0.9,
    beta2=0.99, epsilon=1e-8, weight_decay=0.1, gradient_clip=1.0, precision="fp32",
)  # fmt: skip


def begin():
    torch.manual_seed(0)
    shape = ModelConfig(vocab_size=300, context_length=150, **PRESETS["nano"])
    return Transformer(shape).train()


def batches():
    chance = torch.Generator().manual_seed(1)
    for _ in range(STEPS):  # ids that follow from the ones before, so that there is a lot to learn
        first = torch.randint(0, 300, (4, 1), generator=chance)
        rows = (first + torch.arange(151) ** 2) % 300
        rows[:, 70] = BEGIN
        yield rows[:, :-1], rows[:, 1:]


def plain_losses(model):
    """Trains with what the reader reads: nothing fused, nothing compiled."""
    state = {p: (torch.zeros_like(p), torch.zeros_like(p)) for p in model.parameters()}
    for number, (ids, targets) in enumerate(batches(), 1):
        loss = reference_loss(model(ids, documents_BT=(ids == BEGIN).cumsum(1)), targets)
        loss.backward()
        norm = math.sqrt(sum(float(p.grad.double().square().sum()) for p in state))
        for parameter, (mean, square) in state.items():
            reference_adamw(
                parameter, parameter.grad / max(1.0, norm), mean, square, step=number,
                rate=CONFIG.learning_rate, beta1=0.9, beta2=0.99, epsilon=1e-8,
                weight_decay=0.1 if parameter.ndim > 1 else 0.0,
            )  # fmt: skip
            parameter.grad = None
        yield loss.item()


def fast_losses(model, loss_of):
    optimizer = build_optimizer(model, CONFIG)
    for ids, targets in batches():
        outcome = train_step(
            loss_of, optimizer, ids, targets, micro_batch=4, learning_rate=CONFIG.learning_rate,
            weight_decay=CONFIG.weight_decay, gradient_clip=1.0,
            precision=partial(autocast, torch.device("cpu"), "fp32"),
        )  # fmt: skip
        yield outcome.loss.item()


def loss_function(model, is_compiled):
    loss_of = CompilableLoss(partial(model.loss, begin_id=BEGIN), on_failure=pytest.fail)
    if is_compiled:
        loss_of.compile()
    return loss_of


@pytest.mark.skipif(os.name != "posix", reason="needs the modes of POSIX")
def test_nothing_is_compiled_where_others_could_exchange_the_machine_code(tmp_path, monkeypatch):
    expected = can_compile()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert can_compile() == expected
    tmp_path.chmod(0o777)
    assert not can_compile()


def test_machine_code_of_pytorch_lies_in_our_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path))
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", "/tmp/of_anybody")
    loss_function(begin(), is_compiled=True)
    assert tmp_path in Path(os.environ["TORCHINDUCTOR_CACHE_DIR"]).parents


@pytest.mark.slow
@pytest.mark.parametrize("is_compiled", [False, True])
def test_losses_equal_those_of_the_plain_path(monkeypatch, is_compiled):
    if is_compiled and not can_compile():
        pytest.skip("needs Linux and a C++ compiler with the headers of Python")
    plain = begin()
    fast = copy.deepcopy(plain)
    with monkeypatch.context() as patch:
        patch.setattr(attention, "fast_attention", attention.reference_attention)
        expected = [*plain_losses(plain)]
    found = [*fast_losses(fast, loss_function(fast, is_compiled))]
    assert expected[-1] < expected[0] - 0.5
    differences = [abs(a - b) for a, b in zip(expected, found, strict=True)]
    assert max(differences) < 1e-6 * expected[0], max(differences)


@pytest.mark.slow
@pytest.mark.parametrize("is_compiled", [False, True])
def test_gradients_equal_those_in_float64(monkeypatch, is_compiled):
    if is_compiled and not can_compile():
        pytest.skip("needs Linux and a C++ compiler with the headers of Python")
    model, (ids, targets) = begin(), next(batches())
    exact = copy.deepcopy(model).double()
    loss_function(model, is_compiled)(ids, targets).backward()

    def norm(self, x):  # the real one computes in float32 whatever comes
        return x / torch.sqrt(x.square().mean(dim=-1, keepdim=True) + self.eps) * self.weight

    monkeypatch.setattr(attention, "fast_attention", attention.reference_attention)
    monkeypatch.setattr(RMSNorm, "forward", norm)
    reference_loss(exact(ids, documents_BT=(ids == BEGIN).cumsum(1)), targets).backward()
    for one, other in zip(model.parameters(), exact.parameters(), strict=True):
        size = other.grad.abs().max().item()
        torch.testing.assert_close(one.grad.double(), other.grad, atol=1e-5 * size, rtol=0)
