"""The shape of JSON: what stands below which keys, gathered from a sample of any size."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from anekdot.corpus.reading.json_stream import MAX_DEPTH, JsonText
from anekdot.corpus.reading.json_texts import is_pieces, text_of

MAX_KEYS = 1000
"""How many keys of an object are told apart; the values of further ones are taken together."""

_SAMPLE = 500  # of the strings, arrays and keys that are kept of each place
_MAX_VALUES = 5000  # of each place that are looked into; more are only counted
_CUT = 1000  # characters of a string, and items of an array, that are kept


@dataclass
class Shape:
    """What was found at one place of some records.

    Attributes:
        count: How many values there were.
        strings: Some of the strings, and of the texts in pieces.
        n_strings: How many there were that are not blank.
        arrays: Some of the arrays, each with its first items.
        n_arrays: How many there were.
        items: What stands in the arrays.
        objects: How many objects there were.
        keys: What stands under each key of the objects.
    """

    count: int = 0
    strings: list[str] = field(default_factory=list)
    n_strings: int = 0
    arrays: list[list[Any]] = field(default_factory=list)
    n_arrays: int = 0
    items: "Shape | None" = None
    objects: int = 0
    keys: dict[str, "Shape"] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """What most values are: "string", "array", "object", "other", or "" if there is none."""
        counts = {"string": self.n_strings, "array": self.n_arrays, "object": self.objects}
        best = max(counts, key=counts.__getitem__)
        return best if counts[best] else "other" if self.count else ""

    def add(self, value: Any, depth: int = 0) -> None:
        """Adds a value and all that is in it."""
        self.count += 1
        if self.count > _MAX_VALUES or depth > MAX_DEPTH or value is None:
            self.count -= value is None
        elif isinstance(value, str) or (isinstance(value, list) and depth and is_pieces(value)):
            text = (text_of(value) or "").strip()
            self.n_strings += bool(text)
            if text and len(self.strings) < _SAMPLE:
                self.strings.append(text[:_CUT])
        elif isinstance(value, list):
            self.n_arrays += 1
            if len(self.arrays) < _SAMPLE:
                self.arrays.append(value[:_CUT])
            for item in value:
                self.item().add(item, depth + 1)
        elif isinstance(value, dict):
            self.objects += 1
            for key, child in value.items():
                self.below(key).add(child, depth + 1)

    def item(self) -> "Shape":
        """Returns the shape of the items of the arrays."""
        self.items = self.items or Shape()
        return self.items

    def below(self, key: str) -> "Shape":
        """Returns the shape of what stands under a key."""
        if key not in self.keys and len(self.keys) >= MAX_KEYS:
            key = next(reversed(self.keys))
        return self.keys.setdefault(key, Shape())


def merge(shapes: Sequence[Shape]) -> Shape:
    """Returns the shape of what stands at several places."""
    merged = Shape()
    for shape in shapes:
        merged.count += shape.count
        merged.n_strings += shape.n_strings
        merged.n_arrays += shape.n_arrays
        merged.objects += shape.objects
        room = max(1, _SAMPLE // len(shapes))
        merged.strings += shape.strings[:room]
        merged.arrays += shape.arrays[:room]
    if items := [shape.items for shape in shapes if shape.items]:
        merged.items = merge(items)
    for key in dict.fromkeys(key for shape in shapes for key in shape.keys):
        merged.keys[key] = merge([shape.keys[key] for shape in shapes if key in shape.keys])
    return merged


def focus(shape: Shape, names: Sequence[str]) -> Shape | None:
    """Returns a shape with only those branches that lead to a key, or None if there is none.

    Args:
        shape: What was found in a file.
        names: The keys, one below the other; arrays and other keys may stand between.
    """
    if not names:
        return shape
    items = focus(shape.items, names) if shape.items else None
    keys = {
        key: found
        for key, child in shape.keys.items()
        if (found := focus(child, names[1:] if key == names[0] else names))
    }
    if not items and not keys:
        return None
    arrays = shape.arrays if items else []
    return Shape(
        count=shape.count,
        arrays=arrays,
        n_arrays=shape.n_arrays if items else 0,
        items=items,
        objects=shape.objects if keys else 0,
        keys=keys,
    )


def survey(texts: Iterable[str]) -> Shape:
    """Returns the shape of the values of a JSON text, which may be cut off."""
    source, root = JsonText(texts), Shape()
    while source.next_character():
        try:
            _survey(source, root, 0)
        except ValueError:
            if not source.skip_broken():
                break
    return root


def _survey(source: JsonText, shape: Shape, depth: int) -> None:
    if held := source.held():
        shape.add(held[0], depth)
        return
    if depth > MAX_DEPTH:
        source.skip()
        return
    opening = source.next_character()
    if opening not in "[{":
        shape.add(source.value(), depth)
        return
    shape.count += 1
    shape.n_arrays += opening == "["
    shape.objects += opening == "{"
    for key in source.children():
        try:
            _survey(source, shape.item() if key is None else shape.below(key), depth + 1)
        except ValueError:
            if not source.skip_broken(key=key, is_item=True):
                return
