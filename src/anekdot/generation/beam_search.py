"""Beam search: the likeliest text that a search of a given width finds.

Every step extends each running beam by each token and keeps the likeliest; a beam that takes
the end token is finished. The search stops when no running beam could beat the best finished
one even if all its further tokens were certain.

Source: Freitag and Al-Onaizan 2017, "Beam Search Strategies for Neural Machine Translation",
section 3, with the mean log-probability as score.

Letters: ``B`` running beams, ``V`` vocabulary.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anekdot.generation.engine import Engine
from anekdot.generation.sampling import check_logits, log_probabilities


@dataclass(frozen=True)
class Beam:
    """A text in the making: the ids after the prompt, their log-probability, and its cache.

    Attributes:
        ids: Tokens, the end token included when it has come.
        nats: Their log-probability.
        cache: Of the tokens that the engine has read.
    """

    ids: tuple[int, ...]
    nats: float
    cache: Any

    @property
    def score(self) -> float:
        """Mean log-probability per token, so that long texts may win."""
        return self.nats / max(1, len(self.ids))


def beam_search(
    engine: Engine[Any],
    prompt_ids: list[int],
    *,
    beams: int,
    max_tokens: int,
    end_id: int,
    forbidden: list[int],
    allow_empty: bool,
) -> tuple[list[int], bool]:
    """Returns the ids that follow the prompt, and whether the text ended by itself.

    Args:
        engine: The model.
        prompt_ids: Begin token and prompt.
        beams: Width of the search.
        max_tokens: Most tokens of a text.
        end_id: The token that ends a text; it is not returned.
        forbidden: Tokens that never occur.
        allow_empty: Whether the first token may be the end token.
    """
    cache = engine.new_cache(len(prompt_ids) + max_tokens)
    running, finished = [Beam((), 0.0, cache)], list[Beam]()
    logits_BV = engine.prefill(prompt_ids, cache)[None]
    for position in range(max_tokens + 1):
        never = forbidden if position or allow_empty else [*forbidden, end_id]
        extended = _extend(running, logits_BV, beams, never)
        finished += [beam for beam in extended if beam.ids[-1] == end_id]
        if position == max_tokens:  # only the end token would still fit
            break
        running = [
            replace(beam, cache=beam.cache.copy()) for beam in extended if beam.ids[-1] != end_id
        ]
        best = max((beam.score for beam in finished), default=-np.inf)
        if all(beam.nats / (max_tokens + 1) <= best for beam in running):
            break
        logits_BV = engine.decode([beam.ids[-1] for beam in running], [b.cache for b in running])
    winner = max(finished or running, key=lambda beam: beam.score)
    ended = winner.ids[-1:] == (end_id,)
    return list(winner.ids[:-1] if ended else winner.ids), ended


def _extend(
    running: list[Beam], logits_BV: NDArray[np.float32], beams: int, never: list[int]
) -> list[Beam]:
    """Returns the likeliest beams of one more token, each with the cache of its parent."""
    candidates: list[tuple[float, int, int]] = []
    for number, (beam, logits_V) in enumerate(zip(running, logits_BV, strict=True)):
        check_logits(logits_V)
        log_V = log_probabilities(logits_V)
        log_V[never] = -np.inf
        for token in np.argsort(-log_V, kind="stable")[:beams]:
            candidates.append((beam.nats + float(log_V[token]), number, int(token)))
    candidates.sort(key=lambda candidate: (-candidate[0], candidate[1:]))
    return [
        Beam((*running[number].ids, token), nats, running[number].cache)
        for nats, number, token in candidates[:beams]
    ]
