"""A tiny run: its settings, the records it leaves, and its weights."""

import json

from anekdot.atomic_files import sha256

TINY_RUN = {
    "n_layer": 1, "n_head": 2, "n_kv_head": 1, "hidden_dim": 16, "intermediate_dim": 32,
    "vocab_size": 300, "context_length": 32, "batch_size": 8, "validation": 0.1, "test": 0.1,
    "steps": 40, "warmup_steps": 3, "evaluate_every": 4, "sample_every": 20,
    "checkpoint_every": 20,
}  # fmt: skip


def metrics(folder, kind):
    lines = (folder / "run/metrics.jsonl").read_text("utf-8").splitlines()
    return [record for record in map(json.loads, lines) if record["kind"] == kind]


def weights_hash(bundle):
    """The hash of a bundle's weights: equal if two runs ended equal to the bit."""
    return sha256(bundle / "model.safetensors")
