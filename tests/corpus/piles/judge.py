"""Reads a pile as `anekdot prepare` does, and judges what came out.

Print the verdicts; take from the lists what has become better; or write the lists anew:

    python -m tests.corpus.piles.judge [words of a name]
    python -m tests.corpus.piles.judge --write
    python -m tests.corpus.piles.judge --write-anew
"""

import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from anekdot.corpus.cleaning import reason_to_drop, repairs
from anekdot.corpus.config import PreparationConfig
from anekdot.corpus.plan import make_plan
from anekdot.corpus.preparation import collect
from anekdot.corpus.reading import read_piece
from anekdot.corpus.reading.remote import MAX_DOWNLOAD
from anekdot.errors import AnekdotError
from tests.corpus.piles.case import Case
from tests.corpus.piles.cases import CASES

RIGHT = "right"
REFUSED = "refused, and the remedy is right"
HELPLESS = "refused, and no remedy helps"
WRONG = "silently wrong"
LISTS = {
    Path(__file__).with_name("not_yet.txt"): {WRONG, HELPLESS},
    Path(__file__).with_name("refused.txt"): {REFUSED},
}
"""Where the cases stand that have one of these verdicts."""

_FLAG = re.compile(r"--([a-z][a-z-]*)")
_VALUE = re.compile(r"""[ =](?:«([^»]+)»|"([^"]+)"|'([^']+)'|([^\s]+))""")
_QUOTED = re.compile(r"""«([^»]+)»|"([^"]+)"|'([^']+)'""")


@dataclass(frozen=True)
class Reading:
    """What came out of a pile.

    Attributes:
        texts: The texts that are kept; duplicates are not looked for.
        notices: What was said, a sentence each.
        dropped: How many documents were dropped, by reason.
    """

    texts: list[str]
    notices: list[str]
    dropped: Counter[str]


def read_pile(source: Path, flags: Mapping[str, str]) -> Reading:
    """Reads, repairs and filters the documents of a source.

    Raises:
        AnekdotError: It was refused, or no text is left.
    """
    if unknown := {*flags} - {field.name for field in fields(PreparationConfig)}:
        raise AnekdotError(f"There is no flag {unknown}.", "Look at the help.")
    config = PreparationConfig(**flags)
    with tempfile.TemporaryDirectory() as work:
        plan = make_plan([source], Path(work), config, MAX_DOWNLOAD)
        rules = plan.rules
        documents = [d for task in plan.tasks for piece in task for d in read_piece(piece)]
    texts, dropped = [], Counter[str]()
    for document in documents:
        text, _ = repairs(document.text, rules.without)
        reason = document.fault or reason_to_drop(
            text, rules.without, script=rules.script, min_length=rules.min_length
        )
        if reason is None:
            texts.append(text)
        else:
            dropped[reason] += 1
    if not texts:
        with tempfile.TemporaryDirectory() as work:
            collect([source], Path(work), config)  # knows what to say
    return Reading(texts, plan.notices, dropped)


def judge(case: Case, folder: Path) -> tuple[str, str]:
    """Returns the verdict on a case, and what was seen if it is not right."""
    source = case.write(folder)
    try:
        reading = read_pile(source, case.flags)
    except AnekdotError as error:
        return _judge_refusal(case, source, str(error))
    except Exception as error:
        return WRONG, f"{type(error).__name__}: {error}"
    if not case.answers:
        return WRONG, f"it must be refused. {_shown(reading)}"
    if _is_right(case, reading):
        return RIGHT, ""
    return WRONG, f"{_difference(case, reading)} {_shown(reading)}"


def _judge_refusal(case: Case, source: Path, message: str) -> tuple[str, str]:
    if not case.answers:
        return RIGHT, ""
    if case.refusal and re.search(case.refusal, message, re.IGNORECASE):
        return REFUSED, message
    for remedy in remedies(message):
        try:
            reading = read_pile(source, {**case.flags, **remedy})
        except AnekdotError:
            continue
        if _is_right(case, reading, said=False):
            return REFUSED, message
    return HELPLESS, message


def remedies(message: str) -> Iterator[dict[str, str]]:
    """Yields what a message proposes: each flag with its value, or with each name it quotes.

    >>> list(remedies("There are two. Give --column «a», or --column b."))
    [{'column': 'a'}, {'column': 'b'}]
    """
    quoted = ["".join(match.groups("")) for match in _QUOTED.finditer(message)]
    for flag in _FLAG.finditer(message):
        name = flag[1].replace("-", "_")
        value = _VALUE.match(message, flag.end())
        bare = value[4] if value else None
        if value and bare is None:
            yield {name: "".join(value.groups(""))}
        elif bare:
            yield {name: bare.rstrip(".,;:)")}
            yield {name: bare}
            yield from ({name: each} for each in quoted)
        else:
            yield from ({name: each} for each in quoted)


def _is_right(case: Case, reading: Reading, *, said: bool = True) -> bool:
    heard = "\n".join(reading.notices).lower()
    return any(
        Counter(reading.texts) == Counter(answer.texts)
        and (not said or all(word.lower() in heard for word in answer.said))
        for answer in case.answers
    )


def _difference(case: Case, reading: Reading) -> str:
    wanted, found = Counter(case.answers[0].texts), Counter(reading.texts)
    missing, extra = [*(wanted - found)], [*(found - wanted)]
    if not missing and not extra:
        return f"{case.answers[0].said} was not said."
    return (
        f"{wanted.total()} texts wanted, {found.total()} found; "
        f"{len(missing)} missing {missing[:1]!r:.90}, {len(extra)} too many {extra[:1]!r:.90}."
    )


def _shown(reading: Reading) -> str:
    return f"{dict(reading.dropped)} {reading.notices}"


def main(arguments: list[str]) -> None:
    """Prints the verdicts."""
    words = [word for word in arguments if not word.startswith("--")]
    verdicts = {}
    for case in CASES:
        if all(word in f"{case.fault} {case.name}" for word in words):
            with tempfile.TemporaryDirectory() as folder:
                verdicts[case.name] = verdict, why = judge(case, Path(folder))
            if verdict != RIGHT:
                print(f"{case.fault} {verdict}: {case.name}\n    {why}")
    print(Counter(verdict for verdict, _ in verdicts.values()))
    if "--write" in arguments or "--write-anew" in arguments:
        _write({name: verdict for name, (verdict, _) in verdicts.items()}, arguments)


def _write(verdicts: Mapping[str, str], arguments: list[str]) -> None:
    """Writes the lists; only anew may they name a case that neither of them named."""
    before = {path: {*path.read_text("utf-8").splitlines()} for path in LISTS}
    may_stand = verdicts.keys() if "--write-anew" in arguments else set().union(*before.values())
    for path, kinds in LISTS.items():
        judged = {name for name, verdict in verdicts.items() if verdict in kinds} & may_stand
        names = sorted(judged | before[path] - verdicts.keys())
        path.write_text("".join(f"{name}\n" for name in names), "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
