"""What people read of durations and of texts."""

import pytest

from anekdot.text_output import duration, escape_control_characters


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0.4, "0 s"),
        (59.6, "1 min 0 s"),
        (119, "1 min 59 s"),
        (3599.7, "1 h 0 min"),
        (7200, "2 h 0 min"),
        (86_399, "23 h 59 min"),
        (86_400, "1 day 0 h"),
        (200_000, "2 days 7 h"),
    ],
)
def test_a_duration_is_given_in_its_two_largest_units(seconds, expected):
    assert duration(seconds) == expected


def test_no_control_character_is_left():
    assert escape_control_characters("a\x1b[31mб\x07\x9b\tв\n") == "a\ufffd[31mб\ufffd\ufffd\tв\n"
