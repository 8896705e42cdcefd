"""Texts and bytes that a tokenizer may stumble over, for Hypothesis."""

from hypothesis import strategies as st

CONTRACTIONS = ("'s", "'S", "'ſ", "'re", "'RE", "'r", "'ve", "'vE", "'ll", "'LL", "'l", "'d", "'m")
SPITEFUL = (
    *CONTRACTIONS,
    *("'", "''", "’", "a", "Ё", "ж", "йро", "и\u0306", "е\u0308", "за\u0301", "\u0301", "ſ", "s"),
    *(" ", "  ", "\n", "\r\n", "\r", " \n \n ", "\t", "\x0b", "\x1c", "\x85", "\u2028", "\u3000"),
    *("\u00a0", "\u00a0Н", "\u202f", "\u00ad", "\u200b", "\u200d", "\ufeff", "\x00", "\x7f"),
    *("कि", "\u094d", "\u0e31", "ั่", "\U00011046", "\ufe0f", "\u064e"),
    *("1", "½", "Ⅷ", "٣", "17", "-", "—", "«", "!!", "№", ".", "€", "\u0482", "\u0488", "\ufffd"),
    *(
        "中",
        "ꙮ",
        "ａ",
        "😀",
        "🐀",
        "👩\u200d🚀",
        "𝔘",
        "𐏑",
        "𝟘",
        "\U00010000",
        "\U0010ffff",
        "\uffff",
    ),
)
TEXTS = st.lists(st.sampled_from(SPITEFUL), max_size=30).map("".join) | st.text(
    st.characters(codec="utf-8"), max_size=30
)
FRAGMENTS = (
    *(b"\xd0", b"\xd1", b"\xb0", b"\x80", b"\xbf", b"\xc2", b"\xc2\xa0", b"\xe2\x80", b"\xe2"),
    *(b"\xf0\x9f\x98", b"\xf0", b"\xf4\xbf\xbf\xbf", b"\xf4\x90\x80\x80", b"\xf5", b"\xff"),
    *(b"\xc0\xaf", b"\xc1\xbf", b"\xe0\x80\xaf", b"\xe0\x9f\xbf", b"\xf0\x80\x80\xaf"),
    *(b"\xed\xa0\x80", b"\xed\xbf\xbf", b"\x00", b"a", b"s", b"'s", b"'", b" ", b"\n", b"!"),
    *("а".encode(), "😀".encode(), "\u0301".encode(), b"1"),
)
DATA = st.lists(st.sampled_from(FRAGMENTS), max_size=30).map(b"".join) | st.binary(max_size=30)
DOCUMENTS = (
    st.lists(TEXTS, max_size=8)
    | st.lists(TEXTS.map(str.encode), max_size=8)
    | st.lists(TEXTS | TEXTS.map(str.encode) | DATA, max_size=8)
)
