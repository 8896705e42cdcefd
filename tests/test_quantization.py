import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from anekdot.quantization import dequantize_weights, quantize_rows, quantize_weights


@given(st.integers(0, 2**32 - 1), st.floats(1e-6, 1e6))
def test_error_is_at_most_half_a_scale(seed, size):
    matrix = (np.random.default_rng(seed).normal(0, size, (5, 9))).astype(np.float32)
    values, scale = quantize_rows(matrix)
    error = abs(values.astype(np.float64) * scale[:, None] - matrix)
    assert (error <= scale[:, None] * 0.5001).all()
    assert (abs(values).max(axis=1) == 127).all()


def test_rows_of_zeros_stay_zero_without_a_warning():
    with np.errstate(all="raise"):
        values, scale = quantize_rows(np.array([[0.0, 0.0], [0.25, -0.5]], np.float32))
    assert values.tolist() == [[0, 0], [64, -127]]
    assert scale[0] == 0


def test_weights_round_trip_and_vectors_stay_exact():
    rng = np.random.default_rng(0)
    weights = {
        "a.weight": rng.normal(size=(4, 6)).astype(np.float32),
        "zero.weight": np.zeros((2, 3), np.float32),
        "norm.weight": rng.normal(size=6).astype(np.float32),
    }
    packed = quantize_weights(weights)
    assert packed["a.weight"].dtype == np.int8
    assert packed.keys() == {*weights, "a.weight.scale", "zero.weight.scale"}
    unpacked = dequantize_weights(packed)
    assert unpacked.keys() == weights.keys()
    assert (unpacked["norm.weight"] == weights["norm.weight"]).all()
    assert not unpacked["zero.weight"].any()
    np.testing.assert_allclose(unpacked["a.weight"], weights["a.weight"], atol=0.02)
    again = quantize_weights(unpacked)
    assert all((again[name] == packed[name]).all() for name in packed if "scale" not in name)
