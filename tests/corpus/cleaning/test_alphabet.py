import pytest

from anekdot.corpus.cleaning import clean, repairs
from anekdot.corpus.cleaning.alphabet import repair_alphabet


@pytest.mark.parametrize(
    ("text", "repaired"),
    [
        ("Hу вoт, кoт ушёл в мaгазин", "Ну вот, кот ушёл в магазин"),
        ("говоpит", "говорит"),
        ("MOCКВА и Mocква", "МОСКВА и Москва"),
        ("еxал кaк-тo на MУЛЕ", "ехал как-то на МУЛЕ"),
        ("вcë, ещë", "всё, ещё"),
        ("зáмок", "за\u0301мок"),
        ("за\u0301мoк", "за\u0301мок"),
        ("Кiт i пес", "Кіт i пес"),
        ("USB-кaбель", "USB-кабель"),
        ("кaбель-USB", "кабель-USB"),
        ("ХAMКА", "ХАМКА"),
        ("5oй этаж", "5ой этаж"),
    ],
)
def test_look_alikes_in_russian_words_become_cyrillic(text, repaired):
    assert repair_alphabet(text) == repaired
    assert repair_alphabet(repaired) == repaired


@pytest.mark.parametrize(
    "text",
    [
        "C++ и C#, WiFi, iPhone, USB-кабель, Wi-Fi-роутер",
        "WiFiла, HTMLка, SMSка, TikTokа, iPhoneа",
        "PHPшник, IPшник, XPшный, CEOшный",
        "XXй век, IXго, Iй, ХХI, ХIХ",
        "iПотека",
        "H2О, MP3шка, MIG-29, T-образный, A4-формат",
        "COP OH TOP HAM",
        "Ein Mann, un été",
        "zйро",
        "Ελλάδα",
        "",
    ],
)
def test_all_other_words_stay(text):
    assert repair_alphabet(text) == text


def test_the_rule_is_counted_and_can_be_switched_off():
    assert repairs("Hу вoт") == ("Ну вот", ["alphabet"])
    assert clean("Hу вoт", ["alphabet"]) == "Hу вoт"
