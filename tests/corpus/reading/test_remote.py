import itertools
import os
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.request import Request

import pytest

import anekdot
from anekdot.corpus.manifest import Manifest
from anekdot.corpus.reading import read, remote
from anekdot.corpus.reading.addresses import address, is_public
from anekdot.errors import CorpusError
from tests.support.commands import run
from tests.support.outcomes import PACK, good, zipped
from tests.support.texts import make_texts

JOKE = "Кот пришёл к врачу и попросил рецепт от понедельников."
LINES = f"{JOKE}\n".encode()


class Handler(SimpleHTTPRequestHandler):
    """Serves a folder in silence, and some odd answers under names of their own."""

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        answer = ANSWERS.get(self.path.split("/")[1])
        if self.path.startswith("/to/"):
            self.answer(302, {"Location": self.path.removeprefix("/to/")})
        elif answer is not None:
            answer(self)
        else:
            super().do_GET()

    def answer(self, status: int, headers: dict[str, str], body: bytes = b"") -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        with suppress(OSError):  # the other side may have had enough
            self.wfile.write(body)

    def drip(self, body: Iterable[bytes]) -> None:
        with suppress(OSError):
            for part in body:
                self.wfile.write(part)
                time.sleep(0.01)


CHUNKED = {"Transfer-Encoding": "chunked"}
CHUNK = b"%x\r\n%b\r\n" % (len(LINES), LINES)
ANSWERS: dict[str, Callable[[Handler], None]] = {
    "half.txt": lambda to: to.answer(200, {"Content-Length": "1000"}, LINES),
    "nearly.txt": lambda to: to.answer(200, {"Content-Length": str(len(LINES) + 1)}, LINES),
    "more.txt": lambda to: to.answer(200, {"Content-Length": "40"}, LINES),
    "chunks.txt": lambda to: to.answer(200, CHUNKED, CHUNK + b"0\r\n\r\n"),
    "cut.txt": lambda to: to.answer(200, CHUNKED, CHUNK),
    "cut-chunk.txt": lambda to: to.answer(200, CHUNKED, CHUNK + CHUNK[:-9]),
    "no-chunks.txt": lambda to: to.answer(200, CHUNKED, LINES),
    "part.txt": lambda to: to.answer(206, {"Content-Length": str(len(LINES))}, LINES),
    "empty.txt": lambda to: to.answer(204, {}),
    "gzip.txt": lambda to: to.answer(200, {"Content-Encoding": "gzip"}, PACK[".gz"](LINES)),
    "gzip.txt.gz": lambda to: to.answer(200, {"Content-Encoding": "x-gzip"}, PACK[".gz"](LINES)),
    "plain.txt": lambda to: to.answer(200, {"Content-Encoding": "identity"}, LINES),
    "cut-gzip.txt": lambda to: to.answer(
        200, {"Content-Encoding": "gzip"}, PACK[".gz"](LINES)[:-9]
    ),
    "brotli.txt": lambda to: to.answer(200, {"Content-Encoding": "br"}, LINES),
    "twice.txt": lambda to: to.answer(200, {"Content-Encoding": "gzip, gzip"}, LINES),
    "large.txt": lambda to: to.answer(200, {"Content-Length": "5000"}, LINES * 9),
    "endless.txt": lambda to: to.drip(
        itertools.chain([b"HTTP/1.0 200 OK\r\n\r\n"], itertools.repeat(LINES))
    ),
    "slow-header.txt": lambda to: to.drip(
        itertools.chain([b"HTTP/1.0 200 OK\r\n"], itertools.repeat(b"A: b\r\n", 200))
    ),
    "round": lambda to: to.answer(302, {"Location": "/round"}),
}


