"""Records as TensorFlow reads them, by the reference's own description of the features."""

from __future__ import annotations

from pathlib import Path
from typing import Any

# The published reference's features: S = max_seq_length, P = max_predictions_per_seq.
REFERENCE = {
    "input_ids": ("int64", "S"),
    "input_mask": ("int64", "S"),
    "segment_ids": ("int64", "S"),
    "masked_lm_positions": ("int64", "P"),
    "masked_lm_ids": ("int64", "P"),
    "masked_lm_weights": ("float32", "P"),
    "next_sentence_labels": ("int64", 1),
}


def parse(path: Path, s: int, p: int) -> list[dict[str, Any]]:
    """The examples of a TFRecord file of sequence length `s` and `p` predictions, their checksums verified."""
    import tensorflow as tf

    features = {
        name: tf.io.FixedLenFeature([{"S": s, "P": p}.get(str(size), size)], dtype)
        for name, (dtype, size) in REFERENCE.items()
    }
    records = tf.data.TFRecordDataset(str(path))
    return list(records.map(lambda record: tf.io.parse_single_example(record, features)).as_numpy_iterator())
