"""The figures of docs/results.md that no command of anekdot prints.

    python tools/results.py test-documents anecdotes.jsonl.gz clean-test.jsonl
    anekdot evaluate MODEL --texts clean-test.jsonl
    python tools/results.py texts clean
    python tools/results.py int8 MODEL clean-test.jsonl
    python tools/results.py sizes

The first two give bits per byte on the test documents without obscene words, for any model. The
folder clean is made by anekdot prepare anecdotes.jsonl.gz --out clean --no-obscene --validation
0.02 --test 0.02.
"""

import json
import subprocess
import sys
import venv
from collections import Counter
from hashlib import sha256
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np
from cyclopts import App

import anekdot
from anekdot.bundle import TOKENIZER, Bundle
from anekdot.corpus.cleaning import clean, is_obscene
from anekdot.corpus.reading import read
from anekdot.corpus.shards import Shard
from anekdot.corpus.splitting import split_of
from anekdot.evaluation.originality import longest_shared_span
from anekdot.tokenizer import Tokenizer

STILL_COUNTED = [
    *("2e1bd739", "399c6cbb", "44349873", "47ce7ae7", "72916880"),
    *("7d1a9b33", "abf8fa1d", "d06eedf2", "df1f3f9f", "e3e7110c"),
]
"""How the SHA-256 of each document begins that counts as obscene since the second edition."""

DIGEST = "d7fbe192754fd6f8401502e735aa807d93d3b680515a36e89348fb908123fb6f"
LONG = 60  # characters; a shorter text may well be told twice
ROOT = Path(__file__).parents[1]
app = App(help="Print figures of docs/results.md.")


def texts_of(prepared: Path, split: str) -> list[str]:
    """Returns the texts of a split of a prepared folder."""
    tokenizer = Tokenizer.load(prepared / TOKENIZER)
    return [tokenizer.decode(ids[1:-1]) for ids in Shard.open(prepared, split).documents()]


@app.command
def test_documents(corpus: Path, out: Path) -> None:
    """Writes the 2,005 test documents of every figure, one JSON object a line.

    They are those of the first two editions: the test split at shares of 0.02, without what was
    obscene then. Today's rule knows ten more by their stars and look-alikes; they stay.
    """
    known = {
        text
        for document in read(corpus)
        if split_of(text := clean(document.text), 0.02, 0.02) == "test"
        and not document.obscene
        and (not is_obscene(text) or sha256(text.encode()).hexdigest()[:8] in STILL_COUNTED)
    }
    lines = sorted(json.dumps({"text": text}, ensure_ascii=False) + "\n" for text in known)
    out.write_text("".join(lines), "utf-8")
    if sha256(out.read_bytes()).hexdigest() != DIGEST:
        sys.exit(f"These {len(known):,} are not the documents of docs/results.md: see {out}.")
    print(f"{len(known):,} documents")


@app.command
def texts(
    prepared: Path,
    model: Path | None = None,
    *,
    n: int = 200,
    temperature: float = 0.8,
    top_k: int | None = 50,
    max_tokens: int = 400,
) -> None:
    """Tells texts without a prompt, seeds 0 to n - 1, and compares them with the corpus."""
    corpus = [
        text for split in ("train", "validation", "test") for text in texts_of(prepared, split)
    ]
    generator = anekdot.load(model)
    ids, offsets = generator.tokenizer.encode_batch(corpus)
    others = np.insert(ids.astype(np.int64), offsets[:-1], generator.tokenizer.begin_id)
    settings = {"temperature": temperature, "top_k": top_k, "max_tokens": max_tokens}
    told = list(generator.samples(n=n, seed=0, **settings))
    print(f"how they end: {dict(Counter(sample.finish_reason for sample in told))}")
    print(f"empty: {sum(not sample.text for sample in told)}")
    joined = "\0".join(corpus)
    known = sum(len(sample.text) > LONG and sample.text in joined for sample in told)
    print(f"of more than {LONG} characters and anywhere in the corpus: {known}")
    copied = []
    for sample in told:
        own = generator.tokenizer.encode(sample.text)
        first, length = longest_shared_span(own, others)
        copied.append(len(generator.tokenizer.decode(own[first : first + length])))
    print(f"longest span of the corpus, characters: median {median(copied)}, most {max(copied)}")
    lengths = [len(sample.text) for sample in told]
    print(f"length, characters: median {median(lengths)}, most {max(lengths)}")
    print(f"median length in the corpus, characters: {median(map(len, corpus))}")


@app.command
def int8(model: Path, texts: Path) -> None:
    """Measures what rounding the weights of a float32 model to int8 costs."""
    with TemporaryDirectory() as folder:
        Bundle.load(model).quantized().save(Path(folder, "int8"))
        exact, rounded = (anekdot.evaluate(path, texts) for path in (model, Path(folder, "int8")))
    print(f"float32 {exact.loss:.6f}, int8 {rounded.loss:.6f} nats per token")
    print(f"the difference: {rounded.loss - exact.loss:+.6f} nats per token")


@app.command
def sizes() -> None:
    """Installs the core into an empty environment and prints how many megabytes that takes."""
    with TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        before = megabytes(Path(folder))
        python = Path(folder, "Scripts" if sys.platform == "win32" else "bin", "python")
        constraints = ["-c", str(ROOT / "constraints.txt")]
        subprocess.run([python, "-m", "pip", "install", "-q", *constraints, str(ROOT)], check=True)
        print(f"the core: {megabytes(Path(folder)) - before:.0f} MB")
    print(f"of these the pretrained bundle: {megabytes(ROOT / 'src/anekdot/pretrained'):.1f} MB")


def megabytes(folder: Path) -> float:
    """Returns the size of all files of a folder."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


if __name__ == "__main__":
    app()
