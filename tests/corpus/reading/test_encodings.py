from itertools import cycle, islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anekdot.corpus.reading.encodings import decode, detect_encoding
from anekdot.corpus.russian import SINGLE_BYTE, likeliest

CYRILLIC = [encoding for encoding in SINGLE_BYTE if encoding != "cp1252"]
TEXTS = [
    "Кот пришёл к врачу и жалуется, что мыши перестали его бояться.",
    "— Почему ты опоздал на экзамен? — Я ждал, пока профессор забудет вопросы.",
    "Программист чинит чайник второй день: чайник требует обновления.",
    "Бабушка купила компьютер и вяжет ему чехол, чтобы не простудился.",
    "Студент спрашивает: «А если я всё выучу, мне дадут другой билет?»",
    "Сосед играет на трубе так тихо, что слышно, как плачут его гости.",
    "Идёт по пустыне верблюд и думает: зачем мне столько воды?",
    "В аптеке: — У вас есть что-нибудь от жадности? И побольше, побольше!",
    "Шахматист выиграл у себя и неделю с собой не разговаривал.",
    "Муж вернулся из командировки, а дома ремонт: никто его не узнал.",
    "ОБЪЯВЛЕНИЕ: ПРОДАЁТСЯ ГАРАЖ БЕЗ КРЫШИ, НО С ХОРОШИМ ВИДОМ НА НЕБО.",
    "Рыбак поймал золотую рыбку и третий час объясняет ей, чего хочет жена.",
    "Йога научила меня терпению, а терпение — пропускать йогу.",
    "Доктор, я забываю всё через минуту! — Давно это с вами? — Что?",
]
WORDS = sorted({word for text in TEXTS for word in text.split() if word.isalpha()})


@pytest.mark.parametrize("encoding", CYRILLIC)
def test_a_file_is_known(encoding):
    data = "\n".join(TEXTS).encode(encoding, "replace")
    assert detect_encoding(data) == encoding
    assert decode(data.splitlines(), encoding) == data.decode(encoding).splitlines()


@pytest.mark.parametrize("encoding", CYRILLIC)
@pytest.mark.parametrize("prior", ["utf-8", "koi8-r"])
def test_a_line_is_known_whatever_its_file(encoding, prior):
    if encoding == "mac-cyrillic" and prior != "utf-8":
        pytest.skip(
            "a single line of this encoding is also good cp1251: only a file of several can tell"
        )
    lines = [text.encode(encoding, "replace") for text in TEXTS]
    assert decode(lines, prior) == [line.decode(encoding) for line in lines]


@pytest.mark.parametrize("encoding", CYRILLIC)
def test_a_short_line_follows_its_file(encoding):
    lines = [word.encode(encoding) for word in WORDS]
    right = sum(text == word for text, word in zip(decode(lines, encoding), WORDS, strict=True))
    assert right >= 0.97 * len(WORDS)


@pytest.mark.parametrize("encoding", CYRILLIC)
def test_files_of_a_few_words_are_known(encoding):
    texts = [" ".join(islice(cycle(WORDS), place, place + 7)) for place in range(len(WORDS))]
    data = [text.encode(encoding) for text in texts]
    right = sum(
        decode([line], detect_encoding(line)) == [text]
        for line, text in zip(data, texts, strict=True)
    )
    assert right >= 0.97 * len(texts)


def test_lines_of_two_encodings():
    lines = [TEXTS[0].encode(), TEXTS[1].encode("cp1251"), TEXTS[2].encode("cp866"), b"ASCII"]
    assert decode(lines, detect_encoding(b"\n".join(lines))) == [*TEXTS[:3], "ASCII"]


def test_utf8_by_accident_is_no_utf8():
    lines = [word.encode("cp866") for word in ("там", "сам", "рак")]
    assert [len(line.decode()) for line in lines] == [1, 1, 1]
    assert decode(lines, "cp866") == ["там", "сам", "рак"]
    emoji = "Кот 😺 спит".encode()
    assert decode([emoji, "«Да»".encode(), "😺".encode()], "cp866") == ["Кот 😺 спит", "«Да»", "😺"]


def test_damaged_utf8_stays_utf8():
    damaged = TEXTS[0][:9].encode() + b"\xff" + TEXTS[0][9:].encode()
    for encoding in ("utf-8", "cp1251"):
        assert decode([damaged], encoding)[0].replace("\ufffd", "") == TEXTS[0]
    cut = TEXTS[0].encode()[:-2]
    assert detect_encoding(cut) == "utf-8"


@pytest.mark.parametrize("lost", [1, 2, 3])
def test_a_file_that_ends_inside_a_character_is_utf8(lost):
    assert detect_encoding(f'{{"text": "{TEXTS[0]}"}}\n{{"text": "🐈'.encode()[:-lost]) == "utf-8"


@pytest.mark.parametrize("text", ["Le café est fermé.", "Straße nach Köln", "El Niño, señor"])
def test_western_text(text):
    assert detect_encoding(text.encode("cp1252")) == "cp1252"
    assert decode([text.encode("cp1252")], "utf-8") == [text]


@pytest.mark.parametrize(
    "text", ["Купил IBM PC и Windows 95 для жены.", "Группа ABBA поёт «Waterloo»"]
)
def test_latin_words_in_russian(text):
    for encoding in ("cp1251", "koi8-r", "cp866"):
        line = text.replace("«", '"').replace("»", '"').encode(encoding)
        assert decode([line], "utf-8") == [line.decode(encoding)]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize(
    "text", ["Кот спит.\nПёс ест.\n", "A cat sat.\n", "Да\n", "— Ну и что?\r\n"]
)
def test_utf16_without_a_mark(encoding, text):
    assert detect_encoding(text.encode(encoding)) == encoding


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_marks(encoding):
    assert detect_encoding(("\ufeff" + TEXTS[0]).encode(encoding)) == encoding


@pytest.mark.parametrize("data", [b"", b"\n", b"ASCII", "Ещё".encode(), b"\0\0\0\0", b" \0"])
def test_what_is_utf8(data):
    assert detect_encoding(data) == "utf-8"


@given(
    lines=st.lists(
        st.one_of(
            st.binary(max_size=20),
            st.builds(str.encode, st.sampled_from(WORDS), st.sampled_from([*CYRILLIC, "utf-8"])),
        ),
        max_size=20,
    ),
    encoding=st.sampled_from(["utf-8", *SINGLE_BYTE]),
)
def test_a_line_is_decoded_by_itself(lines, encoding):
    lines = [line.replace(b"\n", b"").replace(b"\r", b"") for line in lines]
    alone = [decode([line], encoding)[0] for line in lines]
    assert decode(lines, encoding) == alone


def test_likeliest_of_nothing():
    assert likeliest([], None) == []
