"""What checkpoints cost a training run.

    .venv/bin/python bench/checkpoints.py PREPARED

PREPARED is a folder that anekdot prepare made. "Held up" is the time that the training thread
spends on a checkpoint. "Slowed down" is what the steps beside which one is written take longer
than the steps before it. Evaluations and samples are left out.
"""

import statistics
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar

from cyclopts import App

import anekdot
from anekdot.training import trainer
from anekdot.training.config import TrainingConfig

FEW = 10  # steps that those beside a checkpoint are compared with
app = App(help="Measure what checkpoints cost.")


class Watched(trainer.Trainer):
    """A run that notes the seconds of each step, whether beside writing, and of checkpoints."""

    steps_taken: ClassVar[list[tuple[float, bool]]] = []
    held_up: ClassVar[list[float]] = []

    def _train_step(self, batch: trainer.Batch) -> None:
        beside = any(not future.done() for future in self.writer._queued)
        started = time.perf_counter()
        super()._train_step(batch)
        self.steps_taken.append((time.perf_counter() - started, beside))

    def _save_checkpoint(self) -> None:
        started = time.perf_counter()
        super()._save_checkpoint()
        self.held_up.append(time.perf_counter() - started)


def measure(prepared: Path, preset: str, steps: int, every: int) -> tuple[float, float, float]:
    """Trains; returns the seconds of a step, and those that a checkpoint holds up and slows."""
    Watched.steps_taken, Watched.held_up = [], []
    trainer.Trainer = Watched  # type: ignore[misc]
    with TemporaryDirectory() as folder:
        anekdot.train(
            prepared,
            out=Path(folder, "run"),
            preset=preset,
            steps=steps,
            evaluate_every=steps,
            sample_every=steps,
            checkpoint_every=every,
            checkpoint_minutes=1e6,
        )
    slowed, alone = 0.0, [seconds for seconds, beside in Watched.steps_taken if not beside]
    before: list[float] = []
    for seconds, beside in Watched.steps_taken[every // 2 :]:
        if not beside:
            before.append(seconds)
        elif before:
            slowed += seconds - statistics.median(before[-FEW:])
    n_checkpoints = steps // every - 1  # the first and the last have no steps beside them
    held_up = statistics.mean(Watched.held_up[1:-1])
    return statistics.median(alone), held_up, slowed / n_checkpoints


@app.default
def main(prepared: Path, *, rounds: int = 3) -> None:
    """Measure.

    Args:
        prepared: A folder that anekdot prepare made.
        rounds: Runs of each preset.
    """
    default = TrainingConfig.checkpoint_every
    print(
        "| preset | a step, ms | a checkpoint holds up, ms | slows down, ms | both, of a run with "
        f"one every {default} steps, % |\n|---|---|---|---|---|"
    )
    for preset, steps, every in (("nano", 400, 40), ("mini", 60, 15)):
        rows = []
        for _ in range(rounds):
            step, held_up, slowed = measure(prepared, preset, steps, every)
            rows.append([1e3 * step, 1e3 * held_up, 1e3 * slowed])
            rows[-1].append(100 * (held_up + slowed) / (default * step))
        columns = [
            [f"{x:.3g}" if x < 100 else f"{x:,.0f}" for x in (statistics.median(c), min(c), max(c))]
            for c in zip(*rows, strict=True)
        ]
        cells = [f"{middle} ({least}–{most})" for middle, least, most in columns]
        print(f"| {preset} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    sys.exit(app())
