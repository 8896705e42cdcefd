import random
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anekdot.corpus.config import Rules
from anekdot.corpus.database import database, parquet
from anekdot.corpus.deduplication.select import EXACT_DUPLICATE, LEAK, NEAR_DUPLICATE, deduplicate
from anekdot.corpus.documents import Document
from anekdot.corpus.processing import process_documents
from anekdot.corpus.splitting import SPLITS, normalise, split_of, words

VOCABULARY = [
    "кот",
    "пёс",
    "дом",
    "мост",
    "лес",
    "река",
    "врач",
    "повар",
    "снег",
    "чай",
    "окно",
    "стол",
    "нож",
    "сыр",
]
MEMORY = 256 << 20


def select(
    texts: list[str], folder: Path, rules: Rules | None = None, each: int = MEMORY, cut: int = 1
) -> list[tuple[int, str, str, int]]:
    """Returns number, split, reason and cluster of each text that goes in as piece after piece."""
    rules = rules or Rules(validation=0.2, test=0.2)
    size = -(-len(texts) // cut)
    places = []
    for number in range(cut):
        part = texts[number * size : (number + 1) * size]
        documents = [Document(text, "a.txt", line) for line, text in enumerate(part, 1)]
        process_documents(
            documents,
            number,
            folder=folder / "processed",
            rules=rules,
            memory=MEMORY,
        )
        places += [(number << 32) + line for line in range(len(part))]
    path = deduplicate(
        folder / "processed",
        folder,
        memory=MEMORY,
        memory_per_process=each,
        run=lambda find, count: [find(number) for number in range(count)],
    )
    with database(folder / "spill") as connection:
        rows = connection.execute(f"FROM {parquet(path.parent, path.name)}").fetchall()
    return [(places.index(d), SPLITS[s], r, places.index(c)) for d, s, r, c in rows]


def four_grams(text: str) -> set[tuple[str, ...]]:
    sequence = words(text)
    return {tuple(sequence[first : first + 4]) for first in range(len(sequence) - 3)}


def are_near(a: str, b: str) -> bool:
    first, second = four_grams(a), four_grams(b)
    return len(first & second) >= 3 and 2 * len(first & second) >= min(len(first), len(second))


def by_brute_force(texts: list[str]) -> list[tuple[int, str, str, int]]:
    """The same by comparing every document with every one that stays."""
    versions = {
        number: max(
            (n for n in range(len(texts)) if normalise(texts[n]) == normalise(text)),
            key=lambda n: (len(texts[n]), -n),
        )
        for number, text in enumerate(texts)
    }
    order = sorted(
        {*versions.values()},
        key=lambda n: (
            ("test", "validation", "train").index(split_of(texts[n], 0.2, 0.2)),
            -len(four_grams(texts[n])),
            -len(texts[n]),
            n,
        ),
    )
    near: dict[int, int | None] = {}
    for number in order:
        kept = [other for other, original in near.items() if original is None]
        near[number] = next((k for k in kept if are_near(texts[k], texts[number])), None)
    expected = []
    for number, text in enumerate(texts):
        version = versions[number]
        cluster = version if near[version] is None else near[version]
        own = split_of(text, 0.2, 0.2)
        reason = ""
        if version != number:
            reason = EXACT_DUPLICATE
        elif cluster != number:
            reason = NEAR_DUPLICATE if split_of(texts[cluster], 0.2, 0.2) == own else LEAK
        expected.append((number, own, reason, cluster))
    return expected


sentences = st.lists(st.sampled_from(VOCABULARY[:4]), min_size=4, max_size=11).map(" ".join)
dressed = st.tuples(sentences, st.sampled_from(["", "!", " …"])).map("".join)


@settings(max_examples=40)
@given(
    texts=st.lists(dressed, max_size=25),
    cut=st.integers(1, 3),
    each=st.sampled_from([1 << 11, MEMORY]),
)
def test_equals_brute_force_on_tiny_corpora(tmp_path_factory, texts, cut, each):
    folder = tmp_path_factory.mktemp("corpus")
    texts = [text + " конец" for text in texts]
    assert select(texts, folder, each=each, cut=cut) == by_brute_force(texts)


@pytest.mark.parametrize("seed", range(3))
def test_equals_brute_force_on_texts_with_a_common_phrase(tmp_path, seed):
    chance = random.Random(seed)
    phrase = "подпишись на наш канал и смейся каждый день"
    texts = []
    for _ in range(120):
        own = " ".join(chance.choices(VOCABULARY, k=chance.randint(2, 14)))
        texts.append(chance.choice([own, f"{own} {phrase}", f"{phrase} {own} {own}"]) + " конец")
    texts += [text.replace("кот", "котик") for text in texts[::3]]
    found = select(texts, tmp_path, cut=2)
    assert found == by_brute_force(texts)
    assert {reason for _, _, reason, _ in found} == {"", EXACT_DUPLICATE, NEAR_DUPLICATE, LEAK} or {
        "",
        NEAR_DUPLICATE,
        LEAK,
    } == {reason for _, _, reason, _ in found}


def test_no_pair_that_stays_is_near(tmp_path):
    chance = random.Random(5)
    texts = [" ".join(chance.choices(VOCABULARY[:6], k=chance.randint(6, 12))) for _ in range(200)]
    kept = [texts[n] for n, _, reason, _ in select(texts, tmp_path) if not reason]
    assert 20 < len(kept) < 200
    assert not [pair for pair in combinations(kept, 2) if are_near(*pair)]


def test_nothing_is_shared(tmp_path):
    assert select(["один текст про кота и пса"], tmp_path) == [
        (0, split_of("один текст про кота и пса", 0.2, 0.2), "", 0)
    ]


def test_the_order_of_pieces_changes_only_which_of_equals_stays(tmp_path):
    texts = [
        "Кот вышел из дома — и пропал!",
        "кот вышел из дома и пропал",
        "Пёс остался дома один.",
    ]
    for name, order in (("a", texts), ("b", texts[::-1])):
        found = select(order, tmp_path / name)
        assert {order[c] for _, _, _, c in found} == {texts[0], texts[2]}


TAIL = "и тогда все поняли что чудес на свете не бывает"
DAMAGES = {
    "case": lambda words, _: " ".join(words).upper(),
    "punctuation": lambda words, _: "! ".join(words),
    "ё": lambda words, _: " ".join(words).replace("ё", "е"),
    "typo": lambda words, chance: " ".join(replaced(words, chance, "опечятка")),
    "a sentence added": lambda words, _: f"{' '.join(words)}. А сосед промолчал.",
    "line breaks lost": lambda words, _: "".join(words[:2]) + " " + " ".join(words[2:]),
    "quotes": lambda words, _: f"«{' '.join(words)}»",
    "dashes": lambda words, _: "— " + " – ".join(words),
    "a signature": lambda words, _: f"{' '.join(words)} {TAIL}",
    "cut end": lambda words, _: " ".join(words[: -len(words) // 3]),
}


def replaced(words: list[str], chance: random.Random, word: str) -> list[str]:
    place = chance.randrange(len(words))
    return [*words[:place], word, *words[place + 1 :]]


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_copies_that_are_near_duplicates_are_found(tmp_path, damage):
    chance = random.Random(damage)
    syllables = [
        *[
            "ба",
            "ве",
            "ги",
            "до",
            "жу",
            "за",
            "ки",
            "лё",
            "мо",
            "ну",
            "пы",
            "ря",
            "са",
            "ту",
            "фи",
            "хо",
        ]
    ]
    texts = []
    for _ in range(60):
        lengths = chance.choices(range(1, 4), k=chance.randint(8, 30))
        own = ["".join(chance.choices(syllables, k=length)) + "к" for length in lengths]
        texts += [" ".join(own), DAMAGES[damage](own, chance)]
    found = select(texts, tmp_path)
    cluster = {number: other for number, _, _, other in found}
    reasons = {number: reason for number, _, reason, _ in found}
    meeting = [n for n in range(0, 120, 2) if are_near(texts[n], texts[n + 1])]
    assert len(meeting) > 30
    assert [n for n in meeting if not reasons[n] and not reasons[n + 1]] == []
    joined = [(n, cluster[n]) for n, reason in reasons.items() if reason]
    same = [normalise(texts[a]) == normalise(texts[b]) for a, b in joined]
    near = [are_near(texts[a], texts[b]) for a, b in joined]
    assert all(map(bool.__or__, same, near))
