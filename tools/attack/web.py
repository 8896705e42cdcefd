"""Web sources: a hostile server on 127.0.0.1."""

import gzip
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from tools.attack.arena import Arena, Case, texts
from tools.attack.terminals import EVIL, raw

BODY = ("\n".join(texts(400)) + "\n").encode()
HEAD = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: text/plain\r\n"
LENGTH = b"Content-Length: %d\r\n\r\n" % len(BODY)
MOST = 6 << 30  # bytes that nobody may fetch unasked
SECONDS = 150.0  # before a fetch counts as without a limit


def serve(answer: Callable[[socket.socket], None]) -> tuple[int, int, Path]:
    """Starts a server in a process of its own; returns its port and process."""
    listener = socket.create_server(("127.0.0.1", 0))
    pid = os.fork()
    if pid:
        port = listener.getsockname()[1]
        listener.close()
        return port, pid
    try:
        while True:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                answer(connection)
    except OSError:
        pass
    os._exit(0)


def sends(*pieces: bytes) -> Callable[[socket.socket], None]:
    """Returns a server that sends this and hangs up."""
    return lambda connection: connection.sendall(b"".join(pieces))


def drips(pause: float, size: int) -> Callable[[socket.socket], None]:
    """Returns a server that sends a little now and then, for ever."""

    def answer(connection: socket.socket) -> None:
        connection.sendall(HEAD + b"\r\n")
        while True:
            for place in range(0, len(BODY) - size, size):
                connection.sendall(BODY[place : place + size])
                time.sleep(pause)

    return answer


def header_drip(connection: socket.socket) -> None:
    """Sends header after header."""
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        connection.sendall(b"X: y\r\n")
        time.sleep(0.5)


def redirect(to: str) -> Callable[[socket.socket], None]:
    """Returns a server that sends elsewhere."""
    return sends(
        b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + to.encode() + b"\r\n\r\n"
    )


