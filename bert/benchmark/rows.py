"""Rows of random tokens without padding: what a cell costs does not depend on the corpus at hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from bert.benchmark.settings import Task

Rows = dict[str, npt.NDArray[Any]]

VOCAB_SIZE = 30522
"""Of BERT's uncased vocabulary."""


def predictions_of(sequence_length: int) -> int:
    """Masked tokens of a pretraining row: the reference's 20 of 128 and 80 of 512, others in proportion."""
    return max(1, sequence_length * 5 // 32)


def random_rows(task: Task, sequence_length: int, count: int, seed: int) -> Rows:
    """`count` rows of a task.

    Returns:
        {feature: (count, S)}, int32, and those of the task: of pretrain as in bert/examples/schema.py, with
        `predictions_of` predictions each; of squad start and end positions, (count,) int32.
    """
    rng = np.random.Generator(np.random.Philox(key=seed))
    shape = (count, sequence_length)
    positions = np.sort(rng.integers(1, sequence_length, (count, 2)), axis=1)
    rows = {
        "input_ids": rng.integers(1, VOCAB_SIZE, shape).astype(np.int32),
        "input_mask": np.ones(shape, np.int32),
        "segment_ids": np.broadcast_to(np.arange(shape[1]) >= shape[1] // 4, shape).astype(np.int32),
    }
    if task == "squad":
        return rows | {
            "start_positions": positions[:, 0].astype(np.int32),
            "end_positions": positions[:, 1].astype(np.int32),
        }
    predictions = predictions_of(sequence_length)
    places = np.sort(rng.random(shape).argsort(axis=1)[:, :predictions], axis=1)
    return rows | {
        "masked_lm_positions": places.astype(np.int32),
        "masked_lm_ids": rng.integers(1, VOCAB_SIZE, places.shape).astype(np.int32),
        "masked_lm_weights": np.ones(places.shape, np.float32),
        "next_sentence_labels": rng.integers(2, size=(count, 1)).astype(np.int32),
    }
