"""``tokenizer.json`` in and out, in the format of Hugging Face tokenizers.

The merges and the name of the split pattern determine everything else in the file. So a file is
read by taking these, building the file that they should have given, and refusing the first
difference.

Source: https://huggingface.co/docs/tokenizers/api/tokenizer
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from reprlib import repr as short
from typing import Any

from anekdot.errors import TokenizerError
from anekdot.tokenizer.pretokens import PATTERNS, PatternName
from anekdot.tokenizer.vocabulary import BYTE_CHARACTERS, SPECIALS, Merge, token_bytes

MAX_FILE_BYTES = 64 * 1024 * 1024  # bytes; a vocabulary of a million tokens takes about half

_BEGIN = {"id": "<|begin|>", "type_id": 0}
_TEXT_ALONE = [{"SpecialToken": _BEGIN}, {"Sequence": {"id": "A", "type_id": 0}}]
# What makes other programs place the begin token before a text. Two texts become one.
BEGIN_PROCESSOR = {
    "type": "TemplateProcessing",
    "single": _TEXT_ALONE,
    "pair": [*_TEXT_ALONE, {"Sequence": {"id": "B", "type_id": 0}}],
    "special_tokens": {
        "<|begin|>": {
            "id": "<|begin|>",
            "ids": [SPECIALS.index("<|begin|>")],
            "tokens": ["<|begin|>"],
        }
    },
}
_BYTE_LEVEL = {
    "type": "ByteLevel",
    "add_prefix_space": False,
    "trim_offsets": True,
    "use_regex": False,
}
_ADDED_TOKENS = [
    {
        "id": id,
        "content": content,
        "single_word": False,
        "lstrip": False,
        "rstrip": False,
        "normalized": False,
        "special": True,
    }
    for id, content in enumerate(SPECIALS)
]


def serialize(
    merges: Sequence[Merge], pattern: PatternName = "qwen2", *, adds_begin: bool = False
) -> bytes:
    """Returns the contents of the file; the same arguments always give the same bytes.

    Args:
        merges: The merges.
        pattern: The name of the split pattern.
        adds_begin: Whether other programs place the begin token before each text. Here it is
            the caller who does, so ``read`` takes either.

    >>> json.loads(serialize([]))["model"]["vocab"]["<|end|>"]
    2
    """
    document = _document(merges, pattern)
    if adds_begin:
        document["post_processor"] = BEGIN_PROCESSOR
    return (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode()


def read(path: Path) -> tuple[tuple[Merge, ...], PatternName]:
    """Reads the merges and the split pattern of a file.

    Raises:
        TokenizerError: The file cannot be read, is too large, is not JSON, or differs from
            what ``serialize`` gives for them.
    """
    document = _parse(path)
    merges, pattern = _merges(path, document), _pattern(document)
    expected = _document(merges, pattern)
    if document.get("post_processor") is not None:
        expected["post_processor"] = BEGIN_PROCESSOR
    for difference in _differences(document, expected, ""):
        raise _damaged(path, difference)
    return tuple(merges), pattern


def _document(merges: Sequence[Merge], pattern: PatternName) -> dict[str, Any]:
    """Returns the file as JSON values; the order of the members is that of the file."""
    tokens = token_strings(merges)
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": _ADDED_TOKENS,
        "normalizer": None,
        "pre_tokenizer": _pre_tokenizer(pattern),
        "post_processor": None,
        "decoder": _BYTE_LEVEL,
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": False,
            "vocab": {token: id for id, token in enumerate(tokens)},
            "merges": [[tokens[left], tokens[right]] for left, right in merges],
        },
    }


def _pre_tokenizer(pattern: PatternName) -> dict[str, Any]:
    split = {
        "type": "Split",
        "pattern": {"Regex": PATTERNS[pattern]},
        "behavior": "Isolated",
        "invert": False,
    }
    return {"type": "Sequence", "pretokenizers": [split, _BYTE_LEVEL]}


def _pattern(document: Any) -> PatternName:
    """Returns the split pattern of a file; any if none is known, which is then a difference."""
    found = json.dumps(document.get("pre_tokenizer"))
    known = (name for name, pattern in PATTERNS.items() if json.dumps(pattern) in found)
    return next(known, "qwen2")


def token_strings(merges: Sequence[Merge]) -> list[str]:
    """Returns every token as it is written in the file, by id."""
    written = ["".join(map(BYTE_CHARACTERS.__getitem__, token)) for token in token_bytes(merges)]
    return [*SPECIALS, *written[len(SPECIALS) :]]


def _parse(path: Path) -> Any:
    """Parses the file."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise TokenizerError(
            f"The tokenizer {path} cannot be read: {error.strerror}.",
            "Give the path of a tokenizer.json.",
        ) from error
    if len(data) > MAX_FILE_BYTES:
        raise _damaged(path, f"it is larger than {MAX_FILE_BYTES} bytes")
    try:
        return json.loads(data.decode(), object_pairs_hook=_unique)
    except RecursionError as error:
        raise _damaged(path, "its JSON is nested too deeply") from error
    except ValueError as error:
        raise _damaged(path, f"it is not JSON: {error}") from error


