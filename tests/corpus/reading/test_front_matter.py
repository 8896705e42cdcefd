import pytest

from anekdot.corpus.reading.front_matter import front_lines, without_front_matter

NOTE = "---\ntags: [смех]\nдата: 2024-01-02\naliases:\n  - ёж\n- кот\n---\nКупил ёж зонт.\n"


@pytest.mark.parametrize(
    ("content", "count"),
    [
        (NOTE, 7),
        (NOTE.replace("\n", "\r\n"), 7),
        ("+++\ntitle = 'Ёж'\n[params]\na.b = 1\n+++\nТекст", 5),
        (NOTE[4:], 0),
        ("---\nКупил ёж зонт.\n---\nКупил кот.\n---\n", 0),
        ("---\nQ: Why?\nA: So.\n---\nQ: Who?\nA: Me.\n", 0),
        ("---\nxxx: ой\nxxx: ай\n---\nВрач: да.\n", 0),
        ("---\ntags: a\n", 0),
        ("", 0),
    ],
)
def test_the_lines_of_front_matter(content, count):
    assert front_lines(content.encode()) == count


def test_single_bytes_name_fields_too():
    assert front_lines(NOTE.encode("cp1251")) == 7


def test_lines_keep_their_numbers():
    blocks = [NOTE.encode(), b"more"]
    assert (
        b"".join(without_front_matter(blocks))
        == b"\n" * 7 + NOTE.encode().splitlines(True)[-1] + b"more"
    )
