"""AdamW against its definition, decay on matrices alone, clipping."""

import math

import torch

from anekdot.settings import build, resolve
from anekdot.training.config import TrainingConfig
from anekdot.training.loop import train_step
from anekdot.training.optimizer import build_optimizer
from tests.model.test_transformer import random_ids, tiny_model


def config(**fields):
    return build(TrainingConfig, resolve("mission", fields=fields))


def test_one_step_equals_the_definition():
    model = tiny_model().train()
    settings = config(weight_decay=0.1)
    optimizer = build_optimizer(model, settings)
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    loss = model(random_ids(2, 8)).square().mean()
    loss.backward()
    gradients = {name: p.grad.clone() for name, p in model.named_parameters()}
    for group in optimizer.param_groups:
        group["lr"] = 0.01
    optimizer.step()
    for name, parameter in model.named_parameters():
        decay = 0.1 if parameter.ndim == 2 else 0.0
        mean, square = gradients[name] * 0.1, gradients[name] ** 2 * 0.001
        update = (mean / 0.1) / ((square / 0.001).sqrt() + 1e-8)
        expected = before[name] * (1 - 0.01 * decay) - 0.01 * update
        torch.testing.assert_close(parameter.detach(), expected, atol=1e-5, rtol=1e-4)


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
            model, Recorder(model.parameters(), lr=1.0), ids[:, :-1], ids[:, 1:], rate=0.1,
            gradient_clip=clip, precision=torch.enable_grad(),
        )  # fmt: skip
    assert norms[0] > 0.6
    assert math.isclose(norms[1], 0.5, rel_tol=1e-4)


def test_train_step_sets_the_rate_and_leaves_no_gradient():
    model = tiny_model()
    optimizer = build_optimizer(model, config())
    ids = random_ids(2, 9)
    loss = train_step(
        model, optimizer, ids[:, :-1], ids[:, 1:], rate=0.125, gradient_clip=1.0,
        precision=torch.enable_grad(),
    )  # fmt: skip
    assert not loss.requires_grad
    assert {group["lr"] for group in optimizer.param_groups} == {0.125}
    assert all(p.grad is None for p in model.parameters())
