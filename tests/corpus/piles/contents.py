"""The texts that the piles are made of: invented, clean, and unlike one another."""

from tests.support.paths import ROOT

_FOLDER = ROOT / "tests/data/piles"


def _read(name: str) -> str:
    return (_FOLDER / f"{name}.txt").read_text("utf-8").rstrip("\n")


def _blocks(name: str) -> list[str]:
    return _read(name).split("\n%\n")


def _pairs(name: str) -> list[tuple[str, str]]:
    return [(first, second) for first, _, second in (s.partition("\t") for s in _lines(name))]


def _lines(name: str) -> list[str]:
    return _read(name).split("\n")


def _headed(name: str) -> dict[str, str]:
    parts = ("\n" + _read(name)).split("\n# ")[1:]
    return {head: body for head, _, body in (part.partition("\n") for part in parts)}


RUSSIAN = _lines("russian_lines")
DIALOGUES = _blocks("russian_dialogues")
ENGLISH = _lines("english_lines")
ENGLISH_DIALOGUES = _blocks("english_dialogues")
RUSSIAN_PAIRS = _pairs("russian_pairs")
ENGLISH_PAIRS = _pairs("english_pairs")
REFRAINS = _blocks("refrains")
LISTS = _blocks("lists")
PROSE = _blocks("prose")
POEMS = {title: body.split("\n\n") for title, body in _headed("poems").items()}
LANGUAGES = {name: body.split("\n") for name, body in _headed("languages").items()}
JOINED = ("persian", "sinhala")
"""Languages whose words hold characters that join or part letters."""
LOOKALIKES = {name: body.split("\n") for name, body in _headed("russian_more").items()}
MIXED = [text for pair in zip(DIALOGUES[:15], RUSSIAN[:15], strict=True) for text in pair]
"""Dialogues and one-liners in turn."""
VERSE_OF_FIVE = [
    part for text in LANGUAGES["chinese"] for part in text.rstrip("。").split("，") if len(part) > 4
]
"""Lines of Chinese that are short, and yet whole."""

NAMES = sorted({text.split()[1].strip(",").lower() for text in ENGLISH if len(text.split()[1]) > 3})
"""Words of English, as a list of names has them."""


def hyphens(texts: list[str]) -> list[str]:
    """Texts for encodings that have no dash."""
    return [text.replace("—", "-").replace("…", "...") for text in texts]
