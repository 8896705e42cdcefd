"""Files from other machines: over http and https only, within limits of size and of time.

A redirect never leads from a public address to one of this machine or its network, nor from
https down to http; the addresses that were checked are those that are connected to.
"""

import errno
import re
import socket
import ssl
import time
from contextlib import ExitStack, suppress
from http.client import (
    HTTPConnection,
    HTTPException,
    HTTPResponse,
    HTTPSConnection,
    IncompleteRead,
)
from pathlib import Path, PurePosixPath
from threading import Timer
from typing import Any, BinaryIO
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
    UnknownHandler,
)

from anekdot.atomic_files import staged
from anekdot.corpus.reading.addresses import address, digest, host_and_port, is_public, unreachable
from anekdot.errors import CorpusError

MAX_DOWNLOAD = 1 << 30  # bytes of a file, unless the user allows more
MAX_SECONDS = 3600  # that a download may take
IDLE_SECONDS = 60  # without a byte

_BLOCK_BYTES = 1 << 18


def fetch(source: str, folder: Path, max_bytes: int = MAX_DOWNLOAD) -> Path:
    """Downloads a file into a folder, where it keeps its ending.

    Args:
        source: Its address.
        folder: Where it is put, once it is whole.
        max_bytes: The largest that is downloaded.

    Raises:
        CorpusError: It cannot be fetched, or is larger.
    """
    name = re.sub(r"[^\w.-]", "_", PurePosixPath(urlsplit(source).path).name)[-60:]
    path = folder / f"remote-{digest(source)}-{name}"
    with ExitStack() as stack:
        route = _Route(stack)
        try:
            answer = stack.enter_context(_opener(route).open(source, timeout=IDLE_SECONDS))
            if _is_gzip(answer) and path.suffix.lower() != ".gz":
                path = path.with_name(path.name + ".gz")
            with staged(path) as draft, draft.open("wb") as file:
                _copy(answer, file, source, max_bytes)
                route.check_time()
        except (OSError, ValueError, HTTPException) as error:
            if isinstance(error, OSError) and error.errno == errno.ENOSPC:
                raise
            reason = error.reason if type(error) is URLError else error
            raise unreachable(source, route.time_is_up() or reason) from error
    return path


class _Route:
    """The way of a download: the addresses that it may connect to, and the time that it has.

    Args:
        stack: Ends the supervision of the time.
    """

    def __init__(self, stack: ExitStack) -> None:
        self.stack = stack
        self.deadline = time.monotonic() + MAX_SECONDS
        self.is_public = self.is_secure = False
        self.peers: list[str] = []

    def enter(self, request: Request) -> None:
        """Checks where the next request goes, before anything is connected to.

        Raises:
            ConnectionError: It must not go there.
            OSError: The name of the host is not known.
            ValueError: The address is impossible.
        """
        host, port = host_and_port(request.full_url)
        is_secure = request.full_url.lower().startswith("https:")
        if self.is_secure and not is_secure:
            raise ConnectionError("it leads from https to http")
        is_proxied = request.has_proxy() or bool(getattr(request, "_tunnel_host", None))
        try:
            found = [
                str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            ]
        except OSError:
            if not is_proxied:
                raise
            found = []  # only the proxy knows the name
        public = [host for host in found if is_public(host)]
        if self.is_public and len(public) < len(found):
            raise ConnectionError(f"it leads from a public address to {host}, which is not public")
        self.is_public = self.is_public or bool(public) or not found
        self.is_secure = is_secure
        self.peers = [] if is_proxied else public or found

    def connect(self, place: tuple[str, int], timeout: float, *_: Any) -> socket.socket:
        """Connects to an address that was checked, or to the proxy."""
        failure = OSError(f"{place[0]} has no address")
        for host in self.peers or [place[0]]:
            try:
                connection = socket.create_connection((host, place[1]), timeout)
            except OSError as error:
                failure = error
                continue
            watched = self.stack.enter_context(connection.dup())  # TLS takes the other one over
            timer = Timer(self.deadline - time.monotonic(), _shut_down, [watched])
            timer.daemon = True
            self.stack.callback(timer.cancel)
            timer.start()
            return connection
        raise failure

    def time_is_up(self) -> TimeoutError | None:
        """Returns the error of a download that took too long, if this one did."""
        if time.monotonic() < self.deadline:
            return None
        return TimeoutError(f"it takes longer than {MAX_SECONDS:,} seconds")

    def check_time(self) -> None:
        """Raises a TimeoutError if the download took too long."""
        if error := self.time_is_up():
            raise error


