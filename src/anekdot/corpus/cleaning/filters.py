"""Why a text is of no use for training: pure functions of one cleaned text."""

import re
from collections.abc import Collection
from functools import lru_cache

from anekdot.errors import ConfigurationError
from anekdot.tokenizer.statistics import script_of

MIN_LENGTH = 10
"""The shortest text worth keeping, in characters; ideographs, kana and Hangul count double."""

MAX_LENGTH = 20_000
"""The longest text that is still one short text, in characters."""

FILTERS = ("empty", "too short", "too long", "wrong script", "link", "advertisement")
"""The reasons for which a text is dropped, in the order in which they are looked for."""

_MAX_WORDS = 3  # that links may have around them
_MAX_DISTANCE = 150  # characters between a call and the place that it names

_DOMAIN = "(?:ru|рф|com|me|net|org|su|by|ua|kz|info)"
# A search for a set of characters is fast, so that ordinary texts pay little.
_MAYBE_LINK = re.compile(
    rf"[@#:.](?:(?<=[@#])\w|(?<=:)//|(?<=www\.)\w|(?<=\.){_DOMAIN}\b)", re.IGNORECASE
)
_MAYBE_PHONE = re.compile(r"[78][\s(-]{0,2}\d{3}[\s)-]{0,2}\d{3}")
_LINK = re.compile(
    rf"""(?:https?|ftp)://\S+ | \bwww\.\S+ | (?<![\w.+-])[\w.+-]+@[\w-]+\.[\w.-]+
  | (?<!\w)[@#]\w+
  | (?<![\w@.])(?:[\w-]+\.)+{_DOMAIN}\b(?:/\S*)?""",
    re.VERBOSE | re.IGNORECASE,
)
_WORD = re.compile(r"[^\W_]+")
_WIDE = re.compile(
    "[\u1100-\u11ff\u3005-\u3007\u3040-\u30ff\u3100-\u31ff\u3400-\u4dbf\u4e00-\ua4cf"
    "\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]"
)

_WHERE_TO = re.compile(
    rf"""https?://\S+ | \bwww\.\w\S+ | \bt\.me/\w+ | (?<![\w.])@[A-Za-z]\w{{3,}}
  | (?<![\w@.])(?:[\w-]+\.)+{_DOMAIN}\b
  | (?<![\d-])(?:\+7|8)[\s(-]{{0,2}}\d{{3}}[\s)-]{{0,2}}\d{{3}}[\s-]?\d\d[\s-]?\d\d(?![\d-])
  | \bссылк[аеиу]\ (?:в|ниже\ в|под)\ (?:профил|описани|комментари|шапк|закреп)""",
    re.VERBOSE | re.IGNORECASE,
)
_CALL = re.compile(
    r"""\bподпи(?:сыва(?:йтесь|йся|емся)|шись|шитесь)\b | \bвступай(?:те)?\b
  | \b(?:пере|за)ход(?:и|ите)\b | \bприсоединя(?:йся|йтесь)\b | \b(?:жми|кликай|тыкай)(?:те)?\b
  | \b(?:купить|закажи(?:те)?|заказ(?:ать|ывай(?:те)?)|покупай(?:те)?|скачать|скачай(?:те)?)\b
  | \bзвоните\b | \bпишите\ (?:в|на)\b | \bпромокод\b | \bскидк[аиу]\b | \bраспродажа\b
  | \bбесплатн(?:ая|ую)\ (?:доставк|консультаци) | \bпо\ (?:этой\ )?ссылке\b
  | \b(?:больше|ещё|еще|другие|лучшие|свежие)\ (?:анекдот|шут|прикол|истори|юмор)\w*
    \ (?:на|в|у|тут|здесь)\b
  | \bнаш(?:ем|ём|его|ему)?\ (?:телеграм|канал|паблик|сайт|групп)""",
    re.VERBOSE | re.IGNORECASE,
)

SCRIPTS = (
    "arabic", "armenian", "bengali", "cjk", "cyrillic", "devanagari", "ethiopic", "georgian",
    "greek", "hangul", "hebrew", "hiragana", "katakana", "khmer", "latin", "tamil", "thai",
)  # fmt: skip
"""Scripts that texts can be required to be in."""


def reason_to_drop(
    text: str,
    without: Collection[str] = (),
    *,
    script: str | None = None,
    min_length: int = MIN_LENGTH,
) -> str | None:
    """Returns why a cleaned text is of no use for training, or None if it is.

    Args:
        text: A cleaned text.
        without: Reasons that are switched off.
        script: The script that texts shall be in; see `is_in_script`.
        min_length: The shortest text to keep; see `length`.

    Returns:
        The first of FILTERS that holds: "empty" (no letter and no digit), "too short",
        "too long", "wrong script", "link" (nothing but links), "advertisement"; or None.

    >>> reason_to_drop("— ... — ?! — ...")
    'empty'
    """
    for name in FILTERS:
        if name not in without and _holds(name, text, script, min_length):
            return name
    return None


def length(text: str) -> int:
    """Returns the length of a text in characters; of which a Chinese one says twice as much.

    >>> length("кот"), length("小明问老师")
    (3, 10)
    """
    return len(text) + len(_WIDE.findall(text))


def _holds(name: str, text: str, script: str | None, min_length: int) -> bool:
    match name:
        case "empty":
            return not any(map(str.isalnum, text))
        case "too short":
            return len(text) < min_length and length(text) < min_length
        case "too long":
            return len(text) > MAX_LENGTH
        case "wrong script":
            return script is not None and not is_in_script(text, script)
        case "link":
            return is_only_links(text)
        case _:
            return is_advertisement(text)


def is_in_script(text: str, script: str) -> bool:
    """Whether at least half of the letters of a text are of a script.

    Raises:
        ConfigurationError: The script is none of SCRIPTS.

    >>> is_in_script("Штирлиц и iPhone", "cyrillic"), is_in_script("Привет", "latin")
    (True, False)
    """
    if script not in SCRIPTS:
        raise ConfigurationError(
            f"The script {script!r} is unknown.", f"Choose one of: {', '.join(SCRIPTS)}."
        )
    letters = [c for c in text if c.isalpha()]
    return 2 * sum(_script(c) == script for c in letters) >= len(letters)


@lru_cache(1 << 14)
def _script(letter: str) -> str:
    return script_of(letter).partition("-")[0]


def is_only_links(text: str) -> bool:
    """Whether a text is links, addresses, @names and hashtags among a few words.

    >>> is_only_links("Читать тут: https://example.org/1 #юмор")
    True
    >>> is_only_links("Жили-были @dog и @cat у бабушки.")
    False
    """
    if not _MAYBE_LINK.search(text):
        return False
    rest, n_links = _LINK.subn(" ", text)
    return n_links > 0 and len(_WORD.findall(rest)) <= _MAX_WORDS


def is_advertisement(text: str) -> bool:
    """Whether a text calls for something and, nearby, says where: a link, name or phone.

    Neither alone is a sign: jokes are told about advertising, and characters have phones.

    >>> is_advertisement("Подписывайтесь на наш канал @example_channel!")
    True
    >>> is_advertisement("— Подписывайтесь на мой канал! — сказал Петру I архитектор.")
    False
    """
    if not (_MAYBE_LINK.search(text) or _MAYBE_PHONE.search(text) or "ссылк" in text.lower()):
        return False
    return any(
        _CALL.search(text, max(0, place.start() - _MAX_DISTANCE), place.end() + _MAX_DISTANCE)
        for place in _WHERE_TO.finditer(text)
    )
