"""GGUF files in llama.cpp on held-out texts: python bench/gguf_files.py PREPARED [-n DOCUMENTS].

ANEKDOT_LLAMA_CPP names the folder of llama.cpp's libraries, see tests/support/llama_cpp.py.
Prints sizes, perplexities and differences of each dtype of the pretrained model, then what a
longer context is worth: nats per token by how far into a document the token stands, with all
of the document before it, and with at most the trained length.
"""

import argparse
import math
import sys
import tempfile
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from anekdot.bundle import PRETRAINED, Bundle
from anekdot.corpus.shards import Shard
from anekdot.export import TARGETS, gguf
from anekdot.tokenizer.tokenizer import Tokenizer
from tests.support.llama_cpp import Llama
from tests.support.oracle import log_probabilities

LEAST = -15.0
BINS = (0, 64, 128, 192, 256, 384, 512, 1024)  # tokens


def main() -> None:
    """Prints all figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("prepared", type=Path)
    parser.add_argument("-n", type=int, default=300)
    arguments = parser.parse_args()
    bundle = Bundle.load()
    theirs = Tokenizer.load(arguments.prepared / "tokenizer.json")
    texts = [theirs.decode(ids) for ids in Shard.open(arguments.prepared, "validation").documents()]
    documents = [
        [Tokenizer.begin_id, *bundle.tokenizer.encode(text), Tokenizer.end_id] for text in texts
    ]
    with tempfile.TemporaryDirectory() as folder:
        for dtype in TARGETS["gguf"].dtypes:
            gguf.write(bundle, Path(folder, dtype), dtype, 1024)
        compare_ids(Path(folder, "q8_0"), bundle.tokenizer, texts)
        compare_dtypes(Path(folder), spread(documents, arguments.n))
        compare_contexts(Path(folder, "f32"), documents, bundle.config.context_length, arguments.n)


def spread(documents, n):
    """Returns n documents from all over the split."""
    return [documents[i] for i in np.linspace(0, len(documents) - 1, n).astype(int)]


def log_softmax(logits_TV):
    """Returns log_p_TV."""
    shifted_TV = logits_TV.astype(np.float64) - logits_TV.max(1, keepdims=True)
    return shifted_TV - np.log(np.exp(shifted_TV).sum(1, keepdims=True))


def compare_ids(path, tokenizer, texts):
    """Prints how many texts have other ids."""
    with Llama(path, 64) as llama:
        differences = sum(llama.encode(text) != tokenizer.encode(text) for text in texts)
        lost = sum(llama.decode(llama.encode(text)).decode() != text for text in texts)
    print(f"{len(texts)} validation documents: {differences} with other ids, {lost} not given back")


def compare_dtypes(folder, documents):
    """Prints sizes, and what rounding costs."""
    expected = [log_probabilities(PRETRAINED, ids[:-1]) for ids in documents]
    tokens = sum(len(ids) - 1 for ids in documents)
    reference = nats(expected, documents)
    perplexity = math.exp(reference / tokens)
    print(f"\n{len(documents)} documents, {tokens} tokens, perplexity {perplexity:.4f}")
    print("\n| dtype | MB | largest difference, nats | perplexity × | × with defaults |")
    print("|---|---|---|---|---|")
    for dtype in TARGETS["gguf"].dtypes:
        path, ratios, largest = folder / dtype, [], 0.0
        for exact in (True, False):
            with Llama(path, exact=exact) as llama:
                found = [log_softmax(llama.logits(ids[:-1])) for ids in documents]
            ratios.append(math.exp((nats(found, documents) - reference) / tokens))
            if exact:
                pairs = zip(found, expected, strict=True)
                largest = max(np.abs(a - b)[b > LEAST].max() for a, b in pairs)
        size = path.stat().st_size / 1e6
        print(
            f"| {dtype} | {size:.1f} | {largest:.1e} | {ratios[0]:.5f} | {ratios[1]:.5f} |",
            flush=True,
        )


def nats(log_probs, documents):
    """Returns the nats of all tokens."""
    return -sum(
        log_p_TV[np.arange(len(ids) - 1), ids[1:]].sum()
        for log_p_TV, ids in zip(log_probs, documents, strict=True)
    )


def compare_contexts(path, documents, trained, most):
    """Long documents, whole, and in windows of the trained length that overlap by half."""
    whole, cut = np.zeros((len(BINS), 2)), np.zeros((len(BINS), 2))
    long = [ids for ids in documents if trained + 1 < len(ids) <= BINS[-1]]
    long = sorted(long, key=len)[-most:]
    with Llama(path, BINS[-1]) as llama:
        for ids in long:
            targets = ids[1:]
            log_p_TV = log_softmax(llama.logits(ids[:-1]))
            for n, target in enumerate(targets):
                whole[np.searchsorted(BINS, n, "right") - 1] += (-log_p_TV[n, target], 1)
            scored = 0
            for start in range(0, len(targets), trained // 2):
                window = ids[start : min(start + trained, len(targets))]
                log_p_TV = log_softmax(llama.logits(window))
                for n in range(scored, start + len(window)):
                    cut[np.searchsorted(BINS, n, "right") - 1] += (
                        -log_p_TV[n - start, targets[n]],
                        1,
                    )
                scored = start + len(window)
                if scored == len(targets):
                    break
    print(f"\n{len(long)} longest validation documents, of {len(long[0]) - 1} tokens and more")
    print("\n| tokens before | tokens | whole text | the last tokens only |\n|---|---|---|---|")
    for n, least in enumerate(BINS[:-1]):
        if count := int(whole[n, 1]):
            assert count == cut[n, 1]
            print(
                f"| {least} to {BINS[n + 1] - 1} | {count:,} | {whole[n, 0] / count:.3f} "
                f"| {cut[n, 0] / count:.3f} |"
            )


if __name__ == "__main__":
    main()
