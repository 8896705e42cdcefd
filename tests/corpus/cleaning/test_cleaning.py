import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anekdot.corpus.cleaning import (
    FILTERS,
    REPAIRS,
    RULES,
    check_rules,
    clean,
    is_obscene,
    reason_to_drop,
    repairs,
)
from anekdot.errors import ConfigurationError

nasty = st.text(
    st.sampled_from("аoБ й\u0306\u0301\t\n\r\v\u200b\u2028\xa0\xad\ufeff\x00\ud800—")
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


def test_emoji_that_a_joiner_makes_one_stay_one():
    family = "Семья: 👨\u200d👩\u200d👧, флаг 🏳️\u200d🌈."
    assert clean(family) == family
    assert clean("сло\u200dво") == "слово"


pieces = [
    "&", "amp;", "lt;", "gt;", "#60;", "#x26;", "nbsp;", "<", ">", "</", "b", "<b>", "p", " ", "=",
    "<br>", "<!--", "-->", "<script>", "</script>", "\n", "\r", "\t", "\u200b", "\u200d", "\u0301",
    "\u037e", "и\u0306", "привет", "Р", "С", "Рџ", "СЂ", "вЂ”", "Ð", "Ñ", "Ð¿", "Ñ€", "\x98", "?",
    "Hу", "вoт", "xй", "می", "\u200c", "ක්",
    "Ïðèâåò", "оПХБЕР", "рТЙЧЕФ", "╨Я╤А╨╕", "п÷я─", "РџСЂРёРІРµС‚", "Р РџРЎР‚", "\ud800", "👨",
]  # fmt: skip
piecewise = st.lists(st.sampled_from(pieces), max_size=12).map("".join)


@given(piecewise, st.sets(st.sampled_from(REPAIRS)))
def test_clean_is_idempotent_with_any_rules(text, without):
    cleaned, changed = repairs(text, without)
    assert repairs(cleaned, without) == (cleaned, [])
    assert cleaned == clean(text, without)
    assert not without & set(changed)
    assert bool(changed) == (cleaned != text)


@given(piecewise)
def test_what_was_read_wrongly_ends(text):
    damaged = "".join(
        bytes([byte]).decode("cp1251", "ignore") for byte in text.encode("utf-8", "ignore")
    )
    assert clean(clean(damaged)) == clean(damaged)


@pytest.mark.parametrize(
    ("text", "cleaned", "changed"),
    [
        ("Обычный текст.", "Обычный текст.", []),
        (" Раз \n два ", "Раз\n два", ["spaces"]),
        ("раз\r\nдва", "раз\nдва", ["newlines"]),
        ("и\u0306\u200b", "й", ["invisible", "unicode"]),
        ("&amp;amp;lt;b&amp;gt;Да", "Да", ["html"]),
        ("Р”Р° &amp; РЅРµС‚", "Да & нет", ["mojibake", "html"]),
        ("<br>РЇ РёРґСѓ <3", "Я иду <3", ["mojibake", "html", "spaces"]),
    ],
)
def test_rules_that_changed_a_text_are_named(text, cleaned, changed):
    assert repairs(text) == (cleaned, changed)


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ("mojibake", "РџСЂРёРІРµС‚"),
        ("html", "<b>да</b>&nbsp;нет"),
        ("newlines", "раз\rдва"),
        ("invisible", "сло\xadво"),
        ("unicode", "и\u0306"),
        ("alphabet", "Hу вoт"),
        ("spaces", " раз "),
    ],
)
def test_a_rule_can_be_switched_off(rule, text):
    assert clean(text) != text
    assert clean(text, without=[rule] if rule != "newlines" else ["newlines", "invisible"]) == text


def test_the_rules_are_the_repairs_and_the_filters():
    assert (*REPAIRS, *FILTERS, "prefix") == RULES
    assert len(set(RULES)) == len(RULES)
    check_rules(RULES)
    check_rules([])


@pytest.mark.parametrize(
    ("name", "advice"), [("htm", "Did you mean 'html'"), ("zzzz", "The rules are: mojibake, html")]
)
def test_an_unknown_rule_is_refused_with_the_nearest(name, advice):
    with pytest.raises(ConfigurationError, match=name) as error:
        check_rules(["html", name])
    assert advice in error.value.remedy


def test_filters_and_profanity_are_at_hand():
    assert reason_to_drop("коротко") == "too short"
    assert not is_obscene("коротко")


@pytest.mark.parametrize("text", [" " * 100_000, "\n " * 50_000, "&amp;" * 20_000, "<b" * 50_000])
def test_a_hostile_text_takes_no_longer(text):
    assert len(clean(text)) <= len(text)
