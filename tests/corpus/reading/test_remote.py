import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import anekdot
from anekdot.corpus.manifest import Manifest
from anekdot.corpus.reading import read
from anekdot.errors import CorpusError
from tests.support.outcomes import PACK, good, zipped
from tests.support.texts import make_texts

JOKE = "Кот пришёл к врачу и попросил рецепт от понедельников."
LINES = f"{JOKE}\n".encode()


class Handler(SimpleHTTPRequestHandler):
    """Serves a folder in silence; of ``half`` it sends less than it promised."""

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        if not self.path.startswith("/half"):
            super().do_GET()
            return
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(LINES)


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
    ("path", "words"),
    [("missing.txt", "404"), ("half.txt", "bytes are missing"), ("a b\n.txt", "control")],
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
        [*far.files, "manifest.json"]
    )
