"""Training beside its peers: tokens a second and peak memory, on the same packed rows.

    make bench CORPUS=texts.jsonl.gz

Every trainer of bench/training_peers.py is a process of its own; they take turns, so that each
round has all of them, and what is compared is compared within a round. Whole steps count, with
loading and optimizer. Nothing else should run meanwhile. On a machine with a GPU the same command
measures the GPU.
"""

import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TextIO

import numpy as np
import torch
from cyclopts import App
from tokenizer_tables import machine, version, write

from anekdot.corpus.shards import Shard
from anekdot.device import has_bf16, pick_device
from anekdot.model.config import PRESETS, ModelConfig
from anekdot.tokenizer.tokenizer import Tokenizer
from anekdot.training.batches import Batches

OURS, PLAIN, PADDED = "anekdot", "anekdot fp32", "anekdot, a document a row"
SHORT = "anekdot, 300 steps"
PRODUCTS = {OURS: "products bf16", PLAIN: "products fp32"}
PEERS = {  # by how much ours must be faster: (nano, mini)
    "transformers": (2.0, 2.0),
    "litgpt": (1.3, 1.3),
    "x-transformers fp32": (3.0, 4.0),
    "x-transformers bf16": (1.5, 1.5),
}
SHARE = {"nano": 25, "mini": 45, "small": 55}  # % of a step that the products alone must take
SHAPES = ((32, 128), (8, 512))
SECONDS = 2.5  # of a turn
ROWS = 4_000
RESULTS = Path(__file__).with_name("RESULTS.md")
app = App(help="Measure training beside its peers and write tables into a Markdown file.")


