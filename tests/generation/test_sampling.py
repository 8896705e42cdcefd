import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anekdot.generation.sampling import _mix, log_probabilities, probabilities, sample, uniform

LOGITS = np.array([0.0, 3.0, -1.0, 2.0, 2.5], np.float32)
LARGEST_3 = {1, 3, 4}


def softmax(logits: list[float], temperature: float, possible: set[int]) -> list[float]:
    """The definition, token by token."""
    weights = [
        math.exp(logit / temperature) if token in possible else 0.0
        for token, logit in enumerate(logits)
    ]
    return [weight / sum(weights) for weight in weights]


def test_temperature_one_is_softmax():
    expected = np.exp(LOGITS.astype(float)) / np.exp(LOGITS.astype(float)).sum()
    np.testing.assert_allclose(probabilities(LOGITS, 1.0, None), expected)
    np.testing.assert_allclose(log_probabilities(LOGITS), np.log(expected))


@pytest.mark.parametrize("temperature", [0.3, 0.8, 2.5])
@pytest.mark.parametrize(("top_k", "possible"), [(None, set(range(5))), (3, LARGEST_3)])
def test_logits_are_divided_by_the_temperature(temperature, top_k, possible):
    np.testing.assert_allclose(
        probabilities(LOGITS, temperature, top_k),
        softmax(LOGITS.tolist(), temperature, possible),
        rtol=1e-12,
    )


@pytest.mark.parametrize("shift", [-2000, 2000])
def test_only_differences_of_logits_count(shift):
    shifted = LOGITS + np.float32(shift)
    for of in (log_probabilities, lambda logits: probabilities(logits, 0.8, 3)):
        np.testing.assert_allclose(of(shifted), of(LOGITS), rtol=1e-12)


def test_top_k_keeps_the_k_likeliest():
    kept = probabilities(LOGITS, 1.0, 2)
    assert kept.nonzero()[0].tolist() == [1, 4]
    assert kept.sum() == pytest.approx(1)
    assert kept[1] / kept[4] == pytest.approx(np.exp(0.5))


@pytest.mark.parametrize("temperature", [1e-320, 1e-10, 1e10])
def test_extreme_temperatures_stay_finite(temperature):
    assert np.isfinite(probabilities(LOGITS, temperature, None)).all()


def test_greedy_takes_the_likeliest():
    assert sample(LOGITS, temperature=0.0, top_k=None, seed=3, position=9) == 1


def test_frequencies_follow_the_probabilities():
    draws = [sample(LOGITS, temperature=0.8, top_k=3, seed=7, position=p) for p in range(20_000)]
    frequencies = np.bincount(draws, minlength=5) / len(draws)
    expected = softmax(LOGITS.tolist(), 0.8, LARGEST_3)
    assert (frequencies > 0).tolist() == [probability > 0 for probability in expected]
    np.testing.assert_allclose(frequencies, expected, atol=0.015)


def test_forbidden_tokens_never_come():
    logits = np.full(50, -np.inf, np.float32)
    logits[17] = -3.0
    assert {
        sample(logits, temperature=2.0, top_k=None, seed=1, position=p) for p in range(500)
    } == {17}


@given(st.integers(0, 2**63), st.integers(0, 10**6))
def test_uniform_is_a_pure_function_below_one(seed, position):
    number = uniform(seed, position)
    assert 0 <= number < 1
    assert number == uniform(seed, position)
    assert number != uniform(seed, position + 1)
    assert number != uniform(seed + 1, position)


def test_mixing_is_the_published_splitmix64():
    """Its first two outputs for the seed 1234567, as published on Rosetta Code."""
    golden = 0x9E3779B97F4A7C15
    assert _mix(1234567) == 6457827717110365317
    assert _mix(1234567 + golden) == 3203168211198807973


def test_uniform_is_uniform():
    draws = np.array([uniform(seed, p) for seed in range(100) for p in range(100)])
    counts = np.histogram(draws, 20, (0, 1))[0]
    assert abs(counts - 500).max() < 100
    assert abs(np.corrcoef(draws[:-1], draws[1:])[0, 1]) < 0.03
