import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anekdot.corpus.cleaning import clean
from anekdot.corpus.deduplication.characters import spaced, with_signs
from anekdot.corpus.deduplication.fingerprints import fingerprints
from anekdot.tokenizer.signs import signs
from anekdot.tokenizer.unicode_classes import MARKS

PIECES = [
    "кот",
    "КОТ",
    "ёж",
    "İ",
    "ΣΑΣ",
    "ΟΔΟΣ",
    "𝐇𝐞",
    "🙂",
    "ß",
    "ẞ",
    "_",
    "-",
    "х2",
    "²",
    "٣",
    " ",
    *("लड़का", "लड़की", "กำลัง", "за\u0301мок", "می\u200cخواهد", "小明", "𠮷野", "ガ", "葛\U000e0100"),
    *("\U00011046", "\u094d", "\u0301", "我iPhone", "1\ufe0f\u20e3", "\U0001d165", "e\U0001e8d0"),
]
texts_of_pieces = st.lists(st.sampled_from(PIECES), max_size=12).map(" ".join)


ALL_MARKS = {chr(code) for first, last in MARKS for code in range(first, last + 1)}
SIGNS = {chr(code) for code in signs()}
NOTHING = {*"\u200c\u200d", *map(chr, range(0xFE00, 0xFE10)), *map(chr, range(0xE0100, 0xE01F0))}
NOTHING |= {*"\u180b\u180c\u180d\u180f"}
BLOCKS = "THAI LAO KHMER MYANMAR TAI CJK HIRAGANA KATAKANA BOPOMOFO YI JAVANESE BALINESE"
UNSPACED = (
    *BLOCKS.split(),
    "IDEOGRAPHIC ITER",
    "IDEOGRAPHIC CLOSING",
    "IDEOGRAPHIC NUMBER",
    "HALFWIDTH KATAKANA",
    "KATAKANA-HIRAGANA",
    "NEW TAI",
    "NUSHU",
)


def is_alone(letter: str) -> bool:
    """Whether a letter is of a script without blanks that people write today."""
    is_letter = letter.isalnum() and not letter.isdecimal()
    name = unicodedata.name(letter, "")
    is_old = not 0x16000 <= ord(letter) < 0x20000
    return is_letter and is_old and name.startswith(UNSPACED)


def described(text: str) -> tuple[list[str], str]:
    """Returns the words of a text, and all that makes it the same as another."""
    found, same, ends = [""], "", True
    for letter in with_signs(text).lower():
        if letter in NOTHING:
            continue
        is_mark = letter in ALL_MARKS
        is_private = "\ue000" <= letter <= "\uf8ff"
        if not (is_mark or letter.isalnum() or is_private):
            ends = True
            continue
        same += letter
        if is_mark and letter not in SIGNS and letter < "\U00010000":
            continue
        begins = is_alone(letter) or (not ends and is_alone(found[-1][0]))
        if ends or (begins and not is_mark):
            found.append("")
        found[-1] += letter
        ends = False
    return found[1:], same


def normalise(text: str) -> str:
    return described(text)[1]


def four_grams(text: str) -> set[tuple[str, ...]]:
    sequence, _ = described(text)
    return {tuple(sequence[first : first + 4]) for first in range(len(sequence) - 3)}


@given(st.lists(st.text(max_size=40).map(clean) | texts_of_pieces, max_size=6))
def test_equal_hashes_are_equal_shingles(texts):
    _, hashes, counts = fingerprints(texts)
    assert len(counts) == len(texts)
    assert counts.sum() == len(hashes)
    hash_of: dict[tuple[str, ...], int] = {}
    ends = np.cumsum(counts)
    for text, first, stop in zip(texts, ends - counts, ends, strict=True):
        own = hashes[first:stop].tolist()
        expected = four_grams(text)
        assert len(expected) == len(own)
        assert own == sorted({*own})
        for gram in expected:
            _, single, _ = fingerprints([" ".join(gram)])
            assert single.tolist() == [hash_of.setdefault(gram, int(single[0]))]
            assert int(single[0]) in own
    assert len({*hash_of.values()}) == len(hash_of)


def test_shingles_of_every_character_are_those_of_its_words():
    points = [*range(0xD800), *range(0xE000, 0x110000, 7), *range(0x10000, 0x11000)]
    texts = [f"а{chr(point)}б {chr(point)} в г д" for point in points if point]
    keys, hashes, counts = fingerprints(texts)
    plain_keys, plain, plain_counts = fingerprints([spaced(with_signs(text)) for text in texts])
    assert np.array_equal(counts, plain_counts)
    assert np.array_equal(hashes, plain)
    assert np.array_equal(keys, plain_keys)


