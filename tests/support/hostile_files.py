"""Files that a reader may choke on: what is refused, and what survives."""

import bz2
import gzip
import json
import lzma
import random
import zlib

from tests.support.outcomes import zipped, zstd

JOKE = "Кот пришёл к врачу и попросил рецепт от понедельников."
OTHER = "Программист второй день чинит чайник, а чайник чинит программиста."
RECORD = json.dumps({"text": JOKE}, ensure_ascii=False)


def encrypted() -> bytes:
    data = bytearray(zipped({"a.txt": JOKE.encode()}))
    for place in (6, data.rindex(b"PK\x01\x02") + 8):
        data[place] |= 1
    return bytes(data)


def deep(opening_bracket: str, n: int = 100_000) -> bytes:
    return (opening_bracket * n).encode()


def greedy_xz() -> bytes:
    """Returns an xz file whose header says that it needs 4 GB of memory."""
    data = bytearray(lzma.compress(JOKE.encode()))
    end = 12 + (data[12] + 1) * 4 - 4
    data[16] = 40
    data[end : end + 4] = zlib.crc32(data[12:end]).to_bytes(4, "little")
    return bytes(data)


REFUSED: dict[str, tuple[str, bytes]] = {
    "a picture": ("a.txt", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 9),
    "a photograph": ("a.txt", b"\xff\xd8\xff\xe0" + random.Random(1).randbytes(999)),
    "a program": ("a.txt", b"\x7fELF" + bytes(999)),
    "a program without a name": ("program", b"MZ\x90\x00" + bytes(999)),
    "a PDF": ("a.txt", b"%PDF-1.7\n" + JOKE.encode()),
    "a letter": ("letter", zipped({"word/document.xml": b"<w/>"})),
    "an old letter": ("letter.old", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(99)),
    "rich text": ("a.txt", b"{\\rtf1\\ansi " + JOKE.encode("cp1251")),
    "random bytes": ("a.csv", random.Random(2).randbytes(9999)),
    "zeros": ("a.jsonl", bytes(9999)),
    "a picture by name": ("a.png", JOKE.encode()),
    "a letter by name": ("a.docx", JOKE.encode()),
    "text that claims gzip": ("a.txt.gz", JOKE.encode()),
    "text that claims bzip2": ("a.txt.bz2", JOKE.encode()),
    "text that claims xz": ("a.txt.xz", JOKE.encode()),
    "text that claims zstandard": ("a.txt.zst", JOKE.encode()),
    "text that claims zip": ("a.zip", JOKE.encode()),
    "an empty zip": ("a.zip", zipped({})),
    "a zip of nothing known": ("a.zip", zipped({"a.png": b"x", "b.docx": b"y"})),
    "a zip in a zip only": ("a.zip", zipped({"b.zip": zipped({"a.txt": JOKE.encode()})})),
    "a zip of hidden files": ("a.zip", zipped({".a.txt": b"x", "__MACOSX/a.txt": b"y"})),
    "an encrypted zip": ("a.zip", encrypted()),
    "half a zip": ("a.zip", zipped({"a.txt": JOKE.encode() * 99})[:-40]),
    "half a gzip": ("a.txt.gz", gzip.compress(random.Random(3).randbytes(999).hex().encode())[:-9]),
    "half a bzip2": ("a.txt.bz2", bz2.compress(JOKE.encode() * 99)[:-9]),
    "half an xz": ("a.txt.xz", lzma.compress(JOKE.encode() * 99)[:-9]),
    "half a zstandard": ("a.txt.zst", zstd.compress(JOKE.encode() * 99)[:-9]),
    "gzip with a wrong sum": ("a.txt.gz", gzip.compress(JOKE.encode())[:-8] + bytes(8)),
    "xz that wants 4 GB": ("a.txt.xz", greedy_xz()),
    "gzip with rubbish after it": ("a.txt.gz", gzip.compress(JOKE.encode()) + b"rubbish"),
    "Parquet of nothing": ("a.parquet", b""),
    "Parquet that is text": ("a.parquet", JOKE.encode()),
    "Parquet of magic only": ("a.parquet", b"PAR1PAR1"),
    "Parquet with a wild footer": ("a.parquet", b"PAR1" + b"\xff" * 99 + b"PAR1"),
    "Parquet with a huge footer": ("a.parquet", b"PAR1" + b"\x7f" * 8 + b"PAR1"),
    "Parquet by its magic": ("a.txt", b"PAR1" + JOKE.encode()),
    "numbers only": ("a.csv", b"1,2\n3,4\n"),
    "a table of nothing": ("a.csv", b",,,\n,,,\n"),
}


