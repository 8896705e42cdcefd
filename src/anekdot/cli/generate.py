"""anekdot generate."""

import dataclasses
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from anekdot.generation.generator import MAX_TOKENS, TEMPERATURE, load
from anekdot.text_output import json_line


def generate(
    prompt: str = "",
    /,
    *,
    model: Annotated[Path | None, Parameter(name="--model")] = None,
    n: Annotated[int, Parameter(name=["-n", "--n"])] = 1,
    temperature: float = TEMPERATURE,
    top_k: int | None = None,
    beams: int | None = None,
    max_tokens: int = MAX_TOKENS,
    seed: int | None = None,
    json_lines: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> None:
    """Generate whole texts that begin with a prompt.

    Args:
        prompt: How the text begins; may be left out.
        model: A bundle, a folder or one .zip; without it, the pretrained one.
        n: Number of texts.
        temperature: 0 always takes the likeliest token; below 1 is calmer, above 1 wilder.
        top_k: Choose among the k likeliest tokens.
        beams: Search for the likeliest text with so many beams, instead of sampling.
        max_tokens: Longest text, in tokens.
        seed: The same seed gives the same text; text number i has the seed plus i.
        json_lines: Print one JSON object per line, one for each text.
    """
    samples = load(model).samples(
        prompt,
        n=n,
        seed=seed,
        temperature=temperature,
        top_k=top_k,
        beams=beams,
        max_tokens=max_tokens,
    )
    for number, sample in enumerate(samples):
        if json_lines:
            print(json_line(dataclasses.asdict(sample)), flush=True)
        else:
            print("\n***\n" * (number > 0) + sample.text, flush=True)
