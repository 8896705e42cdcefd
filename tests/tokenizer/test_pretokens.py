import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Regex, pre_tokenizers

from anekdot.tokenizer import pretokens, reference
from anekdot.tokenizer.pretokens import PATTERNS, PatternName, split

EDGE_CASES = {
    "–\u00a0Нет": ["–", "\u00a0Нет"],
    "Н.\u00a0Г.\u00a0П": ["Н", ".", "\u00a0Г", ".", "\u00a0П"],
    "за́мок": ["за", "\u0301мок"],
    "и\u0306 е\u0308": ["и", "\u0306", " е", "\u0308"],
    "кто-то": ["кто", "-то"],
    "«ёлочки»": ["«ёлочки", "»"],
    "№5": ["№", "5"],
    "1\u202f000": ["1", "\u202f", "0", "0", "0"],
    "zйро": ["zйро"],
    "пере\u00adнос": ["пере", "\u00adнос"],
    "\ufeffДа": ["\ufeffДа"],
    "да\r\nнет": ["да", "\r\n", "нет"],
    "а  б": ["а", " ", " б"],
    "а \n \n б": ["а", " \n \n", " б"],
    "а\t\n": ["а", "\t\n"],
    "а  ": ["а", "  "],
    "!\n\n—": ["!\n\n", "—"],
    "'ſ": ["'ſ"],
    "'S'LL'x": ["'S", "'LL", "'x"],
    "don't": ["don", "'t"],
    "'\u2028ёж": ["'", "\u2028ёж"],
    "\x1c\x85a": ["\x1c", "\x85a"],
    "": [],
}

BY_MARKS = EDGE_CASES | {
    "за́мок": ["за́мок"],
    "и\u0306 е\u0308": ["и\u0306", " е\u0308"],
    "हिन्दी में": ["हिन्दी", " में"],
    "ครับ เขียน": ["ครับ", " เขียน"],
    "!\u0301\u0302!": ["!\u0301\u0302", "!"],
    "1\u20e3\n": ["1", "\u20e3", "\n"],
    "❤\ufe0f!\u0301": ["❤\ufe0f", "!\u0301"],
    " \u0e31'\u0301s": [" \u0e31", "'\u0301s"],
    "می\u200cخواهد": ["می", "\u200cخواهد"],
    "ක්\u200dරම": ["ක්", "\u200dරම"],
}

CHARACTERS = "аЁsTlREſ1½'-—«№中😀 \u00a0\n\r\t\x85\u0301\u00ad\ufeff\x1c\x00कि्ท\u0e31\u200d\ufe0f"
each_pattern = pytest.mark.parametrize("pattern", PATTERNS)
TEXTS = st.one_of(st.text(st.characters(codec="utf-8")), st.text(CHARACTERS))


def split_as_text(text: str, pattern: PatternName) -> list[str]:
    return [pretoken.decode() for pretoken in split(text.encode(), pattern)]


@pytest.mark.parametrize(
    ("text", "pattern", "expected"),
    [(text, "qwen2", expected) for text, expected in EDGE_CASES.items()]
    + [(text, "qwen35", expected) for text, expected in BY_MARKS.items()],
)
def test_edge_cases(text: str, pattern: PatternName, expected: list[str]) -> None:
    assert split_as_text(text, pattern) == expected
    assert reference.split(text, pattern) == expected


@each_pattern
@given(text=TEXTS)
@settings(max_examples=1000)
def test_equals_the_reference_and_hugging_face(text: str, pattern: PatternName) -> None:
    found = split_as_text(text, pattern)
    assert found == reference.split(text, pattern)
    peer = pre_tokenizers.Split(Regex(PATTERNS[pattern]), "isolated")
    assert found == [pretoken for pretoken, _ in peer.pre_tokenize_str(text)]


@each_pattern
@given(text=st.text("аЁsTlRE01'-—«№ \n\r\t_.", max_size=40))
@settings(max_examples=500)
def test_ordinary_texts_equal_the_reference(text: str, pattern: PatternName) -> None:
    assert split_as_text(text, pattern) == reference.split(text, pattern)


def test_every_ordinary_character_in_several_contexts() -> None:
    ordinary = [chr(code) for code in range(0x10000) if pretokens._ORDINARY.fullmatch(chr(code))]
    assert len(ordinary) == 98 + 0x82 + 9
    for c in ordinary:
        text = f"а{c}б {c} {c}s\n{c}\n'{c}'s{c}'{c}e{c}{c}1{c}!{c}\r"
        for pattern in PATTERNS:
            assert split_as_text(text, pattern) == reference.split(text, pattern)


@pytest.mark.slow
@each_pattern
def test_every_character_is_in_the_class_that_hugging_face_gives_it(pattern: PatternName) -> None:
    peer = pre_tokenizers.Split(Regex(PATTERNS[pattern]), "isolated")
    for first in range(0, 0x110000, 256):
        codes = [code for code in range(first, first + 256) if not 0xD800 <= code < 0xE000]
        text = "".join(f"а{chr(code)}б {chr(code)}1{chr(code)}\n" for code in codes)
        found = split_as_text(text, pattern)
        assert found == [pretoken for pretoken, _ in peer.pre_tokenize_str(text)], hex(first)


@given(
    st.binary()
    | st.lists(st.sampled_from([b"\xd0", b"\xb0", b" ", b"a", b"\xf4\xbf"])).map(b"".join)
)
def test_arbitrary_bytes_come_back(data: bytes) -> None:
    assert b"".join(split(data)) == data


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"\xd0", [b"\xd0"]),
        (b"a\xd0 \xd0b", [b"a", b"\xd0", b" \xd0", b"b"]),
        (b"\xc0\xaf", [b"\xc0\xaf"]),
        (b"\xed\xa0\x80x", [b"\xed\xa0\x80", b"x"]),
        (b"\xf4\xbf\xbf\xbf", [b"\xf4\xbf\xbf\xbf"]),
        (b"\xffs", [b"\xffs"]),
    ],
)
def test_an_invalid_byte_is_one_character_of_no_class(data: bytes, expected: list[bytes]) -> None:
    # Two such characters in a row cannot both be the one that a word may begin with.
    assert split(data) == expected
