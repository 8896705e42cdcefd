import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anekdot.corpus.reading import json_stream
from anekdot.corpus.reading.json_stream import Broken, array_key, values

VALUES = st.recursive(
    st.none() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=9,
)


def blocks(text: str, size: int) -> list[str]:
    return [text[start : start + size] for start in range(0, len(text), size)]


@given(
    items=st.lists(VALUES, max_size=6),
    size=st.integers(1, 30),
    indent=st.sampled_from([None, 0, 2]),
    ascii_only=st.booleans(),
)
def test_any_array_in_any_blocks(items, size, indent, ascii_only):
    text = json.dumps(items, indent=indent, ensure_ascii=ascii_only)
    assert list(values(blocks(text, size), "[]")) == items
    inside = json.dumps({"n": 1.5, "a": {"b": []}, "joke": items, "z": [1]}, indent=indent)
    assert list(values(blocks(inside, size), "joke")) == items
    after = "\n".join(json.dumps(item, indent=indent) for item in items)
    assert list(values(blocks(after, size), "{}")) == items


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("[1, 2", [1, 2]),
        ("[1, oops, 2]", [1, None]),
        ('[1, {"a": oops},\n{"b": 2}]', [1, None, {"b": 2}]),
        ('[{"a": 1},{"a": "oops},{"a": 2}]', [{"a": 1}, None, {"a": 2}]),
        ("oops", [None]),
        ("", []),
        ('{"a": [1]}', [None]),
    ],
)
def test_broken_items(text, found, size):
    got = [
        None if isinstance(value, Broken) else value for value in values(blocks(text, size), "[]")
    ]
    assert got == found


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('{"a": 1, "b": [1', "b"),
        ('{"a": {"c": []}}', None),
        ("[1]", None),
        ('{"a" [', None),
        ("", None),
    ],
)
def test_the_key_of_an_array(text, key):
    assert array_key([text]) == key


def test_an_item_longer_than_the_limit_is_broken(monkeypatch):
    monkeypatch.setattr(json_stream, "MAX_RECORD_CHARACTERS", 3000)
    text = f'["{"a" * 50}",\n"{"b" * 50_000}",\n"c"]'
    first, second, third = values(blocks(text, 10), "[]")
    assert (first, third) == ("a" * 50, "c")
    assert isinstance(second, Broken)
