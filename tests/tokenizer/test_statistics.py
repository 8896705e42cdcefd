from anekdot.tokenizer import Tokenizer
from anekdot.tokenizer.statistics import vocabulary_statistics


def test_what_a_known_vocabulary_consists_of():
    """Eleven "an", then eight "b" before one, then three "a" after one."""
    tokenizer = Tokenizer.train(["banana"] * 3 + ["ban"] * 5, 262)
    statistics = vocabulary_statistics(tokenizer, n_longest=4)
    assert statistics.longest == ["ana", "ban", "an", "\x00"]
    assert statistics.lengths == {0: 128, 1: 128, 2: 1, 3: 2}
    assert list(statistics.lengths) == [0, 1, 2, 3]
    assert statistics.scripts["Latin"] == 52 + 3
