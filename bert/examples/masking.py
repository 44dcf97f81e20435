"""Masked language modelling: which tokens to predict, and what stands in their place (Devlin et al. 2019, 3.1)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[np.int32]

# Of the chosen tokens 80 % become [MASK], 10 % a random piece, 10 % stay.
MASK_RATE = 0.8
RANDOM_RATE = 0.1


@dataclass(frozen=True)
class Masked:
    """tokens: (S,) with the chosen ones replaced; positions: (P,) ascending; labels: (P,) what stood there."""

    tokens: Ids
    positions: Ids
    labels: Ids


def mask(
    tokens: Ids,
    maskable: npt.NDArray[np.bool_],
    rng: np.random.Generator,
    *,
    prob: float,
    max_predictions: int,
    mask_id: int,
    vocab_size: int,
    mask_rate: float = MASK_RATE,
    random_rate: float = RANDOM_RATE,
) -> Masked:
    """Choose `prob` of all tokens (at least one, at most `max_predictions`) among the maskable ones and replace them.

    The number is rounded from the length with [CLS] and [SEP] in it, and random pieces are drawn from the whole
    vocabulary, both as in BERT's create_pretraining_data.py.

    Args:
        tokens: (S,) ids without padding.
        maskable: (S,) False at [CLS] and [SEP].
    """
    candidates = np.flatnonzero(maskable)
    count = min(max_predictions, max(1, round(len(tokens) * prob)), len(candidates))
    positions = np.sort(rng.permutation(candidates)[:count]).astype(np.int32)
    labels = tokens[positions]
    fate = rng.random(count)
    random_pieces = rng.integers(vocab_size, size=count, dtype=np.int32)
    replaced = np.where(fate < mask_rate, np.int32(mask_id), labels)
    replaced = np.where((fate >= mask_rate) & (fate < mask_rate + random_rate), random_pieces, replaced)
    masked = tokens.copy()
    masked[positions] = replaced
    return Masked(masked, positions, labels)
