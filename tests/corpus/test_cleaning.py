import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anekdot.corpus.cleaning import clean, is_obscene, reason_to_drop

nasty = st.text(
    st.sampled_from("аБ й\u0306\u0301\t\n\r\v\u200b\u2028\xa0\xad\ufeff\x00\ud800—")
) | st.text(st.characters())


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("и\u0306", "й"),
        ("и\u200b\u0306", "й"),  # what is removed may part what is composed
        ("раз\r\nдва\rтри\u2028четыре", "раз\nдва\nтри\nчетыре"),
        ("раз\tдва", "раз два"),
        ("\ufeffсло\xadво\x00", "слово"),
        ("раз \xa0\nдва", "раз\nдва"),
        ("раз\n\n \n\t\nдва", "раз\n\nдва"),
        ("\n  раз\n", "раз"),
        ("😀\ud83d", "😀"),
    ],
)
def test_clean(text, cleaned):
    assert clean(text) == cleaned


@given(nasty)
def test_clean_is_idempotent_and_keeps_its_promises(text):
    cleaned = clean(text)
    assert clean(cleaned) == cleaned == unicodedata.normalize("NFC", cleaned)
    assert cleaned == cleaned.strip()
    assert "\n\n\n" not in cleaned
    assert all(line == line.rstrip() for line in cleaned.split("\n"))
    assert not {c for c in cleaned if unicodedata.category(c) in ("Cc", "Cs")} - {"\n"}
    cleaned.encode()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("— ... — ?! — ...", "empty"),
        ("девять зн", "too short"),
        ("десять зна", None),
        ("а" * 20_000, None),
        ("а" * 20_001, "too long"),
    ],
)
def test_reason_to_drop(text, reason):
    assert reason_to_drop(text) == reason


INNOCENT = """
    застраховать застрахуй застрахует подстрахуемся команда оскорблять потребитель хлебать
    колеблется рубля корабля сабля употреблять себя себе тебе ребёнок ребята мебель дебаты небо
    требовать педагог амёба учёба учебный лебедь погреб веб вебинар двоеборье ЕБРД плохую сухую
    тихую глухую психует психуй заштрихуй штрихует худой похудеть ухудшить уху хурма чихуахуа
    усугублять углублять гребля бляха бляшка дебил жеребец поезд оппозиция мандарин себестоимость
    служебный волшебный скребёт стебель серебро Эбола теребить щебень Херсон подхватить
"""

OBSCENE = """
    хуй хуёвый нахуй НАХУЙ похуй дохуя нихуя охуел хуйня захуярить пизда пиздец спиздил пизжу
    ебать ёбаный заебал выебываться отъебись съебался объебать проёб ебло ебучий ёб ебанутый
    уёбище долбоёб мудоёб злоебучий ёбнулся выебоны бляд блядь блять бля бляяя выблядок
"""


@pytest.mark.parametrize("word", INNOCENT.split())
def test_innocent_words(word):
    assert not is_obscene(f"— {word}, {word.upper()} и {word.capitalize()}!")


@pytest.mark.parametrize("word", OBSCENE.split())
def test_obscene_words(word):
    assert is_obscene(f"— Ну {word.capitalize()}!")


def test_emoji_that_a_joiner_makes_one_stay_one():
    family = "Семья: 👨\u200d👩\u200d👧, флаг 🏳️\u200d🌈."
    assert clean(family) == family
    assert clean("сло\u200dво") == "слово"
