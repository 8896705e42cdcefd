"""The programs that bench/tokenizer.py compares, each by its fastest documented call."""

import json
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from anekdot.tokenizer import Tokenizer
from anekdot.tokenizer.pretokens import PATTERNS
from anekdot.tokenizer.vocabulary import BYTE_CHARACTERS, SPECIALS

OURS, FIRST = "anekdot", 259  # our name, and the id of the first merge
Encode = Callable[[list[str]], Any]  # gives ids in a form that ``by_document`` knows
Trained = Callable[[], list[bytes]]  # the trained tokens, read after the clock has stopped


class Job(NamedTuple):
    """One measurement, as its process receives it."""

    task: str
    scale: int
    vocab_size: int
    threads: int
    peer: str
    root: str

    def path(self, name: str) -> Path:
        """Returns where a file of this vocabulary is."""
        return Path(self.root, str(self.vocab_size), name)

    def texts(self) -> list[str]:
        """Reads the documents; beyond scale 1, shuffled copies of them one after another."""
        texts: list[str] = json.loads(Path(self.root, "texts.json").read_text())
        if self.scale == 1:
            return texts
        shuffles = (random.Random(n).sample(texts, len(texts)) for n in range(self.scale))
        return [text.encode().decode() for shuffle in shuffles for text in shuffle]


def train_anekdot(texts: list[str], vocab_size: int, threads: int) -> Trained:
    """Trains ours."""
    tokenizer = Tokenizer.train(texts, vocab_size, threads=threads)
    return lambda: [tokenizer.token_bytes(id) for id in range(FIRST, tokenizer.vocab_size)]


def train_hugging_face(texts: list[str], vocab_size: int, threads: int) -> Trained:
    """Trains Hugging Face tokenizers, which train the same; its threads are Rayon's."""
    hf = import_module("tokenizers")
    peer, byte_level = hf.Tokenizer(hf.models.BPE()), hf.pre_tokenizers.ByteLevel
    split = hf.pre_tokenizers.Split(hf.Regex(PATTERNS["qwen2"]), "isolated")
    peer.pre_tokenizer = hf.pre_tokenizers.Sequence([split, byte_level(False, use_regex=False)])
    options = {"special_tokens": list(SPECIALS), "initial_alphabet": byte_level.alphabet()}
    trainer = hf.trainers.BpeTrainer(vocab_size=vocab_size, show_progress=False, **options)
    peer.train_from_iterator(texts, trainer)
    values = {character: byte for byte, character in BYTE_CHARACTERS.items()}
    tokens = map(peer.id_to_token, range(FIRST, peer.get_vocab_size()))
    return lambda: [bytes(map(values.__getitem__, token)) for token in tokens]


def train_rustbpe(texts: list[str], vocab_size: int, threads: int) -> Trained:
    """Trains rustbpe, which has no special tokens and breaks ties by other ids."""
    peer = import_module("rustbpe").Tokenizer()
    peer.train_from_iterator(iter(texts), vocab_size - len(SPECIALS), pattern=PATTERNS["qwen2"])
    return lambda: [bytes(token) for token, _ in peer.get_mergeable_ranks()[256:]]


def train_gigatoken(joined: bytes, vocab_size: int, threads: int) -> Trained:
    """Trains gigatoken, which splits by a pattern of its own."""
    train = import_module("gigatoken").train_bpe
    merges = train(joined, vocab_size, list(SPECIALS), separator=b"\0")[1]
    return lambda: [left + right for left, right in merges]


def encode_anekdot(job: Job) -> Encode:
    """Makes our encoder."""
    tokenizer = Tokenizer.load(job.path("tokenizer.json"))
    return lambda texts: tokenizer.encode_batch(texts, threads=job.threads)


def encode_gigatoken(job: Job) -> Encode:
    """Makes gigatoken's encoder; its threads are Rayon's."""
    file = job.path("qwen2.json")
    return import_module("gigatoken").Tokenizer.from_json(file.read_bytes()).encode_batch