class _Http(HTTPHandler):
    def __init__(self, route: _Route) -> None:
        super().__init__()
        self.route = route

    def http_open(self, request: Request) -> HTTPResponse:
        return self.do_open(_connections(self.route, HTTPConnection, request), request)


class _Https(HTTPSHandler):
    def __init__(self, route: _Route) -> None:
        super().__init__()
        self.route = route

    def https_open(self, request: Request) -> HTTPResponse:
        connections = _connections(self.route, HTTPSConnection, request)
        return self.do_open(connections, request, context=ssl.create_default_context())


def _connections(route: _Route, kind: type[HTTPConnection], request: Request) -> Any:
    """Returns what makes the connection of a request, after it was checked."""
    route.enter(request)

    def connection(*arguments: Any, **settings: Any) -> HTTPConnection:
        made: Any = kind(*arguments, **settings)
        made._create_connection = route.connect
        return made  # type: ignore[no-any-return]

    return connection


def _opener(route: _Route) -> OpenerDirector:
    """Returns what opens addresses over http and https, and nothing else."""
    opener = OpenerDirector()
    handlers = (ProxyHandler, UnknownHandler, HTTPDefaultErrorHandler, HTTPRedirectHandler,
                HTTPErrorProcessor)  # fmt: skip
    for handler in (_Http(route), _Https(route), *(kind() for kind in handlers)):
        opener.add_handler(handler)
    opener.addheaders = [("User-Agent", "anekdot")]
    return opener


def _is_gzip(answer: HTTPResponse) -> bool:
    """Whether the body is packed; readers unpack it as they do files, within their limits.

    Raises:
        ConnectionError: In a way that they do not know, or it is not the whole file.
    """
    if answer.status != 200:
        raise ConnectionError(f"the answer is {answer.status} {answer.reason}")
    encoding = (answer.headers.get("Content-Encoding") or "identity").strip().lower()
    if encoding not in ("identity", "gzip", "x-gzip"):
        raise ConnectionError(f"it is sent in the encoding {encoding[:40]!r}, which is not read")
    return encoding != "identity"


def _copy(answer: HTTPResponse, file: BinaryIO, source: str, max_bytes: int) -> None:
    """Writes a body into a file.

    Raises:
        CorpusError: It is too large.
        ConnectionError: It is cut off, or longer than it says.
    """
    left, size = answer.length, 0
    while left != 0 and max(size, left or 0) <= max_bytes:
        try:
            block = answer.read1(_BLOCK_BYTES if left is None else min(_BLOCK_BYTES, left))
        except IncompleteRead as error:
            raise ConnectionError("it is cut off") from error
        if not block:
            break
        size += file.write(block)
        left = None if left is None else left - len(block)
    if max(size, left or 0) > max_bytes:
        raise CorpusError(
            f"{address(source)} has more than {max_bytes:,} bytes.",
            "Allow more with --max-download, such as --max-download 4GiB.",
        )
    if left:  # http.client does not complain when the other side hangs up early
        raise ConnectionError(f"{left:,} bytes are missing")
    if left == 0 and _has_more(answer):
        raise ConnectionError(f"it has more than the {size:,} bytes that it announces")


def _has_more(answer: HTTPResponse) -> bool:
    """Whether bytes follow the announced end; the other side was asked to hang up there."""
    stream: Any = answer.fp  # newer versions of Python hang up themselves
    with suppress(OSError):
        return stream is not None and bool(stream.peek(1))
    return False


def _shut_down(connection: socket.socket) -> None:
    with suppress(OSError):  # it may have ended by itself
        connection.shutdown(socket.SHUT_RDWR)
