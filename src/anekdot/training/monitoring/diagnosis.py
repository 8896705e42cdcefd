"""What keeps a model from being better: the texts, its size, or the time it was given."""

from collections.abc import Sequence

from anekdot.training.monitoring.metrics import Record

GAP = 0.08  # of the validation split's bits, between it and the training split
FRESH = 4.0  # epochs through which texts that come again teach almost as much as new ones
LAST = 20  # step records at the end, at most, that tell what the model has learned


def diagnose(records: Sequence[Record], validation: float | None) -> str:
    """Says in one sentence what would help most.

    A model that knows its own texts much better than others has too few of them; one that
    does not, and has seen them a few times only, has had too little time; else it is too small.

    Args:
        records: Of the run.
        validation: Bits per byte on the validation split, of the best model.

    Source: Muennighoff et al. 2023, "Scaling Data-Constrained Language Models": up to four
    epochs are about as good as new texts.
    """
    steps = [record for record in records if record["kind"] == "step"]
    steps = steps[-max(1, min(LAST, len(steps) // 10)) :]
    if not steps or validation is None:
        return "Nothing can be said about what limits this model without a validation split."
    training = sum(record["bits_per_byte"] for record in steps) / len(steps)
    epochs = steps[-1]["epoch"]
    figures = f"{training:.2f} bits per byte on its own texts, {validation:.2f} on others"
    if validation - training > GAP * validation:
        return f"More texts would help most: {figures}."
    if epochs < FRESH:
        return (
            f"A longer run would help most: it has seen its texts {epochs:.1f} times ({figures})."
        )
    return f"A larger model would help most: {figures}, after {epochs:.0f} times through them."
