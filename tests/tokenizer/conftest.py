import gzip
import json
from pathlib import Path

import pytest

from anekdot.tokenizer import Tokenizer

TEXTS = [
    "Встретил ёж ежа. — Ты кто? — Я ёж. — И я ёж! Так и познакомились.",
    "Приходит кот к врачу: «Доктор, меня все гладят против шерсти».",
    "— Сколько будет дважды два?\n— А вам для отчёта или для себя?",
    "Кот врача и врач кота встретились у врача.",
    "Don't panic: we'll see, they've 17 мгновений и 3 минуты.",
]


@pytest.fixture(scope="session")
def tokenizer() -> Tokenizer:
    return Tokenizer.train(TEXTS, 400)


@pytest.fixture(scope="session")
def corpus(corpus_path: Path) -> list[str]:
    """All documents of the real corpus."""
    with gzip.open(corpus_path, "rt", encoding="utf-8") as lines:
        return [json.loads(line)["text"] for line in lines]
