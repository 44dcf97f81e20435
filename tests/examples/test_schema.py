"""bert/examples/schema.py: TensorFlow reads what we write, and every process writes the same."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bert.examples.schema import FLOATS, INTEGERS, feature_lengths, masked_crc, serialize, write_record
from bert.pipeline.code import ROOT

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


def example(seed: int = 0, s: int = 16, p: int = 4) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    lengths = feature_lengths(s, p)
    return {
        name: rng.random(n, np.float32) if name in FLOATS else rng.integers(0, 30_000, n) for name, n in lengths.items()
    }


def test_names_types_and_lengths_are_those_of_the_reference() -> None:
    lengths = feature_lengths(128, 20)
    assert {*INTEGERS, *FLOATS} == lengths.keys() == REFERENCE.keys()
    for name, (dtype, size) in REFERENCE.items():
        assert (name in FLOATS) == (dtype == "float32")
        assert lengths[name] == {"S": 128, "P": 20}.get(str(size), size)


def parse(path: Path, s: int, p: int) -> list[dict[str, Any]]:
    """Read by tf.data, checksums and all, with the reference's own description of the features."""
    import tensorflow as tf

    features = {
        name: tf.io.FixedLenFeature([{"S": s, "P": p}.get(str(size), size)], dtype)
        for name, (dtype, size) in REFERENCE.items()
    }
    records = tf.data.TFRecordDataset(str(path))
    return list(records.map(lambda record: tf.io.parse_single_example(record, features)).as_numpy_iterator())


def test_tf_data_reads_what_was_written(tmp_path: Path) -> None:
    path = tmp_path / "some.tfrecord"
    written = [example(seed) for seed in range(5)]
    with open(path, "wb") as f:
        for one in written:
            write_record(f, serialize(one))
    for one, back in zip(written, parse(path, 16, 4), strict=True):
        for name, (dtype, _) in REFERENCE.items():
            assert back[name].dtype == dtype
            np.testing.assert_array_equal(back[name], one[name])


def test_the_file_is_byte_for_byte_what_tensorflow_writes(tmp_path: Path) -> None:
    import tensorflow as tf

    records = [b"", b"one", serialize(example()), bytes(70_000)]
    with tf.io.TFRecordWriter(str(tmp_path / "theirs")) as writer:
        for record in records:
            writer.write(record)
    ours = io.BytesIO()
    for record in records:
        write_record(ours, record)
    assert ours.getvalue() == (tmp_path / "theirs").read_bytes()


def test_a_flipped_bit_is_noticed(tmp_path: Path) -> None:
    import tensorflow as tf

    path = tmp_path / "some.tfrecord"
    with open(path, "wb") as f:
        write_record(f, serialize(example()))
    data = bytearray(path.read_bytes())
    data[40] ^= 1
    path.write_bytes(data)
    with pytest.raises(tf.errors.DataLossError):
        parse(path, 16, 4)


def test_the_checksum_is_castagnoli_s_and_masked() -> None:
    # CRC-32C of "123456789" is e3069283, the standard's check value.
    crc = 0xE3069283
    assert masked_crc(b"123456789") == ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


@pytest.mark.slow
def test_another_process_serializes_to_the_same_bytes() -> None:
    code = (
        "import sys; from tests.examples.test_schema import example; from bert.examples.schema import serialize\n"
        "sys.stdout.write(''.join(serialize(example(n)).hex() for n in range(20)))"
    )
    process = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "123"},  # this process has another one
        capture_output=True,
        text=True,
        check=True,
    )
    assert process.stdout == "".join(serialize(example(n)).hex() for n in range(20))