@dataclass
class Trainer:
    """A process that takes steps.

    Attributes:
        tokens: That carry loss in a step.
        seconds: Of a step, by round.
        memory: The most that it has held, in MB.
    """

    process: "subprocess.Popen[str]"
    tokens: float = 0.0
    a_turn: int = 0
    seconds: list[float] = field(default_factory=list)
    memory: float = 0.0

    def warm(self) -> None:
        """Waits until it is warm, and finds out how many steps fill a turn."""
        self.tokens = float(self._line())
        self._line()
        self.a_turn = 2
        self.a_turn = max(2, round(SECONDS / self.turn()))
        self.seconds.clear()

    def turn(self) -> float:
        """Takes the steps of a turn; returns the seconds of one."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{self.a_turn}\n")
        self.process.stdin.flush()
        seconds, self.memory = map(float, self._line().split())
        self.seconds.append(seconds / self.a_turn)
        return self.seconds[-1]

    def _line(self) -> str:
        stdout: TextIO | None = self.process.stdout
        assert stdout is not None
        line = stdout.readline()
        if not line:
            raise SystemExit(f"{self.process.args} stopped.")
        return line

    @property
    def speeds(self) -> list[float]:
        """Tokens that carry loss a second, by round."""
        return [self.tokens / seconds for seconds in self.seconds]


@contextmanager
def trainer(name: str, *arguments: object) -> Iterator[Trainer]:
    """Starts a trainer and warms it up; it ends with the block."""
    command = [sys.executable, str(Path(__file__).with_name("training_peers.py")), name]
    with subprocess.Popen(
        [*command, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        one = Trainer(process)
        try:
            one.warm()
            yield one
        finally:
            process.kill()


def measure(
    names: list[str], preset: str, prepared: Path, shape: tuple[int, int], rounds: int
) -> dict[str, Trainer]:
    """Lets the trainers take turns."""
    batch, length = shape
    chance = random.Random(0)
    with TemporaryDirectory() as folder, ExitStack() as stack:
        rows = Path(folder, "rows.npy")
        np.save(rows, packed_rows(prepared, length))
        trainers = {
            name: stack.enter_context(trainer(name, preset, prepared, rows, batch))
            for name in names
        }
        for _ in range(rounds):
            for name in chance.sample(names, len(names)):
                trainers[name].turn()
    return trainers


def packed_rows(prepared: Path, length: int) -> np.ndarray:
    """Returns the rows that anekdot trains on first, each with the target after its end."""
    tokenizer = Tokenizer.load(prepared / "tokenizer.json")
    batches = Batches(
        Shard.open(prepared, "train"),
        rows="packed",
        context_length=length,
        batch_size=ROWS,
        seed=0,
        pad_id=tokenizer.pad_id,
        begin_id=tokenizer.begin_id,
        begin_targets=True,  # as the peers read them
    )
    ids_BT, targets_BT = batches.batch(0)
    return np.concatenate([ids_BT, targets_BT[:, -1:]], axis=1).astype(np.int32)


def spread(values: list[float], digits: str = ",.0f") -> str:
    """Returns a median and its range."""
    return f"{median(values):{digits}} ({min(values):{digits}}–{max(values):{digits}})"


def ratios(one: list[float], other: list[float]) -> list[float]:
    """Returns the ratio of each round."""
    return [a / b for a, b in zip(one, other, strict=True)]


def rows_of(
    preset: str, shape: tuple[int, int], trainers: dict[str, Trainer], model: ModelConfig
) -> Iterator[str]:
    """Yields a line of the table for each trainer."""
    where = f"{preset}, {shape[0]} × {shape[1]}"
    place = ["nano", "mini"].index(preset) if preset in ("nano", "mini") else None
    ours = trainers[OURS]
    for name, one in trainers.items():
        if name in PRODUCTS.values():
            continue
        faster, must, share = "", "", ""
        if name in PEERS and place is not None:
            ratio = ratios(ours.speeds, one.speeds)
            bound = PEERS[name][place]
            faster = spread(ratio, ".2f")
            must = f"≥ {bound}: {'yes' if median(ratio) >= bound else 'no'}"
            eager = trainers[SHORT].speeds
            if median(ratio) >= bound > median(ratios(eager, one.speeds)):
                must += ", compiled only"
        elif name in PRODUCTS and PRODUCTS[name] in trainers:
            part = [100 * value for value in ratios(trainers[PRODUCTS[name]].seconds, one.seconds)]
            share = spread(part, ".0f")
            if name == OURS:
                met = "yes" if median(part) >= SHARE[preset] else "no"
                must = f"≥ {SHARE[preset]} %: {met}"
        elif name == SHORT:
            faster = spread(ratios(ours.speeds, one.speeds), ".2f")
        elif name == PADDED:
            faster = spread(ratios(ours.speeds, one.speeds), ".2f") + ", counts for nothing"
        yield (
            f"| {where} | {name} | {spread([1000 * s for s in one.seconds], '.0f')} | "
            f"{spread(one.speeds)} | {one.memory:,.0f} | {faster} | {share} | {must} |"
        )
    for products in PRODUCTS.values():
        if products in trainers:
            kv = model.n_kv_head * model.head_dim
            a_layer = 2 * model.hidden_dim**2 + 2 * model.hidden_dim * kv
            a_layer += 3 * model.hidden_dim * model.intermediate_dim
            weights = model.n_layer * a_layer + model.hidden_dim * model.vocab_size
            flops = 6 * weights * shape[0] * shape[1]
            speeds = [flops / seconds / 1e9 for seconds in trainers[products].seconds]
            yield (
                f"| {where} | the {products.replace('products', 'products of')} alone | "
                f"{spread([1000 * s for s in trainers[products].seconds], '.0f')} | | | | "
                f"{spread(speeds)} GFLOP/s | |"
            )


@app.default
def main(
    prepared: Path,
    *,
    rounds: int = 5,
    presets: tuple[str, ...] = ("nano", "mini", "small"),
    out: Path = RESULTS,
) -> None:
    """Measure.

    Args:
        prepared: A folder that anekdot prepare made.
        rounds: How often every trainer has its turn.
        presets: Shapes.
        out: The Markdown file.
    """
    vocabulary = Tokenizer.load(prepared / "tokenizer.json").vocab_size
    bf16 = has_bf16(pick_device())
    lines = head(vocabulary)
    for preset in presets:
        for shape in SHAPES:
            names = [OURS, *PRODUCTS.values()] if bf16 else [OURS, PRODUCTS[PLAIN]]
            if preset != "small":  # six of that size do not fit into a laptop's memory
                names += [PLAIN, SHORT, *([PADDED] if shape == SHAPES[0] else [])]
                names += [peer for peer in PEERS if bf16 or "fp32" in peer]
            model = ModelConfig(vocab_size=vocabulary, context_length=shape[1], **PRESETS[preset])
            trainers = measure(names, preset, prepared, shape, rounds)
            for line in rows_of(preset, shape, trainers, model):
                print(line, flush=True)
                lines.append(line)
    write(out, lines)


def head(vocabulary: int) -> list[str]:
    """Returns the head of the section."""
    device = pick_device()
    where = torch.cuda.get_device_name() if device.type == "cuda" else machine()
    return [
        "## Training",
        "",
        f"{where}; PyTorch {torch.__version__}, transformers{version('transformers')}, "
        f"litgpt{version('litgpt')}, x-transformers{version('x-transformers')}. A vocabulary of "
        f"{vocabulary:,} tokens, tied embeddings, AdamW, gradients clipped. Values are medians of "
        "the rounds, with their range; ratios are taken within a round. The share is the time "
        "that the products of the linear layers alone take, at these shapes and in this "
        "precision, of the time of a whole step. anekdot is compiled where a run of 10,000 steps "
        "is, on a CPU always; a run of 300 steps is not. Of the peers litgpt is compiled, the "
        "others as they come are not, though Transformers has a setting for it (torch_compile). "
        "Compiling is not counted. A must that anekdot meets but would not without being compiled, "
        "by the row of 300 steps, is met compiled only. anekdot masks what stands in other "
        "documents of a row; the peers read the row as one text.",
        "",
        "| rows × tokens | trainer | ms a step | tokens a second | peak memory, MB | "
        "anekdot is faster by | products' share, % | must |",
        "|---|---|---|---|---|---|---|---|",
    ]


if __name__ == "__main__":
    sys.exit(app())
