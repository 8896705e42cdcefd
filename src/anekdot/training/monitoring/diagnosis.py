"""Diagnosis: what limits a model: its texts, its size, or the time it was given."""

from collections.abc import Iterable, Sequence

from anekdot.errors import ConfigurationError
from anekdot.training.monitoring.metrics import Record
from anekdot.training.state import TrainingState

OVERFITTING_GAP = 0.08  # of the validation bits per byte, between validation and training
MAX_USEFUL_EPOCHS = 4.0  # texts seen again up to so often teach almost as much as new ones
LAST_RECORDS = 20  # at most so many step records at the end give the training loss


def divergence(state: TrainingState, sources: Iterable[str]) -> ConfigurationError:
    """Returns the error of a run that diverges even at a lower learning rate.

    Args:
        state: Where the run stands.
        sources: Where the documents of the last batch came from.
    """
    return ConfigurationError(
        f"The loss or the weights became infinite before step {state.step}, also at "
        f"{state.lr_scale:g} of the learning rate; the last batch had {', '.join(sources)}.",
        "Train into another folder with a lower --learning-rate, or with "
        "a --gradient-clip above 0.",
    )


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
    steps = steps[-max(1, min(LAST_RECORDS, len(steps) // 10)) :]
    if not steps or validation is None:
        return "Without a validation split nothing can be said about what limits this model."
    training = sum(record["bits_per_byte"] for record in steps) / len(steps)
    epochs = steps[-1]["epoch"]
    figures = f"{training:.2f} bits per byte on its own texts, {validation:.2f} on others"
    if validation - training > OVERFITTING_GAP * validation:
        return f"More texts would help most: {figures}."
    if epochs < MAX_USEFUL_EPOCHS:
        return (
            f"A longer run would help most: it has seen its texts {epochs:.1f} times ({figures})."
        )
    return f"A larger model would help most: {figures}, after {epochs:.0f} times through them."
