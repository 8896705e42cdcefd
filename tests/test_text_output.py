"""What people read of durations and of texts."""

import io
import json

import pytest

from anekdot.text_output import MAX_MESSAGE, HarmlessStream, duration, harmless, json_line, one_line


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


OBEYED = [*range(9), *range(11, 32), *range(0x7F, 0xA0), 0x61C, 0x200E, 0x200F]
OBEYED += [*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0xDCE9]


@pytest.mark.parametrize("code", OBEYED, ids=hex)
def test_nothing_that_a_terminal_obeys_is_left(code):
    assert harmless(f"а{chr(code)}б") == "а\ufffdб"
    assert one_line(f"а\n{chr(code)}б")[-1] == "б"
    line = json_line({chr(code): [f"а{chr(code)}б"]})
    assert chr(code) not in line
    assert json.loads(line) == {chr(code): [f"а{chr(code)}б"]}


@pytest.mark.parametrize(
    "text", ["Ёж:\n\t— «Да»…", "👩‍👩‍👧‍👦 👍🏽 🏴󠁧󠁢󠁥󠁮󠁧󠁿", "é", "‌می‌خواهم", "[red]:cat:[/]"]
)
def test_readable_text_stays_as_it_is(text):
    assert harmless(text) == text
    stream = io.StringIO()
    print(text, file=HarmlessStream(stream))
    assert stream.getvalue() == text + "\n"


def test_a_stream_lets_nothing_through():
    inner = io.StringIO()
    stream = HarmlessStream(inner)
    print("\x1b[31m", "\x9b", sep="\x07", end="\x7f", file=stream, flush=True)
    stream.writelines(["\x1b", "\u202e"])
    assert inner.getvalue() == "\ufffd[31m" + "\ufffd" * 5
    assert not stream.isatty()


def test_a_long_message_keeps_its_beginning_and_its_end():
    assert one_line("а" * MAX_MESSAGE) == "а" * MAX_MESSAGE
    line = one_line("The value is " + "7" * 1_000_000 + ". Give\na number.")
    assert line.startswith("The value is 777")
    assert line.endswith("777. Give a number.")
    assert len(line) < MAX_MESSAGE + 10
