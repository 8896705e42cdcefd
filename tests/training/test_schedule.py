from itertools import pairwise

import pytest

from anekdot.training.schedule import learning_rate


def test_mission_schedule_at_its_corners():
    rates = [
        learning_rate(step, highest=3e-4, warmup_steps=500, steps=10_000) for step in range(10_001)
    ]
    assert rates[0] == pytest.approx(3e-4 / 500)
    assert rates[499] == rates[500] == max(rates) == 3e-4
    assert rates[5250] == pytest.approx(1.5e-4)
    assert rates[-1] == 0.0
    assert all(a <= b for a, b in pairwise(rates[:501]))
    assert all(a > b for a, b in pairwise(rates[500:]))


def test_no_warmup_starts_at_the_top():
    assert learning_rate(0, highest=1.0, warmup_steps=0, steps=10) == 1.0
