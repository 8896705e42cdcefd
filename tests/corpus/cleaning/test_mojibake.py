import pytest
from hypothesis import given
from hypothesis import strategies as st

from anekdot.corpus.cleaning.mojibake import repair_mojibake
from anekdot.corpus.russian import likelihood

TEXT = (
    "— Привет, Мария! Это я, Иван. Россия — страна чудес… И щедрая душа.\n"
    "Рыба стоит 100 рублей? Ёлка «зелёная», а Яша и Юра — нет.\n"
    "Я."
)
PLAIN = TEXT.translate(str.maketrans("—…«»", '-.""'))


def misread(text, right, wrong):
    """Decodes from the wrong encoding as a browser does: unknown bytes are control characters."""
    data = text.encode(right)
    return "".join(bytes([b]).decode(wrong, "ignore") or chr(b) for b in data)


@pytest.mark.parametrize("wrong", ["cp1251", "cp1252", "latin-1", "koi8-r", "cp866"])
def test_utf8_is_read_again(wrong):
    damaged = misread(TEXT, "utf-8", wrong)
    assert repair_mojibake(damaged) == TEXT
    assert repair_mojibake(damaged.replace("\xa0", " ")) == TEXT


@pytest.mark.parametrize("right", ["cp1251", "koi8-r", "cp866"])
@pytest.mark.parametrize("wrong", ["cp1251", "cp1252", "latin-1", "koi8-r", "cp866"])
def test_a_single_byte_encoding_is_read_again(right, wrong):
    assert repair_mojibake(misread(PLAIN, right, wrong)) == PLAIN


@pytest.mark.parametrize("first", ["cp1251", "cp1252", "latin-1", "koi8-r", "cp866"])
@pytest.mark.parametrize("second", ["cp1251", "cp1252", "latin-1"])
def test_what_was_misread_twice_is_read_again(first, second):
    assert repair_mojibake(misread(misread(TEXT, "utf-8", first), "utf-8", second)) == TEXT


@pytest.mark.parametrize(
    ("damaged", "text"),
    [
        ("РџСЂРёРІРµС‚", "Привет"),
        ("ÐŸÑ€Ð¸Ð²ÐµÑ‚", "Привет"),
        ("Ïðèâåò", "Привет"),
        ("оПХБЕР, ЛХП!", "Привет, мир!"),
        ("рТЙЧЕФ, НЙТ!", "Привет, мир!"),
        ("РТЙЧЕФ, ЛБЛ ДЕМБ?", "привет, как дела?"),
        ("Он сказал: РџСЂРёРІРµС‚ и ушёл.", "Он сказал: Привет и ушёл."),
        ("Он сказал: Ïðèâåò и ушёл.", "Он сказал: Привет и ушёл."),
        ("Честная строка.\nРџСЂРёРІРµС‚\nС…-С… и СССР", "Честная строка.\nПривет\nС…-С… и СССР"),
        ("вЂ” РЇ.\nвЂ” РўС‹!", "— Я.\n— Ты!"),
        ("cafÃ© aÃ±o", "café año"),
        ("Itâ€™s â€œokâ€\x9d", "It’s “ok”"),
        ("Привет рџ‘Ќ", "Привет 👍"),
    ],
)
def test_short_texts(damaged, text):
    assert repair_mojibake(damaged) == text


@pytest.mark.parametrize(
    ("damaged", "text"),
    [
        ("Р РѕСЃСЃРёСЏ Рё Р\xa0СѓСЃСЊ", "Россия и Русь"),  # the no-break space became a space
        ("РРІР°РЅ Рё РњР°СЂРёСЏ", "Иван и Мария"),  # a byte without a character went
        ("Р?СЂРёРЅР° Рё Р\ufffdРІР°РЅ", "Ирина и Иван"),  # or left a sign
        ("РС‚Рѕ РјРѕР№ РґРѕРј", "Это мой дом"),  # a soft hyphen went
        ("Ð? Ð¼Ð°Ñ‚ÑŒ Ñ?ÐºÐ°Ð·Ð°Ð»Ð° Ð½ÐµÑ‚", "А мать сказала нет"),
        ("РћРЅ РїСЂРёС€С‘Р» РІВ РґРѕРј", "Он пришёл в дом"),
    ],
)
def test_lost_bytes_are_guessed(damaged, text):
    assert repair_mojibake(damaged) == text


