import pytest

from anekdot.cli import protect_leading_hyphens


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["train", "-", "--out", "x"], ["train", "--out", "x", "--", "-"]),
        (["generate", "- Да"], ["generate", "--", "- Да"]),
        (["generate", "-n", "2", "--json"], ["generate", "-n", "2", "--json"]),
        (["generate", "--temperature", "-1"], ["generate", "--temperature", "-1"]),
        (["generate", "--", "-n"], ["generate", "--", "-n"]),
        (["generate", "-5 градусов"], ["generate", "--", "-5 градусов"]),
        (["generate", "-Кот", "-n", "2"], ["generate", "-n", "2", "--", "-Кот"]),
        (["evaluate", "m", "--texts", "-"], ["evaluate", "m", "--texts", "-"]),
        (["generate", "--Привет"], ["generate", "--", "--Привет"]),
        ([], []),
    ],
)
def test_texts_with_hyphens_are_distinguished_from_flags(given, expected):
    assert protect_leading_hyphens(given) == expected
