"""The TFRecord schema, for writer and reader: the reference's feature names, dtypes and shapes.

NVIDIA's DeepLearningExamples (TensorFlow/LanguageModeling/BERT/run_pretraining.py) reads these records as they are.
S: sequence length, P: max predictions.

    input_ids, input_mask, segment_ids      int64 (S,)
    masked_lm_positions, masked_lm_ids      int64 (P,)      padded with 0
    masked_lm_weights                       float32 (P,)    1 for a prediction, 0 for padding
    next_sentence_labels                    int64 (1,)      1: the second segment is random (not with objective mlm)

Packed rows hold up to M sequences, numbered from 1 in `input_mask` (0 is padding); next_sentence_labels is (M,) then:

    next_sentence_positions                 int64 (M,)      of each sequence's [CLS], padded with 0
    next_sentence_weights                   float32 (M,)    1 for a sequence, 0 for padding

Under dynamic masking a record holds a row's sequences as they are, for bert/examples/dynamic_masking.py. Q of them,
T tokens:

    tokens                                  int64 (T,)      [CLS] a [SEP] b [SEP], those of all sequences
    lengths, firsts                         int64 (Q,)      of each sequence, and of its [CLS] a [SEP]
    labels                                  int64 (Q,)      of the next sentences
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from functools import cache
from itertools import pairwise
from typing import IO, Any

import google_crc32c
import numpy as np
import numpy.typing as npt

FLOATS = ("masked_lm_weights", "next_sentence_weights")
UNMASKED = ("tokens", "lengths", "firsts", "labels")


def feature_lengths(
    sequence_length: int, max_predictions: int, sequences: int = 1, next_sentence: bool = True
) -> dict[str, int]:
    """{feature: number of values}, of rows with at most `sequences` sequences."""
    per_token = dict.fromkeys(("input_ids", "input_mask", "segment_ids"), sequence_length)
    per_prediction = dict.fromkeys(("masked_lm_positions", "masked_lm_ids", "masked_lm_weights"), max_predictions)
    lengths = {**per_token, **per_prediction}
    if next_sentence:
        lengths["next_sentence_labels"] = sequences
        if sequences > 1:
            lengths |= dict.fromkeys(("next_sentence_positions", "next_sentence_weights"), sequences)
    return lengths


def _varint(value: int) -> bytes:
    """Protocol buffers' base-128 number: seven bits a byte, the lowest first."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _varints(values: npt.NDArray[Any]) -> tuple[bytes, npt.NDArray[np.int64]]:
    """The numbers behind one another, and (N + 1,) where each one begins."""
    if not len(values):
        return b"", np.zeros(1, np.int64)
    if values.min() < 0:
        raise ValueError(f"features are numbers from 0 on, got {values.min()}")
    if values.max() <= 0x7F:
        return values.astype(np.uint8).tobytes(), np.arange(len(values) + 1)
    sizes = np.ones(len(values), np.int64)
    for bits in range(7, int(values.max()).bit_length(), 7):
        sizes += values >> bits > 0
    starts = np.concatenate([[0], np.cumsum(sizes)])
    out = np.empty(starts[-1], np.uint8)
    for byte in range(int(sizes.max())):
        has = np.flatnonzero(sizes > byte)
        more = (sizes[has] > byte + 1).astype(np.uint8) << 7
        out[starts[has] + byte] = (values[has] >> 7 * byte & 0x7F).astype(np.uint8) | more
    return out.tobytes(), starts


@cache
def _field(number: int, size: int) -> bytes:
    """The head of a length-delimited field."""
    return _varint(number << 3 | 2) + _varint(size)


@cache
def _feature(name: str, size: int) -> bytes:
    """What stands before `size` bytes of packed values of a feature, from its entry in the map of features on."""
    key = _field(1, len(name)) + name.encode()
    packed = _field(1, size) if size else b""
    values = _field(2 if name in FLOATS else 3, len(packed) + size) + packed
    feature = _field(2, len(values) + size) + values
    return _field(1, len(key) + len(feature) + size) + key + feature


def serialize(columns: Mapping[str, npt.NDArray[Any] | list[npt.NDArray[Any]]]) -> list[bytes]:
    """Rows as tf.train.Example messages, the features in alphabetical order.

    These are the bytes of protobuf's `SerializeToString(deterministic=True)`, written for all rows at once.

    Args:
        columns: {feature: (N, length), or N arrays of any lengths}; integers from 0 on, FLOATS are float32.
    """
    # Lists of bytes by column: a list per row would set off Python's garbage collector over and over.
    parts: list[list[bytes]] = []
    for name in sorted(columns):
        values = columns[name]
        lengths = np.array([len(v) for v in values], np.int64)
        flat = np.concatenate([*values])
        edges = np.concatenate([[0], np.cumsum(lengths)])
        if name in FLOATS:
            data, bounds = flat.astype("<f4").tobytes(), (4 * edges).tolist()
        else:
            data, starts = _varints(flat)
            bounds = starts[edges].tolist()
        parts.append([_feature(name, stop - start) for start, stop in pairwise(bounds)])
        parts.append([data[start:stop] for start, stop in pairwise(bounds)])
    messages = [b"".join(row) for row in zip(*parts, strict=True)]
    return [_field(1, len(message)) + message for message in messages]


def masked_crc(data: bytes) -> int:
    """TFRecord's checksum: CRC-32C, rotated right by 15 bits plus a constant (tensorflow/core/lib/hash/crc32c.h)."""
    crc = google_crc32c.value(data)
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


@cache
def _length_header(length: int) -> bytes:
    packed = struct.pack("<Q", length)
    return packed + struct.pack("<I", masked_crc(packed))


def write_record(file: IO[bytes], record: bytes) -> None:
    """Append one record: length, its checksum, the bytes, their checksum.

    Written here since tf.io's writer cannot write through Beam's file systems.
    """
    file.write(_length_header(len(record)) + record + struct.pack("<I", masked_crc(record)))
