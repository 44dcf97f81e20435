"""The one TFRecord schema, for writer and reader: the reference's feature names, dtypes and shapes.

B/run_pretraining.py of NVIDIA's BERT for TensorFlow reads these records as they are. S: sequence length,
P: max predictions.

    input_ids, input_mask, segment_ids      int64 (S,)
    masked_lm_positions, masked_lm_ids      int64 (P,)      padded with 0
    masked_lm_weights                       float32 (P,)    1 for a prediction, 0 for padding
    next_sentence_labels                    int64 (1,)      1: the second segment is random
"""

from __future__ import annotations

import struct
from typing import IO, Any

import google_crc32c

INTEGERS = ("input_ids", "input_mask", "segment_ids", "masked_lm_positions", "masked_lm_ids", "next_sentence_labels")
FLOATS = ("masked_lm_weights",)


def feature_lengths(sequence_length: int, max_predictions: int) -> dict[str, int]:
    """{feature: number of values}."""
    per_token = dict.fromkeys(("input_ids", "input_mask", "segment_ids"), sequence_length)
    per_prediction = dict.fromkeys(("masked_lm_positions", "masked_lm_ids", "masked_lm_weights"), max_predictions)
    return {**per_token, **per_prediction, "next_sentence_labels": 1}


def serialize(example: dict[str, Any]) -> bytes:
    """A tf.train.Example of {feature: 1-D array}, the same bytes in every process.

    Without `deterministic` protobuf orders the feature map differently from run to run.
    """
    import tensorflow as tf

    features = {}
    for name, values in example.items():
        if name in FLOATS:
            features[name] = tf.train.Feature(float_list=tf.train.FloatList(value=values))
        else:
            features[name] = tf.train.Feature(int64_list=tf.train.Int64List(value=values))
    message = tf.train.Example(features=tf.train.Features(feature=features))
    return bytes(message.SerializeToString(deterministic=True))


def masked_crc(data: bytes) -> int:
    """TFRecord's checksum: CRC-32C, rotated right by 15 bits plus a constant (tensorflow/core/lib/hash/crc32c.h)."""
    crc = google_crc32c.value(data)
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def write_record(file: IO[bytes], record: bytes) -> None:
    """Append one record: length, its checksum, the bytes, their checksum.

    Written here since tf.io's writer cannot write through Beam's file systems.
    """
    length = struct.pack("<Q", len(record))
    file.write(length + struct.pack("<I", masked_crc(length)) + record + struct.pack("<I", masked_crc(record)))
