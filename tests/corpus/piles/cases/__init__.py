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
    separators,
    tables,
    wrappers,
)

_ROOMS = (
    kept,
    chats,
    json_shapes,
    tables,
    separators,
    encodings,
    wrappers,
    folders,
    layouts,
    damage,
)
CASES: list[Case] = [case for room in _ROOMS for case in room.CASES]