@pytest.mark.parametrize(
    "text",
    [
        "Обычный русский текст, ничего особенного: №5, 20°C, ±3 §2 — «да»…",
        "СССР», С…С…стой, Р-р-р! Рёбра и Сёстры. В« Москве",
        "ВКонтакте, МосГорСуд, иПхоне, ДжонБой, МВД",
        "ПОМОГИТЕ! ААААА! ЭТО КАПС. МВД, ЧТО ЛИ?",
        "дОБРЫЙ дЕНЬ, кАПС лОК",
        "Він пішов до лісу, їжак і ґава. Рік, Січ, Ріг, Її, Ні, ЄС, Європа",
        "ПРИВІТ! ЇЖАК Є. ҐАНОК",
        "Ён пайшоў у лес, а там воўк. Што ж рабіць? Ўсё!",
        "Љубав је ћутање. Џак ђубрива, њушка. ЉУБАВ ЈЕ ЋУТАЊЕ",
        "Ѕвезда, ѓавол, ќе љубов, ЃЕРЃЕФ",
        "Щъркелът и ъгълът са българи. Ѝ, ѝ.",
        "Қазақша: өте жақсы, ұлы ғалым",
        "Ñandú, Köln, café, naïve, ÀÉÎ, garçon, déjà vu, où, à, Ça, Š, Ž",
        "Straße, Übergröße, äöü ÄÖÜ, Æøå",
        "Það er æðislegt, Ísland, þú ert",
        "Você não, MAÇû, AÇÃO, Ñ»",
        "Việt Nam đất nước",
        "Zażółć gęślą jaźń, Ωμέγα, 漢字, עברית",
        "😀👍🏽 ок 👨\u200d👩\u200d👧",
        "┌──┐\n│ок│\n└──┘",
        "╔═══╗ ░▒▓█▓▒░ ═══════ ─────",
        "¡Hola! ¿Qué tal? £5 ¥6 ©2020 ®™ µm",
        "x² + y³ ≤ 5, √2 ≈ 1,41",
        "А́збука и уда́рения: за́мок, замо́к",
        "—Я —А —В",
        "",
        "\n\n",
    ],
)
def test_honest_texts_stay(text):
    assert repair_mojibake(text) == text


def test_what_has_lost_too_much_stays():
    damaged = misread(TEXT, "utf-8", "latin-1")
    lost = "".join("?" if 0x80 <= ord(c) < 0xA0 else c for c in damaged).split("\n")[0]
    assert repair_mojibake(lost) == lost


cyrillic = st.text(st.sampled_from("абвгдежзийклмнопрстуфхцчшщъыьэюяё АБВГДЕЖЗИРСТЯ—«».,!? \n"))
any_text = (
    st.text(st.characters(codec="cp1251")) | st.text(st.characters(codec="latin-1")) | cyrillic
)


@given(any_text)
def test_repairing_what_is_repaired_changes_nothing(text):
    repaired = repair_mojibake(text)
    assert repair_mojibake(repaired) == repaired


@given(cyrillic, st.sampled_from(["cp1251", "cp1252", "koi8-r", "cp866"]))
def test_misread_text_is_repaired_for_good(text, wrong):
    repaired = repair_mojibake(misread(text, "utf-8", wrong))
    assert repair_mojibake(repaired) == repaired


def test_likelihood_prefers_russian():
    assert likelihood("Привет, мир") > likelihood("Цщждт, щйф")
    assert likelihood("Привет") > likelihood("пРИВЕТ")
