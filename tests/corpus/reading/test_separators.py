import pytest

from anekdot.corpus.reading.separators import guess_separator, named_separator
from anekdot.errors import CorpusError


@pytest.mark.parametrize(
    ("content", "separator"),
    [
        ("", "line"),
        ("а\nб\nв", "line"),
        ("а\n\nб\n\nв", "line"),  # both readings give the same
        ("\n\nа\nб\nв\n\n", "line"),
        ("а\nб\n\nв", "blank line"),
        ("а\nб\nв\n\n\nг\nд\nе\n", "blank line"),
        ("реплика\n" * 5 + "\nшутка\n" + "\nреплика\nответ\n" * 9, "blank line"),
        ("шутка\n" * 5 + "\n" + "шутка\n" * 5, "line"),
        ("шутка\n" * 500 + "\n" + "шутка\n" * 3 + "\n\nшутка\n", "line"),
        ("а\nб\n%\nв", "%"),
        ("а\n***\nб\n***\nв", "***"),
        ("* * *\nа\nб\n* * *\nв", "* * *"),
        ("а\n=====\nб\n\nв", "====="),
        ("— Да?\n—\n— Нет.", "line"),
        ("...\nа\n...\nб", "line"),
        ("а\n***\n", "line"),  # nothing is separated
        ("шутка\n" * 300 + "***\n" + "шутка\n" * 300, "line"),  # chapters
        ("100%\nа\n100%\nб", "line"),
        ("<|endoftext|>а<|endoftext|>б", "<|endoftext|>"),
        ("<|startoftext|>а\n<|startoftext|>б", "<|startoftext|>"),
        ("а <|endoftext|> б", "line"),  # somebody writes about it
        ("это <s>кот</s> пёс\nи <s>зебра</s> лошадь", "line"),
    ],
)
def test_guess(content, separator):
    assert guess_separator(content.splitlines(keepends=True)).separator == separator


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ("line", ("line", False)),
        ("blank line", ("blank line", False)),
        ("\\n\\n", ("blank line", False)),
        ("\n", ("line", False)),
        ("\\n\\n\\n", ("2 blank lines", False)),
        ("3 blank lines", ("3 blank lines", False)),
        ("%", ("%", False)),
        (" ### ", ("###", False)),
        ("|||", ("|||", True)),
        ("</s>", ("</s>", True)),
    ],
)
def test_a_named_separator_stands_alone_if_it_does_so_in_the_file(named, expected):
    found = named_separator(named, ["а ||| б\n", "%\n", "### \n"])
    assert (found.separator, found.inline) == expected


@pytest.mark.parametrize("named", ["", "a\nb", "\r"])
def test_a_separator_that_cannot_be(named):
    with pytest.raises(CorpusError, match="cannot separate"):
        named_separator(named, [])
