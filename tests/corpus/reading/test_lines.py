from itertools import chain, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anekdot.corpus.reading.lines import batches, count_lines, lines_of

TEXT = st.lists(st.sampled_from([b"\r", b"\n", b"a", b"bc", b"<e>", b"<", b"e>"]), max_size=40)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    bounds = sorted({0, *(min(place, len(data)) for place in places), len(data)})
    return [data[start:stop] for start, stop in pairwise(bounds)]


@given(parts=TEXT, places=st.lists(st.integers(0, 80), max_size=9))
def test_lines_do_not_depend_on_blocks(parts, places):
    data = b"".join(parts)
    found = list(batches(cut(data, places)))
    lines = list(chain.from_iterable(lines for lines, _ in found))
    assert lines == data.splitlines(keepends=True)
    assert not any(long for _, long in found)
    assert lines_of(data.decode()) == [line.decode() for line in lines]
    ends = sum(line.endswith((b"\r", b"\n")) for line in lines)
    assert count_lines(cut(data, places)) == ends


@given(parts=TEXT, places=st.lists(st.integers(0, 80), max_size=9))
def test_separators_end_lines_too(parts, places):
    data = b"".join(parts)
    lines = [line for each, _ in batches(cut(data, places), separators=(b"<e>",)) for line in each]
    assert b"".join(lines) == data
    assert all(line.count(b"<e>") == line.endswith(b"<e>") for line in lines)
    assert sum(line.endswith(b"<e>") for line in lines) == data.count(b"<e>")


@pytest.mark.parametrize("block", [1, 3, 10])
def test_a_long_line_is_shortened_and_keeps_its_end(block):
    data = b"a\n" + b"b" * 5000 + b"\r\nc\n" + b"d" * 4999
    blocks = [data[start : start + block] for start in range(0, len(data), block)]
    found = list(batches(blocks, limit=4990))
    assert [len(lines) for lines, long in found if long] == [1, 1]
    lines = [line for lines, _ in found for line in lines]
    assert [lines[0], lines[2]] == [b"a\n", b"c\n"]
    assert lines[1].startswith(b"bbb")
    assert lines[1].endswith(b"bbb\r\n")
    assert len(lines[1]) < 2000


def test_lines_at_the_limit():
    assert list(batches([b"12345", b"\n1234\n"], limit=5)) == [
        ([b"12345\n"], True),
        ([b"1234\n"], False),
    ]


def test_a_line_end_between_two_blocks_counts_once():
    assert count_lines([b"a\r", b"\nb\r", b"c\n"]) == 3
