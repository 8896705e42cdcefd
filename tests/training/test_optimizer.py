"""AdamW against its definition, decay on matrices alone, clipping."""

import math

import pytest
import torch

from anekdot.config import resolve
from anekdot.training.optimizer import build_optimizer, reference_adamw
from anekdot.training.train_step import train_step
from tests.support.models import random_ids, tiny_model


def config(**fields):
    return resolve("mission", fields=fields).training


def test_fused_steps_equal_the_reference():
    model = tiny_model().train()
    settings = config(weight_decay=0.1)
    optimizer = build_optimizer(model, settings)
    twins = {name: p.detach().clone() for name, p in model.named_parameters()}
    moments = {name: (torch.zeros_like(p), torch.zeros_like(p)) for name, p in twins.items()}
    for step in range(1, 6):
        model(random_ids(2, 8, seed=step)).square().mean().backward()
        for name, parameter in model.named_parameters():
            reference_adamw(
                twins[name],
                parameter.grad,
                *moments[name],
                step=step,
                rate=0.01 / step,
                beta1=0.9,
                beta2=0.999,
                epsilon=1e-8,
                weight_decay=0.1 if parameter.ndim == 2 else 0.0,
            )
        for group in optimizer.param_groups:
            group["lr"] = 0.01 / step
        optimizer.step()
        optimizer.zero_grad()
    for name, parameter in model.named_parameters():
        torch.testing.assert_close(parameter.detach(), twins[name], atol=1e-5, rtol=1e-5)


def test_reference_by_hand():
    p, mean, square = torch.tensor([2.0]), torch.zeros(1), torch.zeros(1)
    reference_adamw(
        p, torch.tensor([0.5]), mean, square, step=1, rate=0.1, beta1=0.9, beta2=0.99,
        epsilon=0.0, weight_decay=0.5,
    )  # fmt: skip
    assert (mean.item(), square.item()) == (pytest.approx(0.05), pytest.approx(0.0025))
    assert p.item() == pytest.approx(2 * (1 - 0.05) - 0.1)


def test_clipping_bounds_the_gradient_that_the_optimizer_sees():
    norms = []

    class Recorder(torch.optim.SGD):
        def step(self):
            gradients = [p.grad for group in self.param_groups for p in group["params"]]
            norms.append(math.sqrt(sum(float(g.square().sum()) for g in gradients)))

    model = tiny_model()
    ids = random_ids(2, 9)
    for clip in (0.0, 0.5):
        train_step(
            model.loss, Recorder(model.parameters(), lr=1.0), ids[:, :-1], ids[:, 1:],
            learning_rate=0.1, weight_decay=0.0, micro_batch=2, gradient_clip=clip,
            precision=torch.enable_grad,
        )  # fmt: skip
    assert norms[0] > 0.6
    assert math.isclose(norms[1], 0.5, rel_tol=1e-4)


def test_train_step_sets_the_rate_and_leaves_no_gradient():
    model = tiny_model()
    optimizer = build_optimizer(model, config())
    ids = random_ids(2, 9)
    outcome = train_step(
        model.loss, optimizer, ids[:, :-1], ids[:, 1:], micro_batch=2, learning_rate=0.125,
        weight_decay=0.1, gradient_clip=1.0, precision=torch.enable_grad,
    )  # fmt: skip
    assert not outcome.loss.requires_grad
    assert not outcome.skipped
    assert outcome.overflowed is None
    assert {group["lr"] for group in optimizer.param_groups} == {0.125}
    assert all(p.grad is None for p in model.parameters())