def encode_splintr(job: Job) -> Encode:
    """Makes splintr's encoder; its threads are Rayon's. By our own pattern it is slower."""
    return import_module("splintr").from_json(str(job.path("qwen2.json"))).encode_batch_flat


def encode_quicktok(job: Job) -> Encode:
    """Makes quicktok's encoder, which compares itself with Hugging Face's on the way."""
    quicktok = import_module("quicktok")
    with TemporaryDirectory() as folder:
        quicktok.import_tokenizer(str(job.path("qwen2.json")), "ours", folder)
        encode = quicktok.Tokenizer("ours", folder).encode_batch
    return lambda texts: encode(texts, job.threads)


def encode_tiktoken(job: Job) -> Encode:
    """Makes tiktoken's encoder: a loop in each thread, as its own batch takes twice as long."""
    ours = Tokenizer.load(job.path("tokenizer.json"))
    ranks = {ours.token_bytes(id): id for id in range(len(SPECIALS), ours.vocab_size)}
    options = {"pat_str": PATTERNS["qwen2"], "mergeable_ranks": ranks, "special_tokens": {}}
    encode = import_module("tiktoken").Encoding("ours", **options).encode_ordinary

    def encode_parts(texts: list[str]) -> list[list[int]]:
        size = -(-len(texts) // job.threads)
        parts = [texts[start : start + size] for start in range(0, len(texts), size)]
        with ThreadPoolExecutor(job.threads) as pool:
            done = pool.map(lambda part: list(map(encode, part)), parts)
            return [ids for part in done for ids in part]

    return encode_parts if job.threads > 1 else lambda texts: list(map(encode, texts))


def train_and_encode(job: Job) -> Encode:
    """Trains ours and makes its encoder, whose machine code other texts have warmed up."""
    texts = job.texts()
    some = [f"Sentence {n} was made up.\n" for n in range(200_000)]
    Tokenizer.train(some, 300, threads=job.threads).encode_batch(some, threads=job.threads)
    tokenizer = Tokenizer.train(texts, job.vocab_size, threads=job.threads)
    return lambda _: tokenizer.encode_batch(texts, threads=job.threads)


def prompt_anekdot(job: Job) -> Callable[[str], Any]:
    """Makes what encodes one string."""
    return Tokenizer.load(job.path("tokenizer.json")).encode


def prompt_tiktoken(job: Job) -> Callable[[str], Any]:
    """Makes what encodes one string."""
    options = Tokenizer.load(job.path("tokenizer.json")).to_tiktoken()
    return import_module("tiktoken").Encoding("ours", **options).encode_ordinary


class Peer(NamedTuple):
    """One program: what is called, and how each of its parts is made."""

    how: str
    train: Callable[[Any, int, int], Trained] | None = None
    encoder: Callable[[Job], Encode] | None = None
    after: Callable[[Job], Encode] | None = None
    prompt: Callable[[Job], Callable[[str], Any]] | None = None


_GIGATOKEN = "`train_bpe` of joined bytes, by a pattern of its own; `encode_batch`, by Qwen2's"
PEERS = {
    OURS: Peer(
        "`Tokenizer.train`; `encode_batch`; `encode` for a prompt",
        train_anekdot,
        encode_anekdot,
        train_and_encode,
        prompt_anekdot,
    ),
    "gigatoken": Peer(_GIGATOKEN, train_gigatoken, encode_gigatoken, encode_gigatoken),
    "tokenizers": Peer("`train_from_iterator`", train_hugging_face),
    "rustbpe": Peer("`train_from_iterator`", train_rustbpe),
    "splintr-rs": Peer("`encode_batch_flat`, by Qwen2's pattern", encoder=encode_splintr),
    "quicktok-v1": Peer("`encode_batch`, by Qwen2's pattern", encoder=encode_quicktok),
    "tiktoken": Peer(
        "a loop over `encode_ordinary` in each thread",
        encoder=encode_tiktoken,
        prompt=prompt_tiktoken,
    ),
}
