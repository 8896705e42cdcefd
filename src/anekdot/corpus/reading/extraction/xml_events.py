"""XML as a stream of events, with nothing declared, fetched or held."""

from collections.abc import Iterable, Iterator
from xml.parsers import expat

_STEP = 1 << 16  # bytes, of which all events are held

Event = tuple[str, str, dict[str, str]]
"""("start", name, attributes), ("end", name, {}), or ("text", characters, {}). Names stand
without the prefix of their namespace."""


def events(blocks: Iterable[bytes]) -> Iterator[Event]:
    """Yields the events of an XML file.

    Raises:
        ExpatError: It is not well-formed.
        ValueError: It declares entities of its own, with which a small file can become a huge one.
    """
    found: list[Event] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        own = {key.rpartition(":")[2]: value for key, value in attributes.items()}
        found.append(("start", name.rpartition(":")[2], own))

    def declared(name: str, *_: object) -> None:
        raise ValueError(f"it declares the entity {name[:40]!r}, which is not expanded")

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.EndElementHandler = lambda name: found.append(("end", name.rpartition(":")[2], {}))
    parser.CharacterDataHandler = lambda text: found.append(("text", text, {}))
    parser.EntityDeclHandler = declared
    for block in blocks:
        for at in range(0, len(block), _STEP):
            parser.Parse(block[at : at + _STEP], False)
            yield from found
            found.clear()
    parser.Parse(b"", True)
    yield from found
