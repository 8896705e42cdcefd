import pytest
import torch
from torch import Tensor

from anekdot.model.dropout import Dropout


def thinned(probability: float, shape: tuple[int, ...] = (301, 333), seed: int = 0) -> Tensor:
    torch.manual_seed(seed)
    return Dropout(probability).train()(torch.ones(shape))


@pytest.mark.parametrize("probability", [0.1, 0.25, 0.9])
def test_the_share_is_right_and_the_mean_stays(probability):
    out = thinned(probability)
    share = (out == 0).double().mean().item()
    deviation = (probability * (1 - probability) / out.numel()) ** 0.5
    assert abs(share - probability) < 4 * deviation + 1 / 512
    assert abs(out.mean().item() - 1) < 4 * deviation / (1 - probability)
    assert len(out.unique()) == 2


def test_elements_near_and_far_are_dropped_independently():
    dropped = (thinned(0.5, (1 << 20,)) == 0).double()
    for distance in (1, 2, 7, 8, 64, 4096):
        both = (dropped[distance:] * dropped[:-distance]).mean().item()
        assert abs(both - 0.25) < 0.003


def test_the_seed_decides():
    assert torch.equal(thinned(0.3, seed=1), thinned(0.3, seed=1))
    assert not torch.equal(thinned(0.3, seed=1), thinned(0.3, seed=2))


def test_every_size_and_type_is_taken():
    for shape in ((1,), (3, 5), (0, 4), (2, 3, 4, 5)):
        assert thinned(0.5, shape).shape == shape
    out = Dropout(0.5).train()(torch.ones(64, dtype=torch.bfloat16))
    assert out.dtype == torch.bfloat16
    assert set(out.tolist()) == {0.0, 2.0}


def test_nothing_happens_at_zero_or_outside_training():
    x = torch.randn(9)
    assert Dropout(0.0).train()(x) is x
    assert Dropout(0.5).eval()(x) is x


def test_gradients_pass_where_activations_passed():
    x = torch.randn(1000, requires_grad=True)
    out = Dropout(0.5).train()(x)
    out.sum().backward()
    assert x.grad is not None
    assert torch.equal(x.grad * x, out)
