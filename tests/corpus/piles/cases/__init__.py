"""The table of all piles."""

from tests.corpus.piles.case import Case
from tests.corpus.piles.cases import (
    chats,
    damage,
    encodings,
    folders,
    json_shapes,
    kept,
    layouts,
    pages,
    ragged,
    separators,
    tables,
    wrappers,
)

_ROOMS = (
    kept,
    pages,
    chats,
    json_shapes,
    tables,
    ragged,
    separators,
    encodings,
    wrappers,
    folders,
    layouts,
    damage,
)
CASES: list[Case] = [case for room in _ROOMS for case in room.CASES]
