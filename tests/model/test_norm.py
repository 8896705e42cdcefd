import torch

from anekdot.model.norm import RMSNorm


def test_equals_the_definition_in_float64():
    torch.manual_seed(0)
    norm = RMSNorm(7, eps=1e-5)
    torch.nn.init.normal_(norm.weight)
    x = (torch.randn(3, 5, 7) * 10).requires_grad_()
    wide, gain = (tensor.detach().double().requires_grad_() for tensor in (x, norm.weight))
    expected = wide / torch.sqrt((wide**2).sum(-1, keepdim=True) / 7 + 1e-5) * gain
    out, sums = norm(x), torch.randn(3, 5, 7)
    torch.testing.assert_close(out.double(), expected, atol=1e-5, rtol=1e-5)
    (out * sums).sum().backward()
    (expected * sums).sum().backward()
    for narrow, exact in ((x, wide), (norm.weight, gain)):
        torch.testing.assert_close(narrow.grad.double(), exact.grad, atol=1e-5, rtol=1e-5)


def test_bfloat16_is_squared_and_averaged_in_float32():
    """Only the result is rounded: to what the float64 result rounds to."""
    torch.manual_seed(0)
    x, norm = (torch.randn(64, 512) * 30).bfloat16(), RMSNorm(512, eps=1e-5)
    torch.nn.init.normal_(norm.weight)
    wide = x.double()
    expected = wide / torch.sqrt(wide.square().mean(-1, keepdim=True) + 1e-5) * norm.weight
    torch.testing.assert_close(norm(x).double(), expected, rtol=2**-8, atol=0.0)


def test_output_has_unit_root_mean_square():
    x = torch.randn(4, 64) * 100
    assert torch.allclose(RMSNorm(64, 1e-5)(x).square().mean(-1), torch.ones(4), atol=1e-4)


def test_zeros_stay_zeros_and_bfloat16_stays_bfloat16():
    out = RMSNorm(8, 1e-5)(torch.zeros(2, 8, dtype=torch.bfloat16))
    assert out.dtype == torch.bfloat16
    assert not out.any()