@pytest.mark.parametrize("n_words", [0, 3, 4, 5, 3000])
def test_number_of_shingles(n_words):
    _, _, counts = fingerprints([" ".join(f"слово{number}" for number in range(n_words))])
    assert counts.tolist() == [max(0, n_words - 3)]


def test_repeated_shingles_count_once_whatever_the_dress():
    _, hashes, counts = fingerprints(["Да, да! ДА — да; «да» да", "да да да да", "да да да"])
    assert counts.tolist() == [1, 1, 0]
    assert hashes[0] == hashes[1]


def test_no_texts():
    assert [len(part) for part in fingerprints([])] == [0, 0, 0]


@given(st.lists(st.text(max_size=6).map(clean) | texts_of_pieces, max_size=30))
def test_keys_are_equal_where_normal_forms_are(texts):
    keys, _, _ = fingerprints(texts)
    halves = {normalise(text): tuple(key) for text, key in zip(texts, keys.tolist(), strict=True)}
    assert [halves[normalise(text)] for text in texts] == [*map(tuple, keys.tolist())]
    for half in (0, 1):
        assert len({key[half] for key in halves.values()}) == len(halves)


def n_same(*texts: str) -> int:
    """Returns how many of some texts differ from all others before them."""
    return len({*map(tuple, fingerprints(texts).keys.tolist())})


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("लड़का बाज़ार में आम खा रहा था।", "लड़की बाज़ार में आम खा रही थी।"),
        ("เขามา", "เขาม้า"),
        ("2 + 2 = 4", "2 - 2 = 4"),
        ("2 - 2 = 4", "2 2 = 4"),
        ("2*2=4", "2:2=4"),
        ("Жить 5-7 лет", "Жить 57 лет"),
        ("Выпил 1,5 литра", "Выпил 15 литра"),
        ("На улице -5", "На улице 5"),
        ("Учу C++", "Учу C#"),
        ("if a<b: pass", "if a>b: pass"),
        ("Скидка 50%", "Скидка 50"),
        ("Люблю 😀", "Люблю 😡"),
        ("😀 Люблю", "Люблю"),
        ("Цена 5 €", "Цена 5 $"),
        ("<3 тебя", "3 тебя"),
        ("Большой за\u0301мок", "Большой замо\u0301к"),
        ("小明的猫", "小明的狗"),
    ],
)
def test_short_texts_that_a_reader_tells_apart_are_not_the_same(first, second):
    assert n_same(first, second) == 2


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Учу C++", "— Учу C++!"),
        ("Учу C++", "«Учу C++»..."),
        ("Раз\nДва + три", "- Раз\n- Два + три"),
        ("Учу C++", "> Учу C++"),
        ("Учу C++", "## Учу C++"),
        ("2 + 2 = 4", "2+2=4"),
        ("2 – 2", "2-2"),
        ("5 лет", "— 5 лет"),
        ("5 лет", "-5 лет"),
        ("Вовочка — это мы", "Вовочка, это мы?"),
        ("Люблю ❤\ufe0f", "Люблю ❤"),
        ("می\u200cخواهد", "میخواهد"),
        ("слово " * 12 + "a < b", "слово " * 12 + "a > b"),
    ],
)
def test_the_same_in_another_dress_stays_the_same(first, second):
    assert n_same(first, second) == 1


def shared(first: str, second: str) -> tuple[int, int]:
    """Returns how many shingles two texts share, and how many the first has."""
    _, shingles, counts = fingerprints([first, second])
    return len({*shingles[: counts[0]]} & {*shingles[counts[0] :]}), counts[0]


@pytest.mark.parametrize(
    "text",
    [
        "小明问老师：为什么天空是{}蓝色的？老师说：因为它忧郁。",
        "先生、なぜ空は{}青いのですか。それは空が悲しいからだよ。",
        "ครูครับทำไมท้องฟ้าถึงเป็นสี{}ฟ้าเพราะมันเศร้านะสิ",
        "ອາຈານເປັນຫຍັງທ້ອງຟ້າຈຶ່ງເປັນ{}ສີຟ້າເພາະມັນໂສກເສົ້າ",
        "លោកគ្រូហេតុអ្វីបានជាមេឃមាន{}ពណ៌ខៀវពីព្រោះវាសោកសៅ",
        "ဆရာကောင်းကင်ကဘာလို့{}အပြာရောင်လဲဝမ်းနည်းလို့ပေါ့",
    ],
)
def test_scripts_without_blanks_have_shingles_of_letters(text):
    n_shared, n_all = shared(text.format("17"), text.format("99"))
    assert n_all / 2 < n_shared < n_all
    assert shared(text.format(""), "猫が寝ている間に、魚は逃げた。ไม่มีอะไรเหมือนกัน")[0] == 0


def test_stress_makes_no_other_words():
    plain = "Купил ёж замок и повесил его на дверь"
    assert shared(plain, plain.replace("замок", "замо\u0301к"))[0] == 5
