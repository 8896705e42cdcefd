"""The model card: the README.md of a bundle, for people."""

import json
import re
import shlex
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from textwrap import indent
from typing import TYPE_CHECKING

from anekdot.atomic_files import staged
from anekdot.bundle import CARD
from anekdot.errors import AnekdotError
from anekdot.model.config import ModelConfig
from anekdot.run_folder import MANIFEST, RunFolder
from anekdot.text_output import harmless

if TYPE_CHECKING:
    from anekdot.evaluation.likelihood import Likelihood

# What of a card is passed on: each sentence is of figures alone.
_FIGURES = (
    r"(?m)^On \d+ validation documents: [\d., a-z±]+ perplexity [\d.]+",
    r"It learned from [\d,]+ documents of [\d,]+ tokens\.",
    r"It began with the weights of another model, of the fingerprint [\da-f]{64}\.",
)
NOT_MEASURED = "It was not measured on a validation split."


def write_card(folder: Path, config: ModelConfig, validation: "Likelihood | None") -> None:
    """Writes the card of a bundle into its folder."""
    with staged(folder / CARD) as draft:
        name = folder.resolve().name
        run = RunFolder(folder)
        card = model_card(name, config, f"{figures(validation)}{learned_from(run)}")
        if run.data.exists():
            card += f"\n{texts_inside(name)}\n"
        draft.write_text(card, "utf-8")


def texts_inside(bundle: Path | str) -> str:
    """Returns the warning that a bundle's folder holds the texts that it learned from.

    Args:
        bundle: The folder, as it is to be named.
    """
    bundle = harmless(str(bundle)).replace("\n", " ")
    return (
        f"{RunFolder(Path(bundle)).data} holds the texts that the model learned from. To give it "
        f"away without them: anekdot export {shlex.quote(bundle)} --to bundle "
        f"--out {shlex.quote(bundle + '.zip')}"
    )


def figures(validation: "Likelihood | None") -> str:
    """Returns a line about how good a model is, measured on the whole validation split, if any."""
    if validation is None:
        return NOT_MEASURED
    error = "" if validation.error is None else f" ± {validation.error:.3f}"
    return (
        f"On {validation.documents} validation documents: {validation.bits_per_byte:.3f}{error} "
        f"bits per byte, {validation.loss:.3f} nats per token, "
        f"perplexity {validation.perplexity:.1f}."
    )


def learned_from(run: RunFolder) -> str:
    """Returns sentences about what a run started from, as far as its folder says so."""
    said = ""
    with suppress(AnekdotError, OSError, ValueError, KeyError, TypeError):
        manifest = json.loads((run.prepared_folder() / MANIFEST).read_text("utf-8"))
        documents, tokens = (int(manifest[part]["train"]) for part in ("documents", "tokens"))
        said += f" It learned from {documents:,} documents of {tokens:,} tokens."
        base = json.loads(run.config.read_text("utf-8"))["from"]
        if base is not None:
            said += f" It began with the weights of another model, of the fingerprint {base}."
    return said


def figures_of(card: str) -> str:
    r"""Returns what a card says in figures.

    >>> figures_of("# Cat\n\nOn 7 validation documents: 0.9 bits per byte, perplexity 8.0.\n\n…")
    'On 7 validation documents: 0.9 bits per byte, perplexity 8.0.'
    """
    found = [match[0] for pattern in _FIGURES if (match := re.search(pattern, card))]
    return " ".join(found) if found else NOT_MEASURED


def model_card(
    name: str,
    config: ModelConfig,
    figures: str,
    origin: str = "trained with anekdot",
    usage: Sequence[str] = (),
) -> str:
    """Returns the card of a model as Markdown.

    Args:
        name: The name of its folder, of whatever characters.
        config: Its shape.
        figures: How good it is.
        origin: Where the model came from, as a participle.
        usage: The lines that run it; those for a bundle unless given.
    """
    name = harmless(name).replace("\n", " ")
    lines = "\n".join(usage or [f'anekdot generate --model {shlex.quote(name)} "…"'])
    return f"""# {name}

A decoder-only Transformer of {config.n_parameters:,} parameters, {harmless(origin)}.

{figures}

Layers {config.n_layer}, heads {config.n_head} (KV {config.n_kv_head}), width \
{config.hidden_dim}, feed-forward {config.intermediate_dim}, vocabulary {config.vocab_size}, \
context {config.context_length} tokens.

{indent(lines, "    ")}
"""
