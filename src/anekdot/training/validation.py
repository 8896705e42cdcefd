"""Validation: how well the model predicts held-out documents, and whether it is the best so far."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import numpy as np

from anekdot.bundle import Bundle
from anekdot.corpus.shards import Ids, Shard
from anekdot.device import autocast
from anekdot.errors import BundleError
from anekdot.evaluation.likelihood import Likelihood, likelihood
from anekdot.generation.engine import MAX_DISAGREEMENT, disagreement
from anekdot.generation.generator import Generator, load
from anekdot.model.weights import load_weights
from anekdot.tokenizer.tokenizer import Tokenizer
from anekdot.training.config import TrainingConfig
from anekdot.training.monitoring.metrics import Record
from anekdot.training.setup import Setup
from anekdot.training.state import TrainingState

PROMPT_TOKENS = 32  # that two engines are compared on
INTERIM_TOKENS = 100_000  # of the validation split, while training; the end scores all of it


class Validation:
    """Measures the model on the validation split.

    Args:
        setup: Its averaged model is measured, while training in its precision.
        config: Says which documents are scored while training.
        shard: The validation split; may be empty.
        tokenizer: Of the shard.
        poll: Called between batches, and may raise.
    """

    def __init__(
        self,
        setup: Setup,
        config: TrainingConfig,
        shard: Shard,
        tokenizer: Tokenizer,
        poll: Callable[[], None],
    ) -> None:
        self.setup, self.shard, self.tokenizer, self.poll = setup, shard, tokenizer, poll
        choose = shard.spread if config.interim_documents == "spread" else shard.documents
        self.sample = choose(INTERIM_TOKENS) if len(shard) else []

    def interim(self, state: TrainingState) -> tuple[Record | None, bool]:
        """Measures the same part of the split each time, and notes if the model is the best.

        Returns:
            What metrics.jsonl says of it, and whether it is the best; without a split None, and
            the last model counts as the best.
        """
        precision = autocast(self.setup.device, self.setup.precision)
        result, best = self._measure(self.sample, precision), state.best_bits_per_byte
        is_best = result is None or best is None or result.bits_per_byte < best
        state.last_evaluation = state.step
        if is_best:
            state.best_step = state.step
        if result is None:
            return None, is_best
        state.evaluations_since_best = 0 if is_best else state.evaluations_since_best + 1
        if is_best:
            state.best_bits_per_byte = result.bits_per_byte
        record = {
            "loss": result.loss,
            "perplexity": result.perplexity,
            "bits_per_byte": result.bits_per_byte,
            "best": is_best,
        }
        return record, is_best

    def final(self, bundle: Bundle) -> Likelihood | None:
        """Loads the weights of a bundle, and measures the whole split as ``evaluate`` does."""
        load_weights(self.setup.averaged, bundle.weights)
        return self._measure(self.shard.documents(), nullcontext(), with_error=True)

    def _measure(
        self,
        documents: list[Ids],
        precision: AbstractContextManager[object],
        with_error: bool = False,
    ) -> Likelihood | None:
        if not documents:
            return None
        return likelihood(
            self.setup.averaged,
            documents,
            self.tokenizer.token_lengths,
            autocast=precision,
            with_error=with_error,
            progress=lambda *_: self.poll(),
        )


def compare_engines(generator: Generator, bundle: Path, shard: Shard) -> str | None:
    """Compares a trained model with the engine that ``anekdot generate`` uses, on one prompt.

    They differ where a part of the model was changed in one of them only.

    Args:
        generator: Of the PyTorch model, with the weights of the bundle.
        bundle: The folder of the model.
        shard: Its longest document is the prompt, so that as many positions are compared.

    Returns:
        A sentence that says so if they differ, else None.
    """
    longest = int(np.diff(shard.offsets).argmax())
    prompt_ids = shard.document(longest)[:PROMPT_TOKENS].tolist()
    try:
        difference = disagreement(generator.engine, load(bundle).engine, prompt_ids)
    except BundleError as error:
        return str(error)
    if difference <= MAX_DISAGREEMENT:
        return None
    return (
        f"The engine of anekdot generate computes another model than the one that was trained: "
        f"log-probabilities differ by up to {difference:.2g} nats. Change both alike."
    )
