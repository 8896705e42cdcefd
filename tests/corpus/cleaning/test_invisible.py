import pytest

from anekdot.corpus.cleaning import clean
from anekdot.corpus.splitting import fraction, normalise


@pytest.mark.parametrize(
    "text",
    [
        "او می\u200cخواهد کتاب\u200cهای تازه را بخواند.",
        "نه\u200cئەو",
        "ک\u200dرම",
        "ශ්\u200dරී ලංකා, ක්\u200dරම",
        "അവന്\u200d വന്നു",
        "അവന്\u200d",
        "র\u200d্যাব",
        "क्\u200cष",
        "ಕ್\u200cಷ",
        "👨\u200d👩\u200d👧 🏳\ufe0f\u200d🌈",
    ],
)
def test_joiners_that_change_what_is_read_stay(text):
    assert clean(text) == text
    # where a text falls does not depend on them
    bare = text.replace("\u200c", "").replace("\u200d", "")
    assert fraction(normalise(text)) == fraction(normalise(bare))


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("сло\u200cво\u200d", "слово"),
        ("Auf\u200clage", "Auflage"),
        ("می\u200c\u200c\u200cخواهد", "می\u200cخواهد"),
        ("می\u200f\u200cخواهد", "می\u200cخواهد"),
        ("می\u200c خواهد\u200c.", "می خواهد."),
        ("\u200cمی\u200c", "می"),
        ("\u200dක", "ක"),
        ("می\u200ckot", "میkot"),
        ("।\u200d", "।"),
        ("👨\u200d\u200d👩", "👨\u200d👩"),
        ("می\u200bخواهد\ufeff", "میخواهد"),
    ],
)
def test_all_other_invisible_characters_go(text, cleaned):
    assert clean(text) == cleaned
    assert clean(cleaned) == cleaned
