import pytest

from anekdot.corpus.reading.csv_rows import joined
from anekdot.corpus.reading.dialects import guess_dialect, is_table, sample_rows
from tests.corpus.piles.contents import RUSSIAN
from tests.corpus.piles.shapes.tables import bare, escaped, quoted, table

NAMES = ("text", "joke")
THIRTY = RUSSIAN[:30]
ROWS = [("id", "text"), *enumerate(THIRTY)]
SPOKEN = [("id", "text"), *((n, f'Он сказал: "{t}", и всё') for n, t in enumerate(THIRTY))]


def lines(content: str) -> list[str]:
    return content.splitlines(keepends=True)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (table(ROWS), (",", False, 0, False)),
        (table(ROWS, "|"), ("|", False, 0, False)),
        (table(SPOKEN), (",", False, 0, False)),
        (escaped(SPOKEN), (",", True, 0, False)),
        (escaped(SPOKEN, ";"), (";", True, 0, False)),
        (escaped([*ROWS, SPOKEN[1]]), (",", True, 0, False)),  # a single row needs it
        (table([*ROWS, (99, 'C:\\"x\\"')]), (",", False, 0, False)),
        (bare(ROWS), (",", False, 0, True)),
        (bare(ROWS[1:]), (",", False, 0, True)),
        ("Выгрузка\n\n" + table(ROWS, ";"), (";", False, 2, False)),
        ("joke\n" + bare([[t] for t in THIRTY]), (",", False, 0, False)),
    ],
)
def test_dialects(content, expected):
    dialect = guess_dialect(lines(content), None, NAMES)
    found = (dialect.delimiter, dialect.escaped, dialect.skip, dialect.is_open)
    assert found == expected


@pytest.mark.parametrize("write", [table, bare, escaped, quoted])
def test_the_rows_of_a_sample(write):
    content = lines("Выгрузка\n\n" + write(ROWS))
    rows = sample_rows(content, guess_dialect(content, None, NAMES))
    assert rows == [[*map(str, row)] for row in ROWS]


def test_a_cell_that_was_split_is_joined_where_it_stands():
    assert joined(["1", "а", " б", " в", "2024"], 3, 1, ",") == ["1", "а, б, в", "2024"]
    assert joined(["1", "а"], 2, 1, ",") == ["1", "а"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (bare(ROWS, "\t"), True),
        (bare(ROWS[1:], "\t"), True),
        (quoted(ROWS), True),
        ("".join(f"{t}\n" for t in THIRTY), False),
        ("".join(f"\t{t}\n" for t in THIRTY), False),
        ("text, joke\n" + "".join(f"{t}\n" for t in THIRTY), False),
        ("а\tб\n", False),
    ],
)
def test_tables_in_text_files(content, expected):
    assert is_table(lines(content), NAMES) is expected