@pytest.fixture
def site(tmp_path: Path, monkeypatch) -> Iterator[tuple[str, Path]]:
    """The address of a site on this machine, and the folder that it shows."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    folder = tmp_path / "site"
    folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
    threading.Thread(target=partial(server.serve_forever, 0.01), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", folder
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("name", "data", "source"),
    [
        ("a.txt", LINES, "a.txt"),
        ("a.txt.gz", PACK[".gz"](LINES), "a.txt.gz"),
        ("a.zip", zipped({"b.csv": b"id,text\n1," + LINES}), "a.zip/b.csv"),
        ("jokes", LINES, "jokes"),
    ],
)
def test_a_file_is_fetched_when_its_address_is_named(site, name, data, source):
    place, folder = site
    (folder / name).write_bytes(data)
    documents = list(read(f"{place}/{name}?key=secret"))
    assert good(documents) == [JOKE]
    assert {document.source for document in documents} == {f"{place}/{source}"}


@pytest.mark.parametrize(
    "name", ["chunks.txt", "gzip.txt", "gzip.txt.gz", "plain.txt", "to/plain.txt"]
)
def test_bodies_of_every_kind_are_read(site, name):
    place = site[0] + "/" + name.replace("to/", f"to/{site[0]}/")
    assert good(list(read(place))) == [JOKE]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("missing.txt", "404"),
        ("half.txt", "bytes are missing"),
        ("nearly.txt", "1 bytes are missing"),
        ("more.txt", "more than the 40 bytes that it announces"),
        ("cut.txt", "cut off"),
        ("cut-chunk.txt", "cut off"),
        ("no-chunks.txt", "cut off"),
        ("part.txt", "206"),
        ("empty.txt", "204"),
        ("brotli.txt", "'br'"),
        ("twice.txt", "gzip, gzip"),
        ("cut-gzip.txt", "cannot be read"),
        ("a b\n.txt", "control"),
        ("round", "redirect"),
        ("to/ftp://127.0.0.1/a.txt", "ftp"),
        ("to/file:///etc/hostname", "file"),
        ("to/data:text/plain,a", "data"),
        ("to/http://[oops/a.txt", "IPv6"),
        ("to/http://127.0.0.1:99999/a.txt", "[Pp]ort"),
    ],
)
def test_what_cannot_be_fetched_is_said(site, path, words):
    with pytest.raises(CorpusError, match=words) as caught:
        list(read(f"{site[0]}/{path}"))
    assert "\n" not in str(caught.value)


def test_nobody_answers(site):
    with pytest.raises(CorpusError, match=r"http://127.0.0.1:1/a.txt cannot be fetched"):
        list(read("http://cat:secret@127.0.0.1:1/a.txt"))


def test_a_preparation_from_an_address_is_that_of_the_file(site, tmp_path):
    place, folder = site
    (folder / "a.txt").write_text("\n\n".join(make_texts(60)), "utf-8")
    shares = {"vocab_size": 280, "validation": 0.1, "test": 0.1}
    near = anekdot.prepare(folder / "a.txt", out=tmp_path / "near", **shares)
    far = anekdot.prepare(f"{place}/a.txt", out=tmp_path / "far", **shares)
    assert Manifest.load(tmp_path / "far") == far
    for name in ("train.ids.npy", "validation.ids.npy", "test.ids.npy", "tokenizer.json"):
        assert far.files[name] == near.files[name]
    assert sorted(path.name for path in (tmp_path / "far").iterdir()) == sorted(
        [*far.files, "manifest.json", "sources.json"]
    )


IMPOSSIBLE = [
    "http://[oops/a.txt",
    "http://℀.com/a.txt",
    "http://127.0.0.1:99999/a.txt",
    "http://127.0.0.1:0/a.txt",
    "http://127.0.0.1:-1/a.txt",
    "http://127.0.0.1:port/a.txt",
    "http:///a.txt",
    "http://",
    "https://?a.txt",
    "http://a..b/a.txt",
    f"http://{'a' * 64}.example/a.txt",
    "http://cat:secret@127.0.0.1/a.txt",
    "HTTP://[::1/a.txt",
    "ftp://127.0.0.1/a.txt",
    "file:///etc/hostname",
    "data://text",
]


@pytest.mark.parametrize("source", IMPOSSIBLE)
@pytest.mark.parametrize("verb", ["prepare", "train", "tokenizer train"])
def test_an_impossible_address_is_a_sentence(tmp_path, capsys, monkeypatch, source, verb):
    monkeypatch.chdir(tmp_path)
    status, complaint = run(capsys, monkeypatch, *verb.split(), source, "--out", "x")
    assert status == 2
    assert complaint.count("\n") == 1
    assert "fetched" in complaint
    assert "secret" not in complaint
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize("source", IMPOSSIBLE)
def test_an_impossible_address_can_be_shown(source):
    assert "secret" not in address(source)


@pytest.mark.parametrize("verb", ["prepare", "train", "tokenizer train"])
def test_no_more_is_downloaded_than_allowed(site, tmp_path, capsys, monkeypatch, verb):
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    monkeypatch.chdir(tmp_path)
    for name in ("large.txt", "endless.txt"):
        command = (*verb.split(), f"{site[0]}/{name}", "--out", "x", "--max-download", "1kB")
        status, complaint = run(capsys, monkeypatch, *command)
        assert status == 2
        assert "1,000 bytes" in complaint
        assert "--max-download" in complaint
        assert sorted(os.listdir(tmp_path)) == ["site", "tmp"]
        assert not os.listdir(tmp_path / "tmp")


@pytest.mark.parametrize("size", ["much", "-1", "0", ""])
def test_an_impossible_limit_is_named(tmp_path, capsys, monkeypatch, size):
    monkeypatch.chdir(tmp_path)
    status, complaint = run(
        capsys, monkeypatch, "prepare", "a.txt", "--out", "x", "--max-download", size
    )
    assert (status, "max-download" in complaint) == (2, True)


def test_what_is_just_as_large_as_allowed_is_read(site, tmp_path):
    (site[1] / "a.txt").write_bytes(LINES)
    assert remote.fetch(f"{site[0]}/a.txt", tmp_path, len(LINES)).read_bytes() == LINES
    assert remote.fetch(f"{site[0]}/chunks.txt", tmp_path, len(LINES)).read_bytes() == LINES
    for name in ("a.txt", "chunks.txt"):
        with pytest.raises(CorpusError, match="more than"):
            remote.fetch(f"{site[0]}/{name}", tmp_path, len(LINES) - 1)


@pytest.mark.parametrize("name", ["endless.txt", "slow-header.txt"])
def test_a_download_has_its_time(site, tmp_path, monkeypatch, name):
    monkeypatch.setattr(remote, "MAX_SECONDS", 0.3)
    started = time.monotonic()
    with pytest.raises(CorpusError, match="longer than"):
        remote.fetch(f"{site[0]}/{name}", tmp_path)
    assert time.monotonic() - started < 30
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


def test_no_redirect_leads_from_a_public_to_a_private_address(site, tmp_path, monkeypatch):
    resolve = socket.getaddrinfo

    def resolve_ours(host, port, *arguments, **settings):
        names = {"outer.example": "127.0.0.1", "inner.example": "10.0.0.1"}
        return resolve(names.get(host, host), port, *arguments, **settings)

    (site[1] / "a.txt").write_bytes(LINES)
    port = site[0].rpartition(":")[2]
    monkeypatch.setattr(socket, "getaddrinfo", resolve_ours)
    monkeypatch.setattr(remote, "is_public", lambda host: host == "127.0.0.1")
    start = f"http://outer.example:{port}/to/http:"
    assert remote.fetch(f"{start}//outer.example:{port}/a.txt", tmp_path).read_bytes() == LINES
    for host in ("inner.example", "10.0.0.1", "[::1]", "169.254.169.254", "0x0a000001"):
        with pytest.raises(CorpusError, match="not public"):
            remote.fetch(f"{start}//{host}:{port}/a.txt", tmp_path)


def test_a_name_is_looked_up_once_for_each_step(site, tmp_path, monkeypatch):
    """Who answers another address the second time does not lead us there."""
    answers = iter(["127.0.0.1", "10.0.0.1", "10.0.0.1"])
    resolve = socket.getaddrinfo

    def resolve_ours(host, port, *arguments, **settings):
        found = next(answers) if host == "turning.example" else host
        return resolve(found, port, *arguments, **settings)

    (site[1] / "a.txt").write_bytes(LINES)
    monkeypatch.setattr(socket, "getaddrinfo", resolve_ours)
    place = site[0].replace("127.0.0.1", "turning.example")
    assert remote.fetch(f"{place}/a.txt", tmp_path).read_bytes() == LINES
    assert next(answers) == "10.0.0.1"


def test_a_mixed_answer_counts_as_public(monkeypatch):
    def resolve(host, port, **_):
        hosts = ["127.0.0.1", "93.184.215.14"] if host == "mixed.example" else ["10.0.0.1"]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (found, port)) for found in hosts]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with ExitStack() as stack:
        route = remote._Route(stack)
        route.enter(Request("http://mixed.example/a.txt"))
        assert route.peers == ["93.184.215.14"]
        with pytest.raises(ConnectionError, match="not public"):
            route.enter(Request("http://inner.example/a.txt"))


def test_where_a_proxy_leads_counts_as_public(monkeypatch):
    def resolve(host, port, **_):
        if host != "inner.example":
            raise socket.gaierror(-2, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    request = Request("http://outer.example/a.txt")
    request.set_proxy("proxy.example:8080", "http")
    with ExitStack() as stack:
        route = remote._Route(stack)
        route.enter(request)
        with pytest.raises(ConnectionError, match="not public"):
            route.enter(Request("http://inner.example/a.txt"))


def test_no_step_leads_down_from_https():
    with ExitStack() as stack:
        route = remote._Route(stack)
        for scheme in ("http", "https", "https"):
            route.enter(Request(f"{scheme}://127.0.0.1/a.txt"))
        with pytest.raises(ConnectionError, match="https to http"):
            route.enter(Request("http://127.0.0.1/a.txt"))


@pytest.mark.parametrize(
    ("host", "public"),
    [
        ("93.184.215.14", True),
        ("2606:2800:21f::1", True),
        ("::ffff:93.184.215.14", True),
        ("64:ff9b::5db8:d70e", True),
        *((private, False) for private in (
            "127.0.0.1", "127.9.9.9", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254",
            "100.64.0.1", "0.0.0.0", "255.255.255.255", "224.0.0.1", "::1", "::", "fe80::1",
            "fe80::1%eth0", "fd00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
            "64:ff9b::7f00:1", "2002:7f00:1::", "2002:a00:1::",
        )),
    ],
)  # fmt: skip
def test_which_addresses_are_public(host, public):
    assert is_public(host) == public


def test_a_proxy_is_used_as_before(site, tmp_path, monkeypatch):
    (site[1] / "a.txt").write_bytes(LINES)
    monkeypatch.delenv("no_proxy")
    monkeypatch.setenv("http_proxy", site[0])
    with pytest.raises(CorpusError, match="404"):  # the folder has no file of that whole address
        remote.fetch("http://nowhere.invalid/a.txt", tmp_path)
