import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anekdot.corpus.reading import json_stream
from anekdot.corpus.reading.json_shape import survey
from anekdot.corpus.reading.json_stream import Broken, pick, values

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
    assert list(values(blocks(text, size), [[]])) == items
    inside = json.dumps({"n": 1.5, "a": {"b": []}, "joke": items, "z": [1]}, indent=indent)
    assert list(values(blocks(inside, size), ["joke", []])) == items
    after = "\n".join(json.dumps(item, indent=indent) for item in items)
    assert list(values(blocks(after, size), [])) == items


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
        ('{"a": [1]}', [[1]]),
        ("[1]\n[2]", [1, 2]),
    ],
)
def test_broken_items(text, found, size):
    got = [
        None if isinstance(value, Broken) else value for value in values(blocks(text, size), [[]])
    ]
    assert got == found


NESTED = {
    "about": "x",
    "chats": {"list": [{"n": 1, "messages": ["a", "b"]}, {"messages": ["c"]}], "more": [["d"]]},
    "tags": {"e": ["f"]},
}


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize(
    ("path", "found"),
    [
        ([], [NESTED]),
        (["chats", "list", [], "messages", []], ["a", "b", "c"]),
        (["chats", [], []], [*NESTED["chats"]["list"], ["d"]]),  # type: ignore[index]
        (["chats", ["more"], []], NESTED["chats"]["list"]),  # type: ignore[index]
        ([["chats"], [], []], ["f"]),
        (["chats", None], ["list", "more"]),
        (["nothing", []], []),
        (["about", []], []),
    ],
)
def test_records_at_any_depth(path, found, size, monkeypatch):
    assert list(pick(NESTED, path)) == found
    monkeypatch.setattr(json_stream, "_SMALL", 0)  # as if the values were large
    assert list(values(blocks(json.dumps(NESTED, indent=1), size), path)) == found


@pytest.mark.parametrize("size", [9, 1000])
def test_damage_inside_costs_what_is_damaged_only(size, monkeypatch):
    monkeypatch.setattr(json_stream, "_SMALL", 0)
    text = '{"a": [{"b": ["x",\n"y"]},\n{"b": ["z",\noops,\n"v"]},\n{"b": ["w"]}], "c": 1}'
    found = list(values(blocks(text, size), ["a", [], "b", []]))
    assert [value for value in found if isinstance(value, str)] == ["x", "y", "z", "v", "w"]
    assert len(found) == 6


@pytest.mark.parametrize("size", [1 << 10, 1 << 20])
def test_what_is_deeper_than_anybody_looks_is_skipped(size):
    deep = "[" * 10_000 + '{"a": [1, "]"]}' + "]" * 10_000
    text = f'{{"a": {deep}, "jokes": ["x", "y"], "b": {deep}}}'
    assert list(values(blocks(text, size), ["jokes", []])) == ["x", "y"]
    shape = survey(blocks(text, size))
    assert shape.keys["jokes"].items.strings == ["x", "y"]


def test_an_item_longer_than_the_limit_is_broken(monkeypatch):
    monkeypatch.setattr(json_stream, "MAX_RECORD_CHARACTERS", 3000)
    monkeypatch.setattr(json_stream, "_SMALL", 0)
    text = f'["{"a" * 50}",\n"{"b" * 50_000}",\n"c"]'
    first, second, third = values(blocks(text, 10), [[]])
    assert (first, third) == ("a" * 50, "c")
    assert isinstance(second, Broken)
