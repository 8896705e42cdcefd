"""A text file gives the same documents in one piece and in many, whatever separates them."""

from pathlib import Path

import pytest

from anekdot.corpus.reading import pieces, read_piece
from tests.corpus.piles.contents import DIALOGUES, LISTS, POEMS, PROSE, RUSSIAN
from tests.corpus.piles.shapes.text import blocks, headed, numbered, poems, ruled, wrapped

MANY = [f"{talk} ({n})" for n in range(9) for talk in DIALOGUES]
LISTED = [LISTS[n % len(LISTS)] if n % 7 == 6 else text for n, text in enumerate(MANY)]
FILES = {
    "slashes": (ruled(MANY, "/"), MANY),
    "headings with numbers": (headed(MANY, "=== {} ==="), MANY),
    "numbers": (numbered(MANY, "{}. "), MANY),
    "numbers that begin anew": (
        numbered(MANY[:90], "{}. ") + numbered(MANY, "{}. "),
        MANY[:90] + MANY,
    ),
    "numbers, lists inside": (numbered(LISTED, "{}. "), LISTED),
    "numbers in words": (numbered(MANY, "Анекдот {}. "), MANY),
    "two blank lines": (
        blocks([t.replace("\n", "\n\n") for t in MANY], "\n\n\n"),
        [t.replace("\n", "\n\n") for t in MANY],
    ),
    "poems": (
        poems({f"{t} {n}": v for n in range(9) for t, v in POEMS.items()}),
        ["\n\n".join([f"{t} {n}", *v]) for n in range(9) for t, v in POEMS.items()],
    ),
    "wrapped prose": (blocks(map(wrapped, PROSE * 9)), PROSE * 9),
    "indented prose": ("".join(f"    {wrapped(t)}\n" for t in PROSE * 9), PROSE * 9),
    "form feeds": ("\f".join(MANY), MANY),
    "fields": (
        "".join(f"ID: {n}\nТекст: {t}\nДата: 2024-03-01\n\n" for n, t in enumerate(MANY)),
        MANY,
    ),
    "a list": ("x = [\n" + "".join(f'    "{t}",\n' for t in RUSSIAN) + "]\n", RUSSIAN),
}


def texts(path: Path, size: int) -> tuple[int, list[str]]:
    found = pieces([path], size=size)
    documents = [document for piece in found for document in read_piece(piece)]
    return len(found), [document.text for document in documents if document.fault is None]


@pytest.mark.parametrize("encoding", ["utf-8", "cp1251"])
@pytest.mark.parametrize(("content", "expected"), FILES.values(), ids=FILES)
@pytest.mark.parametrize("size", [1 << 20, 3000, 700])
def test_pieces_hold_the_texts_of_the_whole(tmp_path, content, expected, size, encoding):
    path = tmp_path / "a.txt"
    path.write_bytes(content.encode(encoding))
    number, found = texts(path, size)
    assert found == expected
    assert (number > 1) == (size < 1 << 20)