def _unique(members: list[tuple[str, Any]]) -> dict[str, Any]:
    """Builds a JSON object and refuses a name that is given twice."""
    built: dict[str, Any] = {}
    for name, value in members:
        if name in built:
            raise ValueError(f"an object has two members {short(name)}")
        built[name] = value
    return built


def _merges(path: Path, document: Any) -> list[Merge]:
    try:
        pairs = document["model"]["merges"]
    except (KeyError, IndexError, TypeError) as error:
        raise _damaged(path, "model.merges is missing") from error
    return parse_merges(path, pairs)


def parse_merges(path: Path, pairs: Any) -> list[Merge]:
    """Reads the merges as ids, numbering tokens in the order in which they are built.

    Args:
        path: The file, for the message.
        pairs: A list of the two tokens that each merge joins, as they are written in the file.

    Raises:
        TokenizerError: It is anything else, or builds a token twice.
    """
    if not isinstance(pairs, list):
        raise _damaged(path, f"model.merges is {short(pairs)}, not a list")
    ids = {token: id for id, token in enumerate(token_strings([])) if id >= len(SPECIALS)}
    merges: list[Merge] = []
    for n, pair in enumerate(pairs):
        match pair:
            case [str(left), str(right)] if left in ids and right in ids:
                merges.append((ids[left], ids[right]))
            case _:
                raise _damaged(path, f"model.merges[{n}] is {short(pair)}, not two known tokens")
        if left + right in ids:
            raise _damaged(path, f"model.merges[{n}] builds {short(left + right)} a second time")
        ids[left + right] = len(SPECIALS) + len(ids)
    return merges


def _differences(found: Any, expected: Any, place: str) -> Iterator[str]:
    """Yields a clause about every place where two JSON values differ."""
    if type(found) is not type(expected):
        yield f"{place or 'the document'} is {short(found)}, not {short(expected)}"
    elif isinstance(expected, dict):
        for name in found.keys() - expected.keys():
            yield f"{place or 'the document'} has an unknown member {short(name)}"
        for name, value in expected.items():
            inner = f"{place}.{name}" if place else name
            if name in found:
                yield from _differences(found[name], value, inner)
            else:
                yield f"{inner} is missing"
    elif isinstance(expected, list) and len(found) == len(expected):
        for n, (left, right) in enumerate(zip(found, expected, strict=True)):
            yield from _differences(left, right, f"{place}[{n}]")
    elif found != expected:
        yield f"{place} is {short(found)}, not {short(expected)}"


def _damaged(path: Path, what: str) -> TokenizerError:
    """Returns the error for a file that cannot be used."""
    return TokenizerError(
        f"The tokenizer {path} cannot be used: {what}.",
        "Train one with anekdot, or restore the file as it was saved.",
    )
