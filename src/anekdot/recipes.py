"""Recipes: settings that go together."""

from dataclasses import dataclass
from typing import Literal

from anekdot.training.config import Rows


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Settings that go together; what is None follows from elsewhere.

    Attributes:
        batch_size: Rows per step.
        rows: How documents fill rows, see ``TrainingConfig``.
        learning_rate: The highest.
        warmup_steps: At most; a run of fewer than ten times as many has a shorter warm-up.
        beta2: AdamW's decay of the mean squared gradient.
        weight_decay: AdamW's decoupled decay of the matrices.
        beta1: AdamW's decay of the mean gradient.
        epsilon: AdamW's guard against division by zero.
        gradient_clip: Maximum norm of the whole gradient.
        dropout: Probability of zeroing an activation in training.
        vocab_size: Tokens in the vocabulary; None where the base model has one.
        context_length: Tokens in a training row; likewise.
        tie_embeddings: Whether the output head is the embedding matrix; likewise.
        steps: Optimizer steps; None where they follow from the size of the corpus.
        epochs: Passes over the corpus, where the steps follow from it.
        min_steps: Fewest steps, where they follow from it.
    """

    batch_size: int
    rows: Rows
    learning_rate: float
    warmup_steps: int
    beta2: float
    weight_decay: float
    beta1: float = 0.9
    epsilon: float = 1e-8
    gradient_clip: float = 1.0
    dropout: float = 0.0
    vocab_size: int | None = None
    context_length: int | None = None
    tie_embeddings: bool | None = None
    steps: int | None = None
    epochs: int = 1
    min_steps: int = 1


RECIPES = {
    "default": Recipe(
        vocab_size=2048,
        context_length=256,
        tie_embeddings=True,
        batch_size=16,
        rows="packed",
        learning_rate=1e-3,
        warmup_steps=100,
        beta2=0.99,
        weight_decay=0.1,
        epochs=20,
        min_steps=300,
    ),
    "mission": Recipe(
        vocab_size=1024,
        context_length=128,
        tie_embeddings=False,
        batch_size=32,
        rows="documents",
        learning_rate=3e-4,
        warmup_steps=500,
        beta2=0.999,
        weight_decay=0.01,
        steps=10_000,
    ),
    "finetune": Recipe(  # small steps that stop early: a few texts are soon known by heart
        batch_size=4,
        rows="packed",
        learning_rate=1e-4,
        warmup_steps=20,
        beta2=0.99,
        weight_decay=0.1,
        dropout=0.2,
        epochs=5,
        min_steps=20,
    ),
}


RecipeName = Literal["default", "mission", "finetune"]
PresetName = Literal["nano", "mini", "small"]