LINES = f"{JOKE}\n{OTHER}\n".encode()
SURVIVED: dict[str, tuple[str, bytes, list[str], list[tuple[int, str]]]] = {
    # name: file, bytes, texts, faults
    "empty": ("a.txt", b"", [], []),
    "empty table": ("a.csv", b"", [], []),
    "empty JSON": ("a.json", b"", [], []),
    "empty gzip": ("a.txt.gz", b"", [], []),
    "empty zstandard": ("a.jsonl.zst", zstd.compress(b""), [], []),
    "white space": ("a.jsonl", b" \r\n\t\n\r\r", [], []),
    "a mark and nothing": ("a.txt", b"\xef\xbb\xbf", [], []),
    "a UTF-16 mark and nothing": ("a.csv", b"\xff\xfe", [], []),
    "a header and nothing": ("a.csv", b"id,text\n", [], []),
    "an empty array": ("a.json", b"[]", [], []),
    "one NUL": ("a.txt", LINES + b"\0" + LINES, [JOKE, OTHER, "\0" + JOKE, OTHER], []),
    "a line of NULs": ("a.txt", LINES * 20 + bytes(60), [JOKE, OTHER] * 20, [(41, "not text")]),
    "a picture in the middle": (
        "a.txt",
        LINES * 99 + b"\x01\x02\x03\x04\x05\x06\x07\x00\x0e" * 5 + b"\n" + LINES,
        [JOKE, OTHER] * 100,
        [(199, "not text")],
    ),
    "half of UTF-16": ("a.txt", ("\ufeff" + JOKE).encode("utf-16-le") + b"\x10", [JOKE + "�"], []),
    "a lone surrogate": ("a.jsonl", b'{"text": "\\ud800 cat"}', ["\ud800 cat"], []),
    "a deep line": ("a.jsonl", f"{RECORD}\n".encode() + deep("["), [JOKE], [(2, "not JSON")]),
    "a deep object": ("a.jsonl", f"{RECORD}\n".encode() + deep('{"a":'), [JOKE], [(2, "not JSON")]),
    "a deep array": ("a.json", deep("["), [], [(1, "not JSON")]),
    "deep objects": ("a.json", deep('{"a":'), [], [(1, "not JSON")]),
    "a number as text": ("a.jsonl", f'{RECORD}\n{{"text": 7}}'.encode(), [JOKE], [(2, "no text")]),
    "null as text": ("a.jsonl", f'{RECORD}\n{{"text": null}}'.encode(), [JOKE], [(2, "no text")]),
    "a list as text": ("a.jsonl", f'{RECORD}\n{{"text": []}}'.encode(), [JOKE], [(2, "no text")]),
    "a bare number": ("a.jsonl", f"{RECORD}\n7\n{RECORD}".encode(), [JOKE] * 2, [(2, "no text")]),
    "a huge number": (
        "a.jsonl",
        f"{RECORD}\n{'7' * 9999}".encode(),
        [JOKE],
        [(2, "not JSON")],
    ),
    "not a number": ("a.jsonl", f"{RECORD}\nNaN".encode(), [JOKE], [(2, "no text")]),
    "keys twice": ("a.jsonl", b'{"text": "one", "text": "two"}', ["two"], []),
    "a late key": (
        "a.jsonl",
        b'{"id": 1}\n' * 9 + RECORD.encode(),
        [JOKE],
        [(number, "no text") for number in range(1, 10)],
    ),
    "a key later than any sample": (
        "a.jsonl",
        b'{"id": 1}\n' * 999 + json.dumps({"joke": JOKE}).encode(),
        [JOKE],
        [(number, "no text") for number in range(1, 1000)],
    ),
    "a key late in an array": (
        "a.json",
        b'[{"id": 1},' + b'{"id": "?"},' * 998 + json.dumps({"joke": JOKE}).encode() + b"]",
        [JOKE],
        [(number, "no text") for number in range(1, 1000)],
    ),
    "half a record": ("a.jsonl", f'{RECORD}\n{{"text": "Ко'.encode(), [JOKE], [(2, "not JSON")]),
    "half an array": ("a.json", f'[{RECORD}, {{"text": "Ко'.encode(), [JOKE], [(2, "not JSON")]),
    "a broken item": (
        "a.json",
        f'[\n{RECORD},\n{{"text": oops}},\n{RECORD}\n]'.encode(),
        [JOKE, JOKE],
        [(2, "not JSON")],
    ),
    "a broken item on one line": (
        "a.json",
        f'[{RECORD},{{"text": oops}},{RECORD}]'.encode(),
        [JOKE, JOKE],
        [(2, "not JSON")],
    ),
    "words for JSON": ("a.json", JOKE.encode(), [], [(1, "not JSON")]),
    "a cell too many": (
        "a.csv",
        f"id,text\n1,один\n2,раз,два\n3,три {JOKE}\n".encode(),
        ["один", f"три {JOKE}"],
        [(3, "wrong number of cells")],
    ),
    "a quote that is never closed": (
        "a.csv",
        f'id;text\n1;"{JOKE}\n2;{OTHER}\n3;"Ещё одна"\n'.encode(),
        [OTHER, "Ещё одна"],
        [(2, "broken quotes")],
    ),
    "a quote that is closed by another row": (
        "a.csv",
        f'id,text\n1,"{JOKE}\n2,"{OTHER}"\n3,Третья шутка\n'.encode(),
        [OTHER, "Третья шутка"],
        [(2, "broken quotes")],
    ),
    "a quote at the end": (
        "a.csv",
        f'id,text\n1,{JOKE}\n2,"'.encode(),
        [JOKE],
        [(3, "broken quotes")],
    ),
    "a table of quotes": ("a.csv", b'id,text\n1,Cat\n"""', ["Cat"], [(3, "broken quotes")]),
    "a zip that climbs": ("a.zip", zipped({"../../etc/a.txt": LINES}), [JOKE, OTHER], []),
    "a zip with an absolute name": ("a.zip", zipped({"/etc/a.txt": LINES}), [JOKE, OTHER], []),
    "a zip of a gzip": ("a.zip", zipped({"a.txt.gz": gzip.compress(LINES)}), [JOKE, OTHER], []),
    "a zip with a zip": (
        "a.zip",
        zipped({"a.txt": LINES, "b.zip": zipped({"c.txt": LINES})}),
        [JOKE, OTHER],
        [],
    ),
    "a gzip without its ending": ("jokes", gzip.compress(LINES), [JOKE, OTHER], []),
    "a zip without its ending": ("jokes", zipped({"a.txt": LINES}), [JOKE, OTHER], []),
    "two gzips in one": (
        "a.txt.gz",
        gzip.compress(LINES) * 2,
        [JOKE, OTHER] * 2,
        [],
    ),
    "two of each": ("a.txt.bz2", bz2.compress(LINES) * 2, [JOKE, OTHER] * 2, []),
    "xz with padding": (
        "a.txt.xz",
        (lzma.compress(LINES) + bytes(4)) * 2,
        [JOKE, OTHER] * 2,
        [],
    ),
    "zstandard twice": ("a.txt.zst", zstd.compress(LINES) * 2, [JOKE, OTHER] * 2, []),
}
