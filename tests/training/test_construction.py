"""A trainer that was built is whole, and has changed nothing but itself."""

import os
import random
import signal
import threading

import numpy as np
import pytest
import torch

import anekdot
from anekdot.config import resolve
from anekdot.corpus.shards import Shard
from anekdot.errors import ConfigurationError
from anekdot.run_folder import RunFolder
from anekdot.tokenizer.tokenizer import Tokenizer
from anekdot.training.trainer import Trainer
from tests.support.runs import TINY_RUN, metrics

FEW = TINY_RUN | {"steps": 20}


def build(data, out) -> Trainer:
    tokenizer = Tokenizer.load(data / "tokenizer.json")
    shards = {split: Shard.open(data, split) for split in ("train", "validation")}
    resolved = resolve(fields=FEW).with_corpus_defaults(
        documents=len(shards["train"]),
        tokens=len(shards["train"].ids),
        vocab_size=tokenizer.vocab_size,
    )
    return Trainer(
        RunFolder(out),
        resolved.model,
        resolved.training,
        tokenizer=tokenizer,
        train_shard=shards["train"],
        validation_shard=shards["validation"],
    )


def world() -> list[object]:
    """What a constructor might change besides its object."""
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    generators = [
        torch.get_rng_state().tolist(),
        random.getstate(),
        np.random.get_state()[1].tolist(),
    ]
    threads = [thread.name for thread in threading.enumerate()]
    return [dict(os.environ), handlers, generators, threads, torch.get_num_threads()]


def test_building_touches_neither_disk_nor_global_state(data, tmp_path):
    before, out = world(), tmp_path / "m"
    trainer = build(data, out)
    assert world() == before
    assert not out.exists()
    assert trainer.generator.generate(seed=1, max_tokens=5).text
    assert trainer.model.training
    assert world() == before


def test_a_trainer_goes_on_after_a_stop_and_after_its_end(data, tmp_path):
    whole, stopped = build(data, tmp_path / "whole"), build(data, tmp_path / "stopped")
    expected = whole.train()

    def stop(record: dict) -> None:
        if record["kind"] == "step":
            raise KeyboardInterrupt

    stopped.observers = [stop]
    with pytest.raises(KeyboardInterrupt):
        stopped.train()
    stopped.observers = []
    assert stopped.train() == expected
    assert stopped.train() == expected
    losses = [
        [r["loss"] for r in metrics(tmp_path / name, "step")] for name in ("whole", "stopped")
    ]
    assert losses[0] == losses[1]


def test_a_trainer_that_cannot_be_built_leaves_the_folder_to_the_next_try(
    data, tmp_path, monkeypatch
):
    own = {name: value for name, value in FEW.items() if name not in ("validation", "test")}
    with monkeypatch.context() as patch:
        patch.setattr("anekdot.training.trainer.set_up", too_large)
        with pytest.raises(MemoryError):
            anekdot.train(data, out=tmp_path / "m", **(own | {"hidden_dim": 64}))
    assert not (tmp_path / "m").exists()
    anekdot.train(data, out=tmp_path / "m", **own)
    with pytest.raises(ConfigurationError, match="hidden_dim 16 → 64"):
        anekdot.train(data, out=tmp_path / "m", **(own | {"hidden_dim": 64}))


def too_large(*_: object) -> None:
    raise MemoryError


def test_a_model_that_is_not_the_best_is_not_saved_at_the_step_of_the_best(data, tmp_path):
    """After a rollback, the steps up to the best one come a second time."""
    trainer, saved = build(data, tmp_path / "m"), []
    trainer.checkpoints.save_best = lambda bundle, state: saved.append(bundle)
    trainer.run.run.mkdir(parents=True)
    trainer.state.step = trainer.state.best_step = 8
    trainer.state.best_bits_per_byte = 0.01
    trainer._evaluate()
    assert saved == []
    trainer.state.best_bits_per_byte = 99.0
    trainer._evaluate()
    assert len(saved) == 1
