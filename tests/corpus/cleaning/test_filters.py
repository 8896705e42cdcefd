import pytest

from anekdot.corpus.cleaning.filters import (
    _MAX_DISTANCE,
    _MAX_WORDS,
    FILTERS,
    SCRIPTS,
    is_advertisement,
    is_in_script,
    is_only_links,
    reason_to_drop,
)
from anekdot.errors import ConfigurationError


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("— ... — ?! — ...", "empty"),
        ("девять зн", "too short"),
        ("десять зна", None),
        ("床前明月光", None),
        ("床前明月", "too short"),
        ("さくらさく", None),
        ("안녕하세요", None),
        ("𠮷野家𠮷野", None),
        ("小明 abcd", "too short"),
        ("กินข้าวไห", "too short"),
        ("а" * 20_000, None),
        ("а" * 20_001, "too long"),
        ("Смотри: https://example.org/anekdot", "link"),
        ("Подписывайтесь на канал https://example.org/c и получайте шутки!", "advertisement"),
    ],
)
def test_reason_to_drop(text, reason):
    assert reason_to_drop(text) == reason
    assert reason is None or reason in FILTERS
    assert reason_to_drop(text, without=FILTERS) is None


def test_a_filter_that_is_switched_off_leaves_the_next():
    assert reason_to_drop("...", without=["empty"]) == "too short"
    assert reason_to_drop("https://a.ru", without=["link"]) is None


def test_the_limit_may_be_another():
    assert reason_to_drop("Ann", min_length=3) is None
    assert reason_to_drop("Al", min_length=3) == "too short"


def test_a_script_is_asked_for():
    text = "The quick brown fox"
    assert reason_to_drop(text) is None
    assert reason_to_drop(text, script="latin") is None
    assert reason_to_drop(text, script="cyrillic") == "wrong script"
    assert reason_to_drop(text, without=["wrong script"], script="cyrillic") is None


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("Привет, iPhone!", "cyrillic"),
        ("Њушка ђака, їжак і ґава", "cyrillic"),
        ("Zażółć gęślą jaźń", "latin"),
        ("Ελλάδα", "greek"),
        ("שלום", "hebrew"),
        ("漢字", "cjk"),
        ("12345", "cyrillic"),
        ("ок ok", "latin"),
        ("ок ok", "cyrillic"),
    ],
)
def test_is_in_script(text, script):
    assert is_in_script(text, script)


@pytest.mark.parametrize("script", [s for s in SCRIPTS if s != "cyrillic"])
def test_russian_is_in_no_other_script(script):
    assert not is_in_script("Привет, мир!", script)


def test_an_unknown_script_is_refused():
    with pytest.raises(ConfigurationError, match=r"'russian'.*cyrillic"):
        is_in_script("Привет", "russian")


@pytest.mark.parametrize(
    "text",
    [
        "https://example.org/a?b=c#d",
        "www.example.org",
        "example.ru/anekdot",
        "анекдоты.рф",
        "Читать: http://example.org http://example.com",
        "#юмор #анекдот #смешно @petya",
        "vasya.pupkin@example.org",
        "Источник: t.me/example",
    ],
)
def test_nothing_but_links(text):
    assert is_only_links(text)


@pytest.mark.parametrize(
    "text",
    [
        "Просто короткий текст",
        "Сайт www.example.org сегодня не работал.",
        "Встречаются как-то @petya и @vasya.",
        "5 # 6",
        "a@b",
        "Он сказал.ру и ушёл",
        "Программист пишет на C#",
        "Раз.Два.Три",
    ],
)
def test_more_than_links(text):
    assert not is_only_links(text)


@pytest.mark.parametrize(
    "text",
    [
        "Подписывайтесь на наш канал: https://t.me/example",
        "Больше анекдотов на сайте www.example.org!",
        "Купить окна недорого: 8 (495) 123-45-67, доставка бесплатно.",
        "Звоните прямо сейчас: +7 900 123-45-67",
        "Свежие анекдоты у нас: @example_channel",
        "Вступайте в группу, ссылка в описании!",
        "Переходи по ссылке example.ru и забирай скидку",
        "Закажи суши на example.com",
        "Промокод СМЕХ на www.example.org",
        "Штирлиц шёл по лесу.\n\nЖми https://example.org",
    ],
)
def test_advertisements(text):
    assert is_advertisement(text)


@pytest.mark.parametrize(
    "text",
    [
        "— Подписывайтесь на мой канал! — крикнул Суэц Панаме.",
        "Реклама: «Купите слона!» — «Все говорят: купите слона...»",
        "— Почём рыба? — По скидке. — А без скидки? — Тоже рыба.",
        "Объявление: продам дом. Звоните, тел. 02.",
        "Звонок: — Это 123-45-67? — Нет, это 123-45-68. — А чего трубку берёте?",
        "Вовочка скачал реферат с сайта, а там подпись: «Вася, 5 Б».",
        "— Алло, милиция? Заберите тёщу! — Переходите на самовывоз.",
        "Программист зашёл на www.example.org и не вышел.",
        "— Дай почту. — vasya@example.org. — Да нет, газету!",
        "Решил бросить пить. Зашёл на сайт трезвость.рф — ошибка 404.",
        "Реклама по телевизору: «Ваша киска купила бы...»",
        "Заходит улитка в бар: — Можно виски с колой?",
        "Доставка пиццы: — Вам бесплатная доставка. — А пицца? — А пицца платная.",
        "Распродажа совести: остались последние размеры.",
        "Мужик звонит в магазин: — У вас есть 100 воздушных шаров?",
        "В 2005 году 8 мужиков и 900 баб за 30 минут съели 25 арбузов.",
        "8 800 рублей и 555 35 копеек заплатил Иванов.",
        "— Ты зачем @ написал? — Собака пробегала. Закажи ей кость.",
        "Новый русский решил купить самолёт и купил аэропорт.",
        "Хакер вступает в брак. Священник: — Пароль? — Люблю. — Слишком короткий.",
        "Бабушка подписалась на Netflix и ждёт, когда принесут.",
        "Надпись на заборе: «Больше не пиши на мне».",
        "Сынок, переходи дорогу по зебре, а не по бабушке.",
        "Скидка 50% на правую лыжу.",
    ],
)
def test_jokes_about_advertising_stay(text):
    assert not is_advertisement(text)
    assert reason_to_drop(text) is None


@pytest.mark.parametrize("place", ["https://example.org/1 {}", "{} https://example.org/1"])
def test_a_few_words_beside_a_link_are_nothing_but_a_link(place):
    assert is_only_links(place.format("слово " * _MAX_WORDS))
    assert not is_only_links(place.format("слово " * (_MAX_WORDS + 1)))


@pytest.mark.parametrize(("extra", "near"), [(0, True), (1, False), (_MAX_DISTANCE, False)])
def test_a_call_far_from_the_link_is_none(extra, near):
    call = "Купить"
    between = "а" * (_MAX_DISTANCE - len(call) - 2 + extra)
    story = "Жил-был кот. " * 30
    assert is_advertisement(f"{call} {between} www.example.org {story}") == near
    assert is_advertisement(f"{story} {call} {between} www.example.org") == near
    assert is_advertisement(f"{story} www.example.org {between} {call}") == near