WHOLE: dict[str, tuple[bytes, ...]] = {
    "as it should be": (HEAD, LENGTH, BODY),
    "no length": (HEAD, b"\r\n", BODY),
    "gzip as encoding": (
        HEAD, b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(gzip.compress(BODY)),
        gzip.compress(BODY),
    ),
    "chunks": (
        HEAD, b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(BODY), BODY, b"\r\n0\r\n\r\n",
    ),
    "a length that is too small": (HEAD, b"Content-Length: 100\r\n\r\n", BODY),
}  # fmt: skip
BROKEN: dict[str, tuple[bytes, ...]] = {
    "missing bytes": (HEAD, b"Content-Length: 999999\r\n\r\n", BODY),
    "a negative length": (HEAD, b"Content-Length: -5\r\n\r\n", BODY),
    "a length of a petabyte": (HEAD, b"Content-Length: 1125899906842624\r\n\r\n", BODY),
    "broken chunks": (HEAD, b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", BODY),
    "endless chunk size": (HEAD, b"Transfer-Encoding: chunked\r\n\r\n", b"f" * 100_000),
    "500 headers": (HEAD, *(b"X-%d: y\r\n" % n for n in range(500)), LENGTH, BODY),
    "a header of a megabyte": (HEAD, b"X: ", b"y" * (1 << 20), b"\r\n", LENGTH, BODY),
    "status 401": (b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n",),
    "status 500": (b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n",),
    "status 204": (b"HTTP/1.1 204 No Content\r\n\r\n",),
    "status 99999": (b"HTTP/1.1 99999 Much\r\n\r\n",),
    "no status": (b"\x00\xff\xfe\r\n\r\n",),
    "nothing": (b"",),
    "a web page": (HEAD, b"\r\n<html><body>Not found</body></html>"),
    "a picture": (HEAD, b"\r\n\x89PNG\r\n\x1a\n" + bytes(999)),
    "control characters as reason": (
        b"HTTP/1.1 404 ",
        EVIL.encode("latin-1", "replace"),
        b"\r\n\r\n",
    ),
    "a reason of 60,000 letters": (b"HTTP/1.1 404 ", b"x" * 60_000, b"\r\n\r\n"),
}


def fetch(arena: Arena, answer: Callable[[socket.socket], None], seconds: float = SECONDS):
    """Prepares what a server sends; returns how that ended, and the folder."""
    port, pid = serve(answer)
    out = arena.room() / "p"
    try:
        child = arena.start("prepare", f"http://127.0.0.1:{port}/jokes.txt", "--out", out)
        child.wait_for(lambda: on_disk(out) > MOST, seconds)
        size = on_disk(out)
        ended = child.end(0 if size > MOST else 1)
        return ended, out
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def on_disk(folder: Path) -> int:
    """Returns the bytes in a folder, as far as it stands still."""
    try:
        return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    except OSError:
        return 0


def answers(arena: Arena) -> Iterator[Case]:
    """Answers that are whole, and answers that are broken."""
    from tools.attack.archives import missing  # noqa: PLC0415

    def whole(pieces: tuple[bytes, ...]) -> str | None:
        ended, out = fetch(arena, sends(*pieces))
        if ended.status == 2 and not ended.lost() and b"Content-Length: 100\r" in b"".join(pieces):
            return None
        if ended.status != 0:
            return ended.lost() or f"refused: {ended.err[-200:]!r}"
        return missing(out, 400)

    def broken(pieces: tuple[bytes, ...]) -> str | None:
        ended, _ = fetch(arena, sends(*pieces))
        escapes = raw(ended.err + ended.out)
        return ended.lost() or (f"raw {escapes!a}" if escapes else None)

    for name, pieces in WHOLE.items():
        yield name, partial(whole, pieces)
    for name, pieces in BROKEN.items():
        yield name, partial(broken, pieces)


def endless(arena: Arena) -> Iterator[Case]:
    """Answers that never end: too large, or too slow."""

    def flood(connection: socket.socket) -> None:
        connection.sendall(HEAD + b"\r\n")
        while True:
            connection.sendall(BODY * 20)

    def packed_flood(connection: socket.socket) -> None:
        connection.sendall(HEAD + b"Content-Encoding: gzip\r\n\r\n")
        while True:
            connection.sendall(gzip.compress(BODY) * 20)

    def try_it(answer: Callable[[socket.socket], None]) -> str | None:
        ended, out = fetch(arena, answer)
        size = on_disk(out)
        lost = f"no limit: fetched {size >> 20:,} MiB" if ended.status is None else ended.lost()
        os.system(f"rm -rf '{out}'")
        return lost

    yield "an endless body", partial(try_it, flood)
    yield "an endless body, packed", partial(try_it, packed_flood)
    yield "ten bytes a second", partial(try_it, drips(0.5, 5))
    yield "a header now and then", partial(try_it, header_drip)
    yield "silence", partial(try_it, lambda connection: time.sleep(999))


def redirects(arena: Arena) -> Iterator[Case]:
    """Redirects to where no redirect may lead."""

    def called(scheme: str) -> str | None:
        listener = socket.create_server(("127.0.0.1", 0))
        listener.settimeout(0.1)
        port = listener.getsockname()[1]
        ended, _ = fetch(arena, redirect(f"{scheme}://127.0.0.1:{port}/a.txt"), 20)
        try:
            listener.accept()
            return f"followed to {scheme}"
        except TimeoutError:
            return ended.lost()
        finally:
            listener.close()

    def refused(to: str) -> str | None:
        ended, _ = fetch(arena, redirect(to), 30)
        return ended.lost() or (None if ended.status == 2 else "followed")

    for scheme in ("ftp", "gopher"):
        yield f"to {scheme}", partial(called, scheme)
    evil = EVIL.encode("ascii", "replace").decode()
    for to in (
        "file:///etc/hostname", "data:text/plain,joke", "/jokes.txt", "", "http://[oops/",
        "javascript:1", "http://127.0.0.1:99999/", "//", evil,
    ):  # fmt: skip
        yield f"to {to!a}", partial(refused, to)


def addresses(arena: Arena) -> Iterator[Case]:
    """Addresses that are none."""

    def try_it(verb: str, address: str) -> str | None:
        room = arena.room()
        words = {
            "prepare": ("prepare", address, "--out", room / "m"),
            "train": ("train", address, "--out", room / "m"),
            "evaluate": ("evaluate", arena.bundle, "--texts", address),
            "tokenizer": ("tokenizer", "train", address, "--out", room / "t.json"),
        }[verb]
        ended = arena.run(*words)
        return ended.lost() or (None if ended.status == 2 else "accepted")

    for address in (
        "http://[oops/a.txt", "http://℀.com/a.txt", "http://", "http:///a.txt", "https://:80/",
        "http://127.0.0.1:x/", "http://127.0.0.1:0/", "http://a b/", "http://\udcff/",
        "http://127.0.0.1:1/a.txt", "HTTP://[::1/", "http://" + "x" * 70_000, "http://x\x00y/",
        "http://127.0.0.1:1/a\r\nX: y.txt",
    ):  # fmt: skip
        for verb in ("prepare", "train", "evaluate", "tokenizer"):
            if "\0" not in address:
                yield f"{verb} {address[:40]!a}", partial(try_it, verb, address)


ATTACKS = {
    "answers": answers,
    "without an end": endless,
    "redirects": redirects,
    "addresses": addresses,
}
