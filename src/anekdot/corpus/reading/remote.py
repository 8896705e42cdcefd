"""Files on other machines, fetched only when their address is named as a source."""

import re
import shutil
from hashlib import blake2b
from http.client import HTTPException
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from anekdot.atomic_files import staged
from anekdot.errors import CorpusError

_PATIENCE = 60  # seconds without a byte


def is_remote(source: Path | str) -> bool:
    """Tells whether a source is an address, such as ``https://example.org/jokes.txt``."""
    return isinstance(source, str) and bool(re.match("https?://", source, re.IGNORECASE))


def address(source: str) -> str:
    """Returns an address as it may be shown: without a password, a key or anything after ``?``.

    >>> address("https://cat:secret@example.org/jokes.txt?key=1")
    'https://example.org/jokes.txt'
    """
    parts = urlsplit(source)
    shown = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
    return "".join(character if character.isprintable() else "\ufffd" for character in shown)


def kept_name(source: Path | str) -> str:
    """Returns a source as it may be written down: of an address, a digest instead of its keys."""
    return f"{address(str(source))}#{_digest(str(source))}" if is_remote(source) else str(source)


def _digest(source: str) -> str:
    return blake2b(source.encode("utf-8", "replace"), digest_size=8).hexdigest()


def fetch(source: str, folder: Path) -> Path:
    """Copies a file from its address into a folder, where it keeps its ending.

    Raises:
        CorpusError: It cannot be fetched.
    """
    try:
        name = re.sub(r"[^\w.-]", "_", PurePosixPath(urlsplit(source).path).name)[-60:]
        path = folder / f"remote-{_digest(source)}-{name}"
        request = Request(source, headers={"User-Agent": "anekdot"})
        with (
            staged(path) as draft,
            urlopen(request, timeout=_PATIENCE) as answer,
            draft.open("wb") as file,
        ):
            shutil.copyfileobj(answer, file, 1 << 20)
            if answer.length:  # http.client ends without a word when the other side does
                raise ConnectionError(f"{answer.length:,} bytes are missing")
    except (OSError, ValueError, HTTPException) as error:
        reason = " ".join(str(error).split()).rstrip(".")
        cause = f"{address(source)} cannot be fetched: {reason}."
        raise CorpusError(cause, "Check the address and the connection.") from error
    return path
