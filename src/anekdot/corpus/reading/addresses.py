"""Addresses of files on other machines: whether they can be, how they are shown, where they lead.

Nothing here makes a connection.
"""

import re
from hashlib import blake2b
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any
from urllib.parse import urlsplit

from anekdot.errors import CorpusError

_NAT64 = ip_network("64:ff9b::/96")


def is_remote(source: object) -> bool:
    """Whether a source is an address, such as ``https://example.org/jokes.txt``."""
    return isinstance(source, str) and bool(re.match("https?://", source, re.IGNORECASE))


def address(source: str) -> str:
    """Returns an address as it may be shown: without a password, a key or anything after ``?``.

    >>> address("https://cat:secret@example.org/jokes.txt?key=1")
    'https://example.org/jokes.txt'
    """
    try:
        parts = urlsplit(source)
        scheme, netloc, path = parts.scheme, parts.netloc, parts.path
    except ValueError:  # impossible, but to be shown
        scheme, _, rest = re.split("[?#]", source)[0].partition("://")
        netloc, slash, path = rest.partition("/")
        path = slash + path
    shown = f"{scheme}://{netloc.rpartition('@')[2]}{path}"
    return "".join(character if character.isprintable() else "\ufffd" for character in shown)


def kept_name(source: object) -> str:
    """Returns a source as it may be written down: an address has a hash instead of its keys."""
    return f"{address(str(source))}#{digest(str(source))}" if is_remote(source) else str(source)


def check_address(source: str) -> None:
    """Raises a CorpusError if nothing can have this address; no connection is made."""
    try:
        host_and_port(source)
    except ValueError as error:
        raise unreachable(source, error) from error


def host_and_port(source: str) -> tuple[str, int]:
    """Returns where an address leads.

    Raises:
        ValueError: Nowhere.
    """
    parts = urlsplit(source)
    if "@" in parts.netloc:
        raise ValueError("a name or password in an address is not supported")
    if not parts.hostname:
        raise ValueError("it names no host")
    parts.hostname.encode("idna")
    port = parts.port
    if port == 0:
        raise ValueError("the port is 0")
    return parts.hostname, port or (443 if parts.scheme == "https" else 80)


def is_public(host: str) -> bool:
    """Whether an address belongs to the whole net, rather than to a machine or its network."""
    found = ip_address(host)
    if isinstance(found, IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour
        if inner is None and found in _NAT64:
            inner = ip_address(int(found) & 0xFFFFFFFF)  # type: ignore[assignment]
        return is_public(str(inner)) if inner is not None else _is_global(found)
    return _is_global(found)


def _is_global(found: Any) -> bool:
    return bool(found.is_global and not found.is_multicast)


def unreachable(source: str, error: BaseException | str) -> CorpusError:
    """Returns the error of a file that cannot be fetched."""
    reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
    return CorpusError(
        f"{address(source)} cannot be fetched: {reason}.", "Check the address and the connection."
    )


def digest(source: str) -> str:
    """Returns what tells addresses apart without showing them."""
    return blake2b(source.encode("utf-8", "replace"), digest_size=8).hexdigest()
