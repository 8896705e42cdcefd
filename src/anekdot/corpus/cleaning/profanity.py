"""Hard Russian profanity: the four roots, whatever is put before, after or over them.

The same letters stand in innocent words: «застрахует», «употреблять», «ребёнок», «себе». So a
root counts where it starts a word, or follows prefixes with which no innocent word has it.
"""

import re
from functools import lru_cache

# Without one of these a word is innocent; looking for them is cheap.
_ROOTS = ("ху", "еб", "бля", "блеа", "блиа", "блэ", "пизд", "пизж", "ииз", "пезд", "писд", "йоб")

_PREFIX = r"""(?:
    (?:вс|недо|не|ни|под|по|на|за|до|вы|с)? (?:вы|до|за|на|недо|о|об|от|пере|по|под|при|про|раз|рас)
  | а|вз|из|ис|не|ни|с|у
)"""
_PLAIN = re.compile(
    rf"""
    пи+зд | пи+зж | пи+сде?ц | (?<![а-я]){_PREFIX}?пе+зд
  | (?<![а-я]){_PREFIX}?ху+[йеяию] | (?<![а-я])хул[ие](?![а-я])
  | (?<!стра)(?<!штри)(?<!пси)(?<!ань)(?<!анн)ху+й | [а-я]оху+е
  | (?<![а-я]){_PREFIX}?(?<!с)е+б(?:
        [ыештсцк] | [ан](?!з) | и(?!онит|тд) | л(?!и[цз]|аг) | о(?!л[аеуы]) | у(?!рг|к) | (?![а-я])
    )
  | ъе+б | (?<![а-я])(?:в|вз|из|об|от|под|раз|с)ь?[ьъ]е+б
  | [а-я](?<!св)ое+б(?:[аныис] | л(?!ю|ок|ест) | о[вм] | у(?!рг|тов) | е[тнм] | (?![а-я]))
  | (?<![а-я]){_PREFIX}?йоб[ануты]
  | бля+д | (?<![а-я])бля+(?:[тц]|(?![а-я])) | (?<![а-я])бл(?:[еэи]а[дт]ь|эт(?![а-я]))
    """,
    re.VERBOSE,
)

# What stands for letters that are not shown.
_STARS = r"[*#@$%^&_•]+"
_DOTS = r"(?:\.{2,}|…)"
_ANY = rf"(?:{_STARS}|{_DOTS})"
_MASKED = re.compile(
    rf"""(?<![а-я*#@.…])(?:
        {_PREFIX}?х(?:{_ANY}|[.-])(?:[йюя]|е[влмнстюш]|и(?:ст|зм|(?![а-я]))|у[йеяию])
      | {_PREFIX}?х(?:{_STARS}(?:н[яюие]|м(?![а-я]))|[*#]{{2,}}(?![*#релт])|у{_STARS}(?![жл]))
      | {_PREFIX}?п(?:{_ANY}(?:з?д[аеуыоиюя]|е?ц(?![а-я])|здн)|\.зд)
      | {_PREFIX}?п(?:и{_STARS}(?:[здцеию]|(?![а-я]))|[иеё]?з{_STARS}|[*#]{{3,}})
      | (?:вы|про)?б(?:л?{_ANY}(?:[дт][ьи]|дс|ств|ск|ь|я(?![а-я]))|л{_STARS}(?:[дтья]|(?![а-я])))
      | {_PREFIX}?[ъь]?е(?:б{_STARS}|[*#]{{2,}}ли?(?![а-я]))
      | {_PREFIX}?[ъь]?е{_STARS}(?:б|[аоуы]|и?ть?(?![а-я])|ись|сь|л[аоь]|н[ауе]|ва)
      | {_PREFIX}?[ъь]?е{_DOTS}(?:а?ть|ал|ан|уч|н[аы]|б)
      | (?:вы|до|за|на|объ|отъ|по|про|подъ|съ|у){_STARS}(?:б[алиоу]|быв|[аеи]?ть|ал|у?й)
      | долб(?:о|ае)?{_ANY}б? | долбо{_ANY}
    )""",
    re.VERBOSE,
)
_LEFT_OUT = re.compile(rf"на х(?:у?{_DOTS}|{_STARS}(?![а-я]))")
_SPACED = re.compile(
    r"[бепх](?=[ ._*-][а-я][ ._*-])(?<![а-я].)"
    r"(?:(?<=х)(.)у\1[йеюя]|(?<=п)(.)и\2з\2д|(?<=б)(.)л\3я(?:\3[дт]|(?![а-я]))|(?<=е)(.)б\4[аиу])"
    r"(?![а-я])"
)
_STAMMER = re.compile(r"-(?<=([а-я])-)\1")

# A sign or letter that looks like a Cyrillic one, beside a Cyrillic one; dots inside a word.
_MIXED = re.compile(r"[a-z0-9@$](?:(?=[а-я*])|(?<=[а-я*].))")
_SIGN = re.compile(r"[*#@$%^&_•]|[.…](?=[а-я])|-(?=[йя])")
_LOOKALIKES = str.maketrans("abcdehikmnoptuxy01346789$@", "авсдениктпортихуоизчбтвяса")


def is_obscene(text: str) -> bool:
    """Whether a text has one of the four roots of hard Russian profanity.

    Roots are found behind stars, dots, spaces, digits and Latin look-alikes too.

    >>> is_obscene("Команда корабля застрахует ребёнка.")
    False
    """
    text = text.lower().replace("ё", "е").replace("\u0301", "")
    if _STAMMER.search(text):
        text = _STAMMER.sub("", text)
    if any(root in text for root in _ROOTS) and any(map(_is_plain, text.split())):
        return True
    if _MIXED.search(text) and any(map(_is_mixed, text.split())):
        return True
    if _SIGN.search(text) and any(map(_is_masked, text.split())):
        return True
    return bool(_LEFT_OUT.search(text) or _SPACED.search(text))


@lru_cache(1 << 16)
def _is_plain(word: str) -> bool:
    return _PLAIN.search(word) is not None


def _is_mixed(word: str) -> bool:
    return _MIXED.search(word) is not None and _is_plain(word.translate(_LOOKALIKES))


@lru_cache(1 << 16)
def _is_masked(word: str) -> bool:
    if not _SIGN.search(word):
        return False
    if _MIXED.search(word):
        word = "".join(c if c in "@$" else c.translate(_LOOKALIKES) for c in word)
    return _MASKED.search(word) is not None
