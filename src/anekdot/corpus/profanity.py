"""Hard Russian profanity: the four roots, whatever is put before, after or over them."""

import re

# Roots that stand only at the start of a word, after the prefixes with which they are obscene;
# elsewhere the same letters are innocent: «застрахует», «употреблять», «ребёнок», «себе».
_OBSCENE = re.compile(
    r"""
    пиз[дж]
  | \b(?:а|вы|до|за|на|не|ни|о|от|по|под|при|про|рас|с|у)?ху[йеёиюя]
  | (?<!стра)(?<!штри)(?<!пси)хуй
  | \b(?:вы|до|за|на|недо|о|пере|по|при|про|у)?[её]б
      (?:[аеёилшы] | н[уеё] | о(?!л) | у(?!рг) | ск | т?\b)
  | \b(?:в|из|об|от|под|раз|с)[ъь][её]б
  | (?:долбо|мозго|мудо|зло)[её]б
  | бляд | \bблят | \bбля+\b
    """,
    re.VERBOSE | re.IGNORECASE,
)


def is_obscene(text: str) -> bool:
    """Tells whether a text has one of the four roots of hard Russian profanity.

    >>> is_obscene("Команда корабля застрахует ребёнка.")
    False
    """
    return _OBSCENE.search(text) is not None
