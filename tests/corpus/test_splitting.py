import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anekdot.corpus.splitting import fraction, normalise, split_of, words
from anekdot.errors import ConfigurationError

shares = st.floats(0, 0.49)


def test_normalise():
    assert normalise("— Ёж, 3 шт.!\n«ёЖ»_") == "ёж3штёж"
    assert words("— Ёж, 3 шт.") == ["ёж", "3", "шт"]
    assert normalise("—!?") == ""


@given(st.text())
def test_fraction_is_in_range_and_ignores_dress(text):
    assert 0 <= fraction(text) < 1
    assert fraction(normalise(f"«{text}» — !")) == fraction(normalise(text))


def test_fraction_is_fixed_for_ever():
    # A changed hash would move documents between the splits of prepared corpora.
    assert fraction(normalise("Колобок повесился.")) == EXPECTED
    assert fraction(normalise("колобок\nповесился")) == EXPECTED


EXPECTED = 0.24654213178410844


def test_shares_are_as_asked():
    counts = Counter(split_of(f"документ номер {i}", 0.2, 0.1) for i in range(5000))
    assert counts["test"] == pytest.approx(500, abs=90)
    assert counts["validation"] == pytest.approx(1000, abs=120)


@given(st.text(), shares, shares, shares, shares)
def test_splits_are_nested(text, validation, test, less_validation, less_test):
    small = split_of(text, min(validation, less_validation), min(test, less_test))
    if small != "train":
        assert split_of(text, validation, test) == small


@given(st.text(), shares)
def test_no_share_holds_nothing_out(text, share):
    assert split_of(text, 0, 0) == "train"
    assert split_of(text, share, 0) != "test"
    assert split_of(text, 0, share) != "validation"


@pytest.mark.parametrize(
    ("validation", "test"),
    [(-0.1, 0.1), (0.1, -0.1), (math.nan, 0), (0, math.nan), (0.5, 0.5), (2, 0), (0, math.inf)],
)
def test_impossible_shares(validation, test):
    with pytest.raises(ConfigurationError, match="cannot both be held out"):
        split_of("текст", validation, test)
