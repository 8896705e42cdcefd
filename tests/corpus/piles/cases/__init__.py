"""The table of all piles."""

from tests.corpus.piles.case import Case
from tests.corpus.piles.cases import chats, json_shapes, kept, separators, tables

CASES: list[Case] = [
    case for room in (kept, chats, json_shapes, tables, separators) for case in room.CASES
]
