"""What is read of a folder, what is not, and that it is said."""

from pathlib import Path
from typing import Any

import pytest

from anekdot.corpus.reading import find_files, pieces, read, read_piece
from anekdot.corpus.reading.names import describe_unread, reason_unread

JOKE = "Кот пришёл к врачу и попросил рецепт от понедельников."
TALK = "— Сосед, вы не спите?\n— Сплю.\n— Тогда сделайте музыку потише!\n"


@pytest.mark.parametrize(
    "name",
    ["id_rsa", "id_ed25519.pub", "a.pem", "b.KEY", "prod.env", "passwords.txt", "Passwords 2.txt",
     "пароли.txt", "my passwords.docx", "credentials.json", "secrets.yml", "client_secret_1.json",
     "authorized_keys", "known_hosts", "api_keys.txt", "tokens.csv", "shadow", "x.kdbx"],
)  # fmt: skip
def test_secrets_are_not_read(name):
    assert reason_unread(f"some/{name}") == "may hold a secret"


@pytest.mark.parametrize(
    "name",
    ["config.ini", "package.json", "package-lock.json", "a.yml", "requirements.txt", "LICENSE",
     "LICENSE.txt", "README.md", "README.ru.md", "Makefile", "bot.py", "index.js", "a.css",
     "requirements-dev.txt", "Dockerfile", "setup.cfg", "tsconfig.json", "poetry.lock"],
)  # fmt: skip
def test_files_of_programs_are_not_read(name):
    assert reason_unread(name) == "belongs to a program"


@pytest.mark.parametrize(
    "name",
    ["anekdoty", "fortune computers", "RU.ANEKDOT.fort", "a.old", "jokes.txt", "a.json", "b.log",
     "keyboard jokes.txt", "licensed to laugh.txt", "token jokes.md", "config jokes.txt"],
)  # fmt: skip
def test_other_names_say_nothing_against_a_file(name):
    assert reason_unread(name) is None


def names(skipped: dict[str, str]) -> dict[str, str]:
    return {Path(name).name: why for name, why in skipped.items()}


def test_the_first_bytes_decide_where_a_name_says_nothing(tmp_path):
    files = {
        "fortunes": JOKE.encode("koi8-r"), "a.old": JOKE.encode(), "wide": JOKE.encode("utf-16"),
        "picture": b"\x89PNG\r\n" + bytes(99), "private": b"-----BEGIN PRIVATE KEY-----\nMII",
        "script": b"#!/bin/sh\necho jokes\n", "nothing": b"", "feed": b"<?xml version='1.0'?><a/>",
    }  # fmt: skip
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    skipped: dict[str, str] = {}
    found = find_files(tmp_path, skipped.__setitem__)
    assert found == [tmp_path / "a.old", tmp_path / "fortunes", tmp_path / "wide"]
    assert names(skipped) == {
        "picture": "no text",
        "private": "may hold a secret",
        "script": "belongs to a program",
        "nothing": "no text",
        "feed": "belongs to a program",
    }


def test_links_that_leave_the_folder_or_lead_to_secrets_are_not_read(tmp_path):
    outside, folder = tmp_path / "outside", tmp_path / "folder"
    outside.mkdir()
    folder.mkdir()
    for name in ("fortunes", "id_rsa"):
        (outside / name).write_text(JOKE, "utf-8")
    (folder / "a.txt").write_text(JOKE, "utf-8")
    (folder / "b").symlink_to(outside / "fortunes")
    (folder / "c.txt").symlink_to(outside / "id_rsa")
    (folder / "more").symlink_to(outside)
    skipped: dict[str, str] = {}
    assert find_files(folder, skipped.__setitem__) == [folder / "a.txt"]
    assert names(skipped) == {
        "b": "leads out of the folder",
        "c.txt": "may hold a secret",
        "more": "a link to a folder",
    }


def test_what_is_not_read_is_said_and_a_named_file_is_read(tmp_path):
    for name in ("a.txt", "passwords.txt", "b.png", "c.png"):
        (tmp_path / name).write_text(f"{JOKE}\n", "utf-8")
    notices: list[str] = []
    assert len([*read(tmp_path, notices.append)]) == 1
    said = "Not read: 2 .png (no text), passwords.txt (may hold a secret). "
    assert f"{said}To include a file, name it." in notices
    assert len([*read(tmp_path / "passwords.txt")]) == 1


def test_many_kinds_are_not_listed_one_by_one():
    unread = {f"a.{letter}": "no text" for letter in "abcdefghijk"}
    assert describe_unread(unread).count("(no text)") == 8
    assert "3 more." in describe_unread(unread)


def texts_of(folder: Path, **named: Any) -> list[str]:
    return [each.text for piece in pieces([folder], **named) for each in read_piece(piece)]


def test_many_small_files_with_a_dialogue_each_are_a_text_each(tmp_path):
    for number in range(12):
        (tmp_path / f"{number:02}.md").write_text(f"Случай {number}.\n{TALK}", "utf-8")
    notices: list[str] = []
    assert len(texts_of(tmp_path, notice=notices.append)) == 12
    assert notices == [f"{tmp_path}/00.md and 11 more: one text a file."]
    assert len(texts_of(tmp_path, separator="line")) == 48


def test_lists_of_jokes_stay_lists(tmp_path):
    for number in range(12):
        (tmp_path / f"{number:02}.txt").write_text(f"{JOKE} {number}\n" * 3, "utf-8")
    assert len(texts_of(tmp_path)) == 36
