from hypothesis import given
from hypothesis import strategies as st

from anekdot.corpus.deduplication import Distinct, NearDuplicates, grams
from anekdot.corpus.splitting import normalise, words

few_words = st.lists(st.sampled_from(["кот", "пёс", "дом"]), max_size=14).map(" ".join)
dressed = st.text(st.sampled_from("аА б-!"), max_size=4)


def near(a: str, b: str) -> bool:
    """The definition, word for word, without hashes or index."""

    def distinct(text: str) -> set[tuple[str, ...]]:
        w = words(text)
        return set(zip(w, w[1:], w[2:], w[3:], strict=False))

    shared = len(distinct(a) & distinct(b))
    return shared >= 3 and shared >= min(len(distinct(a)), len(distinct(b))) / 2


def test_distinct_keeps_the_longest_in_the_first_place():
    distinct = Distinct()
    added = [distinct.add(t) for t in ["Раз два", "Три", "— Раз, два!", "— раз, два!", "раз два"]]
    assert added == [True, True, False, False, False]
    assert distinct.texts == ["— Раз, два!", "Три"]


@given(st.lists(dressed))
def test_distinct_equals_brute_force(texts):
    distinct = Distinct()
    for text in texts:
        distinct.add(text)
    expected: dict[str, str] = {}
    for text in texts:
        expected[normalise(text)] = max(expected.get(normalise(text), text), text, key=len)
    assert distinct.texts == list(expected.values())


def test_grams():
    assert len(grams("раз два три четыре пять")) == 2
    assert len(grams("раз раз раз раз раз раз")) == 1
    assert grams("Раз, два — три! Четыре...") == grams("раз два три четыре")
    assert grams("раз два три") == set()


@given(st.lists(few_words, max_size=5), few_words)
def test_match_equals_brute_force(held_out, text):
    expected = any(near(text, other) for other in held_out)
    assert NearDuplicates(held_out).match(text) == expected


@given(few_words, few_words)
def test_match_is_symmetric(a, b):
    assert NearDuplicates([a]).match(b) == NearDuplicates([b]).match(a)


def test_thresholds():
    index = NearDuplicates(["а б в г д е ж з"])  # five grams
    assert index.match("а б в г д е")  # shares three of three
    assert not index.match("а б в г д")  # shares two of two
    assert index.match("А, б, в, г, д, е! и к л")  # three of five and six
    assert NearDuplicates(["а б в г д е 1 2 3"]).match("а б в г д е 5 6 7")  # three of six
    assert not NearDuplicates(["а б в г д е 1 2 3 4"]).match(
        "а б в г д е 5 6 7 8"
    )  # three of seven
    assert not NearDuplicates([""]).match("")
