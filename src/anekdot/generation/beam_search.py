"""Beam search: the likeliest text that a search of a given width finds."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from anekdot.generation.engine import Engine
from anekdot.generation.sampling import log_probabilities


@dataclass(frozen=True)
class Beam:
    """A text in the making: ids, its log-probability in nats, and what the engine needs."""

    ids: tuple[int, ...]
    nats: float
    logits_V: Any
    cache: Any

    @property
    def score(self) -> float:
        """Mean log-probability a token, so that long texts may win."""
        return self.nats / max(1, len(self.ids))


def beam_search(
    engine: Engine,
    prompt_ids: list[int],
    *,
    beams: int,
    max_tokens: int,
    end_id: int,
    forbidden: list[int],
    allow_empty: bool,
) -> tuple[list[int], bool]:
    """Returns the ids that follow the prompt, and whether they end by themselves.

    Every step extends each beam by each token and keeps the ``beams`` likeliest; a beam
    that takes the end token is finished. The search stops when no running beam can beat
    the best finished one even if all its further tokens were certain.

    Source: Freitag and Al-Onaizan 2017, "Beam Search Strategies for Neural Machine
    Translation", section 3, with the mean log-probability as score.

    Args:
        engine: Continues one row.
        prompt_ids: Begin token and prompt.
        beams: Width of the search.
        max_tokens: Most tokens of a text.
        end_id: The token that ends a text; it is not returned.
        forbidden: Tokens that never occur.
        allow_empty: Whether the first token may be the end token.
    """
    cache = engine.new_cache(len(prompt_ids) + max_tokens)
    running = [Beam((), 0.0, engine.forward(prompt_ids, cache), cache)]
    finished: list[Beam] = []
    for position in range(max_tokens + 1):
        candidates: list[tuple[float, int, int]] = []
        for number, beam in enumerate(running):
            log_V = log_probabilities(beam.logits_V)
            log_V[forbidden] = -np.inf
            if position == 0 and not allow_empty:
                log_V[end_id] = -np.inf
            for token in np.argsort(-log_V, kind="stable")[: beams + 1]:
                candidates.append((beam.nats + float(log_V[token]), number, int(token)))
        candidates.sort(key=lambda candidate: (-candidate[0], candidate[1:]))
        if position == max_tokens:  # no room but for the end
            ends = [(nats, number) for nats, number, token in candidates[:beams] if token == end_id]
            finished += [Beam((*running[n].ids, end_id), nats, None, None) for nats, n in ends]
            break
        survivors: list[Beam] = []
        for nats, number, token in candidates[:beams]:
            parent = running[number]
            ids = (*parent.ids, token)
            if token == end_id:
                finished.append(Beam(ids, nats, None, None))
                continue
            cache = parent.cache.copy()
            survivors.append(Beam(ids, nats, engine.forward([token], cache), cache))
        running = survivors
        best = max((beam.score for beam in finished), default=-np.inf)
        if all(beam.nats / (max_tokens + 1) <= best for beam in running):
            break
    winner = max(finished or running, key=lambda beam: beam.score)
    ended = winner.ids[-1:] == (end_id,)
    return list(winner.ids[:-1] if ended else winner.ids), ended
