"""Archives that lie, bombs, sparse files, and files that change while they are read."""

import bz2
import gzip
import io
import os
import struct
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from tools.attack.arena import Arena, Case, texts

MEMORY = 1000  # MB
TEXTS = texts(400)
HALVES = ["\n".join(TEXTS[:200]).encode(), "\n".join(TEXTS[200:]).encode()]


def zipped(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Returns a zip archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return buffer.getvalue()


def patched(data: bytes, signature: bytes, offset: int, value: bytes, every: bool = True) -> bytes:
    """Returns an archive with some bytes after each signature replaced."""
    changed, place = bytearray(data), data.find(signature)
    while place >= 0:
        changed[place + offset : place + offset + len(value)] = value
        place = data.find(signature, place + 4) if every else -1
    return bytes(changed)


CENTRAL, LOCAL, END = b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06"


def lying_zips() -> dict[str, bytes]:
    """Returns archives whose lists of members lie."""
    plain = zipped(("a.txt", HALVES[0]), ("b.txt", HALVES[1]))
    big, none = struct.pack("<I", 0xFFFFFFF0), struct.pack("<I", 0)
    bomb = gzip.compress(bytes(1 << 20))
    for _ in range(3):
        bomb = gzip.compress(bomb * 100)
    return {
        "sizes of 4 GB": patched(plain, CENTRAL, 24, big),
        "packed sizes of 4 GB": patched(plain, CENTRAL, 20, big),
        "sizes of nothing": patched(plain, CENTRAL, 24, none),
        "a wrong sum": patched(plain, CENTRAL, 16, b"\1\2\3\4"),
        "offsets of 4 GB": patched(plain, CENTRAL, 42, big),
        "all offsets the same": patched(plain, CENTRAL, 42, none),
        "an unknown method": patched(plain, CENTRAL, 10, b"\x63\0"),
        "another method than it has": patched(plain, CENTRAL, 10, b"\0\0"),
        "more members than it has": patched(plain, END, 8, b"\xff\xff\xff\xff"),
        "fewer members than it has": patched(plain, END, 8, b"\1\0\1\0"),
        "local names differ": patched(plain, LOCAL, 30, b"z"),
        "cut in the list": plain[:-30],
        "nested gzip": zipped(("a.txt.gz", bomb)),
        "nested zips": zipped(("a.zip", zipped(("b.zip", zipped(("c.txt", HALVES[0])))))),
        "20,000 members": zipped(*((f"{n}.txt", b"x") for n in range(20_000))),
        "a name of 60,000 letters": zipped(("x" * 60_000 + ".txt", HALVES[0])),
        "a member that is a folder": zipped(("a.txt/", HALVES[0])),
    }


def zips(arena: Arena) -> Iterator[Case]:
    """Zip archives that lie of what they hold."""

    def try_it(data: bytes) -> str | None:
        room = arena.room()
        (room / "a.zip").write_bytes(data)
        return arena.run("prepare", room / "a.zip", "--out", room / "p").lost(memory=MEMORY)

    for name, data in lying_zips().items():
        yield name, partial(try_it, data)


def doubled(arena: Arena) -> Iterator[Case]:
    """Members of one name: each text is kept, or counted, or the archive is refused."""

    def try_it(names: tuple[str, str]) -> str | None:
        room = arena.room()
        path = room / "a.zip"
        import warnings  # noqa: PLC0415

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            path.write_bytes(zipped(*zip(names, HALVES, strict=True)))
        ended = arena.run("prepare", path, "--out", room / "p")
        if lost := ended.lost():
            return lost
        return ended.status == 0 and missing(room / "p", 400)

    for names in (
        ("a.txt", "a.txt"),
        ("a.txt", "A.txt"),
        ("a.txt", "./a.txt"),
        ("x/a.txt", "x//a.txt"),
    ):
        yield f"{names[0]} and {names[1]}", lambda names=names: try_it(names) or None


def missing(prepared: Path, n: int) -> str | None:
    """Returns how many of n documents a report does not know, dropped ones counted."""
    import duckdb  # noqa: PLC0415

    path = prepared / "documents.parquet"
    [(known,)] = duckdb.sql(f"SELECT count(*) FROM '{path}'").fetchall()
    return None if known == n else f"{n - known} of {n} texts are gone, not counted as dropped"


def bombs(arena: Arena) -> Iterator[Case]:
    """A little that unpacks to much, on one level or several."""

    def gzip_bomb(path: Path) -> None:
        packer = zlib.compressobj(9, zlib.DEFLATED, 31)
        with path.open("wb") as file:
            for _ in range(1300):
                file.write(packer.compress(bytes(1 << 20)))
            file.write(packer.flush())

    def text_bomb(path: Path) -> None:
        packer = zlib.compressobj(9, zlib.DEFLATED, 31)
        with path.open("wb") as file:
            for _ in range(1300):
                file.write(packer.compress(b"a joke of a line\n" * 61_681))
            file.write(packer.flush())

    def bz2_bomb(path: Path) -> None:
        path.write_bytes(bz2.compress(bytes(30 << 20)) * 44)

    def long_line(path: Path) -> None:
        packer = zlib.compressobj(9, zlib.DEFLATED, 31)
        with path.open("wb") as file:
            for _ in range(900):
                file.write(packer.compress(b"a" * (1 << 20)))
            file.write(packer.flush())

    def hole(path: Path) -> None:
        with path.open("wb") as file:
            file.truncate(100 << 30)

    def hole_after_texts(path: Path) -> None:
        path.write_bytes(HALVES[0])
        os.truncate(path, 3 << 30)

    def hole_of_json(path: Path) -> None:
        path.write_bytes(b'[{"text": "' + HALVES[0][:50])
        os.truncate(path, 3 << 30)

    def try_it(name: str, make: Callable[[Path], None]) -> str | None:
        room = arena.room()
        make(room / name)
        ended = arena.run("prepare", room / name, "--out", room / "p", seconds=240)
        (room / name).unlink()
        return ended.lost(memory=MEMORY)

    for name, make in {
        "zeros.txt.gz": gzip_bomb, "lines.txt.gz": text_bomb, "zeros.txt.bz2": bz2_bomb,
        "line.txt.gz": long_line, "hole.txt": hole, "hole-after.txt": hole_after_texts,
        "hole.json": hole_of_json,
    }.items():  # fmt: skip
        yield name, partial(try_it, name, make)


def changing(arena: Arena) -> Iterator[Case]:
    """A file that grows, shrinks, is replaced or goes while it is read."""
    lines = ("\n".join(texts(60_000)) + "\n").encode()

    def grow(path: Path) -> None:
        with path.open("ab") as file:
            file.write(lines[:100_000])

    def shrink(path: Path) -> None:
        os.truncate(path, 1000)

    def empty(path: Path) -> None:
        os.truncate(path, 0)

    def replace(path: Path) -> None:
        other = path.with_suffix(".new")
        other.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(len(lines)))
        other.rename(path)

    def overwrite(path: Path) -> None:
        with path.open("r+b") as file:
            file.write(bytes(len(lines) // 2))

    def remove(path: Path) -> None:
        path.unlink()

    def to_folder(path: Path) -> None:
        path.unlink()
        path.mkdir()

    def try_it(change: Callable[[Path], None], after: float, packed: bool) -> str | None:
        room = arena.room()
        path = room / ("a.txt.gz" if packed else "a.txt")
        path.write_bytes(gzip.compress(lines, 1) if packed else lines)
        child = arena.start("prepare", path, "--out", room / "p", "--vocab-size=300")
        plan = room / "p/work"
        child.wait_for(plan.exists)
        time.sleep(after)
        change(path)
        return child.end(120).lost(memory=MEMORY)

    for change in (grow, shrink, empty, replace, overwrite, remove, to_folder):
        for after in (0.0, 0.05, 0.3):
            for packed in (False, True):
                name = f"{change.__name__}{', packed' if packed else ''} after {after} s"
                yield name, partial(try_it, change, after, packed)


ATTACKS = {
    "lying zips": zips,
    "members of one name": doubled,
    "bombs and holes": bombs,
    "files that change": changing,
}
