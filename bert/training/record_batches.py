"""Batches of pretraining examples from records: this rank's rows of every global batch, prefetched."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import tensorflow as tf

from bert.examples.dynamic_masking import DynamicMasking
from bert.examples.reading import Records
from bert.examples.schema import FLOATS
from bert.pipeline.errors import StageError
from bert.training.batches import prefetched, rows_of
from bert.training.world import Split, World


def record_batches(
    records: Records,
    masking: DynamicMasking | None,
    seed: int,
    first_step: int,
    steps: int,
    split: Split,
    world: World,
) -> Iterator[dict[str, Any]]:
    """{feature: (rows per rank, length)} for each step from `first_step` on.

    Args:
        masking: for records that are not masked yet.

    Raises:
        StageError: a file is truncated or corrupt.
    """
    broken: list[StageError] = []

    def of_steps() -> Iterator[Any]:
        try:
            for step in range(first_step, steps):
                places = [records.place(seed, position) for position in rows_of(step, split, world)]
                chosen = [records[index] for _, index in places]
                yield masking.training_rows(chosen, seed, places) if masking else chosen
        except StageError as error:
            # tf.data would wrap it into an error of its own: end here, and raise it where the batches are taken.
            broken.append(error)

    rows = split.rows_per_rank
    if masking:
        spec: Any = {
            name: tf.TensorSpec([rows, size], tf.float32 if name in FLOATS else tf.int32)
            for name, size in records.feature_lengths.items()
        }
        batches = tf.data.Dataset.from_generator(of_steps, output_signature=spec)
    else:
        spec = tf.TensorSpec([rows], tf.string)
        batches = tf.data.Dataset.from_generator(of_steps, output_signature=spec).map(records.parse)
    yield from prefetched(batches)
    if broken:
        raise broken[0]


def held_out_batch(records: Records, masking: DynamicMasking | None, places: list[tuple[int, int]]) -> dict[str, Any]:
    """{feature: (B, length)} tensors of the records at `places` (which time over, index in file order)."""
    chosen = [records[index] for _, index in places]
    if masking is None:
        return records.parse(tf.constant(chosen))
    return {name: tf.constant(values) for name, values in masking.evaluation_rows(chosen, places).items()}
