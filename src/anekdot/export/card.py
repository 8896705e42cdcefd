"""The card of a model that is given away: figures, limits, and samples that nobody picked."""

from collections.abc import Sequence
from textwrap import indent

from anekdot.bundle import Bundle
from anekdot.generation.generator import Generator
from anekdot.generation.numpy_engine import NumpyEngine
from anekdot.model_card import figures_of, model_card
from anekdot.text_output import harmless

SAMPLES = 10
SAMPLE_TOKENS = 100  # at most
LIMITS = """## Limits

It continues texts in the manner of those that it learned from, and does nothing else: it answers
no questions, and what it says is not true but by chance. What it tells may be rude, unfair, or
close to a text that exists. A vocabulary holds frequent pieces of the texts that it was made
from, up to whole words; the texts themselves are not here.
"""


def export_card(name: str, bundle: Bundle, note: str = "", usage: Sequence[str] = ()) -> str:
    """Returns a card as Markdown, without a text of the corpus.

    Args:
        name: What the model is called.
        bundle: The model; of its own card, only the line of figures is taken over.
        note: What else there is to say about the figures.
        usage: The lines that run it; those for a bundle unless given.
    """
    said = f"{figures_of(bundle.card)} {note}".rstrip()
    card = model_card(name, bundle.config, said, usage=usage)
    return f"{card}\n{LIMITS}\n{unpicked_samples(bundle)}"


def unpicked_samples(bundle: Bundle) -> str:
    """Returns the texts that the first seeds give, as a section of a card.

    Raises:
        BundleError: The model's numbers are not finite, or it has parts that are not computed.
    """
    generator = Generator(bundle.tokenizer, NumpyEngine.from_bundle(bundle))
    samples = generator.samples(n=SAMPLES, seed=0, max_tokens=SAMPLE_TOKENS)
    quoted = "\n    ***\n".join(indent(harmless(sample.text), "    ") for sample in samples)
    return f"## {SAMPLES} samples that nobody picked (seeds 0 to {SAMPLES - 1})\n\n{quoted}\n"
