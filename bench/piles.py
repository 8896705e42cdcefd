"""Piles as people have them: how many each reader reads right, silently wrong, or not at all.

    python3 -m venv build/bench
    build/bench/bin/pip install -r bench/piles-peers.txt -e '.[train]'
    build/bench/bin/pip install --no-deps -r bench/piles-readers.txt
    build/bench/bin/python bench/piles.py

The piles are those of tests/corpus/piles. What a peer reads is cleaned and filtered as ours is, so
that only the reading differs. Then the encodings and the wrong decodings of the same texts, beside
the guessers of encodings and the repairers of text.
"""

import logging
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.append(str(Path(__file__).resolve().parents[1]))
os.environ |= {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"}

from cyclopts import App
from piles_peers import READERS, Reader
from tokenizer_tables import version, write

from anekdot.corpus.cleaning import clean, reason_to_drop
from anekdot.corpus.cleaning.mojibake import repair_mojibake
from anekdot.corpus.reading.encodings import decode, detect_encoding
from tests.corpus.piles.case import Case
from tests.corpus.piles.cases import CASES
from tests.corpus.piles.cases.encodings import NAMED, TOGETHER, is_in
from tests.corpus.piles.contents import DIALOGUES, ENGLISH, LANGUAGES, RUSSIAN
from tests.corpus.piles.judge import HELPLESS, REFUSED, RIGHT, WRONG, judge

OURS = "anekdot"
VERDICTS = (RIGHT, REFUSED, HELPLESS, WRONG)
app = App(help="Count what readers read right, and write tables into a Markdown file.")


def ours(case: Case, folder: Path) -> str:
    """Returns our verdict on a case."""
    return judge(case, folder)[0]


def of_peer(case: Case, folder: Path, reader: Reader) -> str:
    """Returns the verdict on a peer: its best answer counts, its exception is a refusal."""
    source = case.write(folder)
    try:
        answers = [*reader(source)]
    except Exception:
        return RIGHT if not case.answers else HELPLESS
    wanted = [Counter(answer.texts) for answer in case.answers]
    return RIGHT if any(Counter(usable(answer)) in wanted for answer in answers) else WRONG


def usable(texts: Iterable[str]) -> Iterator[str]:
    """Yields what is left of texts after our cleaning."""
    for text in map(clean, texts):
        if reason_to_drop(text) is None:
            yield text


def readers() -> dict[str, Callable[[Case, Path], str]]:
    """Returns the readers whose packages are here."""
    found: dict[str, Callable[[Case, Path], str]] = {OURS: ours}
    for name, reader in READERS.items():
        try:
            metadata.version(name)
        except metadata.PackageNotFoundError:
            print(f"{name} is not installed and is left out.")
            continue
        found[name] = lambda case, folder, reader=reader: of_peer(case, folder, reader)  # type: ignore[misc]
    return found


def piles_tables(cases: list[Case]) -> list[str]:
    """Returns the tables of the readers: the shares of the verdicts, and what is right by kind."""
    verdicts = {name: [_judged(judged, case) for case in cases]
                for name, judged in readers().items()}  # fmt: skip
    lines = ["| % of the piles | " + " | ".join(VERDICTS) + " |", "|---" * 5 + "|"]
    for name, found in verdicts.items():
        shares = (f"{100 * found.count(verdict) / len(found):.0f}" for verdict in VERDICTS)
        lines.append(f"| {name}{version(name) if name != OURS else ''} | {' | '.join(shares)} |")
    kinds = sorted(
        {case.fault for case in cases}, key=lambda kind: (kind != "kept", len(kind), kind)
    )
    lines += ["", "| right, of | n | " + " | ".join(verdicts) + " |"]
    lines.append("|---" * (2 + len(verdicts)) + "|")
    for kind in kinds:
        places = [place for place, case in enumerate(cases) if case.fault == kind]
        counts = (sum(found[p] == RIGHT for p in places) for found in verdicts.values())
        lines.append(f"| {kind} | {len(places)} | {' | '.join(map(str, counts))} |")
    return lines


def _judged(judged: Callable[[Case, Path], str], case: Case) -> str:
    with TemporaryDirectory() as folder:
        return judged(case, Path(folder))


def by_us(data: bytes) -> str:
    """Decodes as a text file is decoded."""
    encoding = detect_encoding(data)
    if encoding.startswith(("utf-16", "utf-32")):
        return data.decode(encoding)
    return "".join(decode(data.splitlines(keepends=True), encoding))


def by_chardet(data: bytes) -> str:
    """Decodes by chardet's guess."""
    import chardet

    return data.decode(chardet.detect(data)["encoding"] or "utf-8", "replace")


def by_charset_normalizer(data: bytes) -> str:
    """Decodes by charset-normalizer's best guess."""
    import charset_normalizer

    return str(charset_normalizer.from_bytes(data).best() or "")


GUESSERS = {OURS: by_us, "chardet": by_chardet, "charset-normalizer": by_charset_normalizer}


def encodings_table() -> list[str]:
    """Returns how many texts are decoded right, in a file of all, and each alone."""
    heads = [f"{name}, {how}" for name in GUESSERS for how in ("a file", "a line")]
    lines = ["| % decoded right | " + " | ".join(heads) + " |", "|---" * (1 + len(heads)) + "|"]
    for language, encoding in NAMED:
        texts = [text for text in TOGETHER[language] if is_in(text, encoding)]
        cells = []
        for guess in GUESSERS.values():
            whole = guess("\n".join(texts).encode(encoding)).lstrip("\ufeff").split("\n")
            alone = [guess(text.encode(encoding)).lstrip("\ufeff") for text in texts]
            for found in (whole, alone):
                n_right = sum(a == b for a, b in zip(found, texts, strict=False))
                cells.append(f"{100 * n_right / len(texts):.0f}")
        lines.append(f"| {language}, {encoding} | {' | '.join(cells)} |")
    return lines


def taken(right: str, wrong: str) -> Callable[[str], str]:
    """Returns what takes text in one encoding for another."""
    return lambda text: text.encode(right).decode(wrong)


WRONGS: dict[str, Callable[[str], str]] = {
    "UTF-8 as Latin-1": taken("utf-8", "latin-1"),
    "UTF-8 as cp1251": taken("utf-8", "cp1251"),
    "UTF-8 as cp866": taken("utf-8", "cp866"),
    "UTF-8 as Latin-1, twice": lambda text: WRONGS["UTF-8 as Latin-1"](
        WRONGS["UTF-8 as Latin-1"](text)
    ),
    "cp1251 as Latin-1": taken("cp1251", "latin-1"),
    "koi8-r as cp1251": taken("koi8-r", "cp1251"),
    "cp866 as cp1251": taken("cp866", "cp1251"),
    "nothing wrong": str,
}


def mojibake_table() -> list[str]:
    """Returns how many texts are as they were after they were damaged and repaired."""
    import ftfy

    lines = ["| % as they were | texts | anekdot | ftfy |", "|---" * 4 + "|"]
    honest = [text for language in LANGUAGES.values() for text in language]
    for name, damage in WRONGS.items():
        pairs = []
        for text in [*RUSSIAN, *DIALOGUES, *ENGLISH, *(honest if damage is str else ())]:
            try:
                wrong = damage(text)
            except UnicodeError:
                continue  # it cannot go wrong this way
            if damage is str or wrong != text:
                pairs.append((text, wrong))
        shares = (
            f"{100 * sum(repair(wrong) == text for text, wrong in pairs) / len(pairs):.0f}"
            for repair in (repair_mojibake, ftfy.fix_encoding)
        )
        lines.append(f"| {name} | {len(pairs)} | {' | '.join(shares)} |")
    return lines


@app.default
def main(*, out: Path | None = None) -> None:
    """Print the tables.

    Args:
        out: A Markdown file whose section is replaced, such as bench/RESULTS.md.
    """
    logging.disable(logging.ERROR)
    lines = [
        "## Reading",
        "",
        f"{len(CASES)} piles of tests/corpus/piles, which people's reports and files stand behind. "
        "Of a peer the best of its answers counts, every column and every way to call it; what it "
        "reads is cleaned and filtered as ours is. An exception is a refusal.",
        "",
        *piles_tables(CASES),
        "",
        "### Encodings",
        "",
        *encodings_table(),
        "",
        "### Wrong decoding",
        "",
        f"ftfy{version('ftfy')} by fix_encoding.",
        "",
        *mojibake_table(),
    ]
    print("\n".join(lines))
    if out:
        write(out, lines)


if __name__ == "__main__":
    app()
