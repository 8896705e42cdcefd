"""The figures of docs/results.md that no command of anekdot prints.

    anekdot prepare texts.jsonl.gz --out clean --no-obscene --validation 0.02 --test 0.02
    python tools/results.py held-out clean clean-test.jsonl
    anekdot evaluate MODEL --texts clean-test.jsonl
    python tools/results.py texts clean
    python tools/results.py int8 MODEL clean-test.jsonl
    python tools/results.py sizes

The first three give bits per byte on the test documents without obscene words, for any model.
"""

import json
import subprocess
import sys
import venv
from collections import Counter
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np
from cyclopts import App

import anekdot
from anekdot.bundle import TOKENIZER, Bundle
from anekdot.corpus.shards import Shard
from anekdot.evaluation.originality import longest_shared_span
from anekdot.tokenizer import Tokenizer

LONG = 60  # characters; a shorter text may well be told twice
ROOT = Path(__file__).parents[1]
app = App(help="Print figures of docs/results.md.")


def texts_of(prepared: Path, split: str) -> list[str]:
    """Returns the texts of a split of a prepared folder."""
    tokenizer = Tokenizer.load(prepared / TOKENIZER)
    return [tokenizer.decode(ids[1:-1]) for ids in Shard.open(prepared, split).documents()]


@app.command
def held_out(prepared: Path, out: Path, split: str = "test") -> None:
    """Writes the texts of a split, one JSON object a line, for anekdot evaluate --texts."""
    texts = texts_of(prepared, split)
    lines = [json.dumps({"text": text}, ensure_ascii=False) + "\n" for text in texts]
    out.write_text("".join(lines), "utf-8")
    print(f"{len(texts):,} documents")


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
