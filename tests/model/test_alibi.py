"""Slopes against the paper, biases against the definition."""

import numpy as np
import pytest
import torch

from anekdot.model.alibi import alibi_bias, head_slopes
from tests.support.models import published_slopes


@pytest.mark.parametrize("n_head", range(1, 65))
def test_slopes_equal_the_papers(n_head):
    assert head_slopes(n_head) == pytest.approx(published_slopes(n_head), rel=1e-12)


def test_six_heads_by_hand():
    assert head_slopes(6) == [1 / 4, 1 / 16, 1 / 64, 1 / 256, 1 / 2, 1 / 8]


def test_bias_by_hand():
    bias = alibi_bias(np.array([0.5, 0.25]), np.array([1, 2]), np.array([0, 1, 2]))
    assert bias.tolist() == [
        [[-0.5, 0.0, 0.5], [-1.0, -0.5, 0.0]],
        [[-0.25, 0.0, 0.25], [-0.5, -0.25, 0.0]],
    ]


def test_torch_and_numpy_agree():
    slopes = head_slopes(5)
    with_torch = alibi_bias(torch.tensor(slopes), torch.arange(4, 9), torch.arange(9))
    with_numpy = alibi_bias(np.array(slopes, np.float32), np.arange(4, 9), np.arange(9))
    np.testing.assert_array_equal(with_torch.numpy(), with_numpy)
