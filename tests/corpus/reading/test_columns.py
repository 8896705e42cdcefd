import pytest

from anekdot.corpus.reading.columns import choose, distinct_letters, split_column

JOKES = [f"Кот {word} спит и видит сны." for word in ("рыжий", "серый", "белый", "злой", "мой")]
HALVES = [f"Что делает {word} пёс?" for word in ("рыжий", "серый", "белый", "злой", "мой")]
ENGLISH = [f"The {word} cat sleeps and sees a very long dream." for word in ("red", "old", "fat")]
NOTES = [
    f"Длинная заметка о том, как {name} искал очки." for name in ("Олег", "Яков", "Юрий", "Марк")
]
A_DOZEN = "abcdefghijkl"
CHOICES = {
    # name: columns, the column, others, unread
    "a known name": ({"note": NOTES, "text": JOKES}, "text", (), ("note",)),
    "other letters": ({"note": NOTES, "Joke Text": JOKES}, "Joke Text", (), ("note",)),
    "a known name that is blank": ({"text": [], "q": JOKES}, "q", (), ()),
    "a known name of links": ({"text": ["https://example.org/a"] * 5, "q": JOKES}, "q", (), ()),
    "a known name of one word": ({"message": ["ok"] * 5, "q": JOKES}, "q", (), ()),
    "the surer name": ({"body": JOKES, "joke": HALVES}, "joke", (), ("body",)),
    "a name inside another": ({"text_id": HALVES, "q": JOKES}, "q", (), ("text_id",)),
    "a name below another": (
        {"author.name": JOKES, "tweet.full_text": HALVES}, "tweet.full_text", (), ("author.name",),
    ),
    "two languages": ({"text_en": ENGLISH, "text_ru": JOKES}, "text_ru", (), ("text_en",)),
    "the same twice": ({"html": [f"«{text}»" for text in JOKES], "text": JOKES}, "text", (), ()),
    "numbers": ({"a": [f"Сообщение номер {n}" for n in range(9)], "b": JOKES}, "b", (), ()),
    "paths": ({"a": [f"/home/cat/page_{c}/one" for c in A_DOZEN], "b": ["Мяу"]}, "b", (), ()),
    "base64": ({"a": [c * 400 for c in A_DOZEN], "b": JOKES}, "b", (), ()),
    "a pair": ({"setup": HALVES, "punchline": JOKES}, "setup,punchline", (), ()),
    "a pair with capitals": ({"Question": HALVES, "Answer": JOKES}, "Question,Answer", (), ()),
    "a pair below a key": (
        {"data.title": HALVES, "data.body": JOKES}, "data.title,data.body", (), (),
    ),
    "half of a pair": ({"question": HALVES, "text": JOKES}, "text", (), ("question",)),
    "a constant half": (
        {"prompt": ["Расскажи анекдот"] * 5, "completion": JOKES}, "completion", (), ("prompt",),
    ),
    "three that make one": (
        {"instruction": HALVES, "input": JOKES, "output": [text[:9] for text in JOKES]},
        "instruction,input,output", (), (),
    ),
    "one of several in each row": (
        {"text": JOKES[:2], "joke": JOKES[2:4], "body": JOKES[4:]}, "text", ("joke", "body"), (),
    ),
    "names alone": ({"name": ["Anna", "Boris"], "id": ["1", "2"]}, "name", (), ()),
}  # fmt: skip


@pytest.mark.parametrize(("columns", "column", "others", "left"), CHOICES.values(), ids=CHOICES)
def test_the_columns_of_the_texts(columns, column, others, left):
    counts = {name: len(texts) for name, texts in columns.items()}
    rows = sum(counts.values()) if others else max(counts.values())
    choice = choose(columns, counts, rows)
    assert (choice.column, choice.others, choice.left) == (column, others, left)


def test_no_column_has_letters():
    assert choose({"a": ["1", "2"], "b": []}, {"a": 2, "b": 0}, 2) is None
    assert choose({}, {}, 0) is None


def test_letters_of_equal_texts_count_once():
    assert distinct_letters(["A cat sleeps", "a cat sleeps!", "A cat sleeps 2"]) == 10
    assert distinct_letters(["https://example.org", "C:\\cats\\мой кот\\1", "deadbeef01"]) == 0


def test_a_name_with_a_comma():
    assert split_column("a,b", ["a,b", "a"]) == ["a,b"]
    assert split_column("a, b", ["a", "b"]) == ["a", "b"]
