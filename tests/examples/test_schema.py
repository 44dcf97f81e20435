"""bert/examples/schema.py: TensorFlow reads what we write, and would have written the same."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bert.examples.schema import FLOATS, feature_lengths, masked_crc, serialize, write_record
from tests.examples.parsing import REFERENCE, parse


def example(seed: int = 0, s: int = 16, p: int = 4) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    lengths = feature_lengths(s, p)
    return {
        name: rng.random(n, np.float32) if name in FLOATS else rng.integers(0, 30_000, n) for name, n in lengths.items()
    }


def rows(*examples: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: np.stack([one[name] for one in examples]) for name in examples[0]}


def theirs(one: dict[str, Any]) -> bytes:
    """By protobuf itself."""
    import tensorflow as tf

    features = {
        name: tf.train.Feature(float_list=tf.train.FloatList(value=values))
        if name in FLOATS
        else tf.train.Feature(int64_list=tf.train.Int64List(value=values))
        for name, values in one.items()
    }
    message = tf.train.Example(features=tf.train.Features(feature=features))
    return bytes(message.SerializeToString(deterministic=True))


def test_names_types_and_lengths_are_those_of_the_reference() -> None:
    lengths = feature_lengths(128, 20)
    assert lengths.keys() == REFERENCE.keys()
    for name, (dtype, size) in REFERENCE.items():
        assert (name in FLOATS) == (dtype == "float32")
        assert lengths[name] == {"S": 128, "P": 20}.get(str(size), size)


def test_tf_data_reads_what_was_written(tmp_path: Path) -> None:
    path = tmp_path / "some.tfrecord"
    written = [example(seed) for seed in range(5)]
    with open(path, "wb") as f:
        for record in serialize(rows(*written)):
            write_record(f, record)
    for one, back in zip(written, parse(path, 16, 4), strict=True):
        for name, (dtype, _) in REFERENCE.items():
            assert back[name].dtype == dtype
            np.testing.assert_array_equal(back[name], one[name])


def test_the_file_is_byte_for_byte_what_tensorflow_writes(tmp_path: Path) -> None:
    import tensorflow as tf

    records = [b"", b"one", *serialize(rows(example())), bytes(70_000)]
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
        write_record(f, serialize(rows(example()))[0])
    data = bytearray(path.read_bytes())
    data[40] ^= 1
    path.write_bytes(data)
    with pytest.raises(tf.errors.DataLossError):
        parse(path, 16, 4)


def test_the_checksum_is_castagnoli_s_and_masked() -> None:
    # CRC-32C of "123456789" is e3069283, the standard's check value.
    crc = 0xE3069283
    assert masked_crc(b"123456789") == ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "tokens": st.lists(st.integers(0, 2**34), max_size=300),
                "lengths": st.lists(st.sampled_from([0, 1, 127, 128, 2**14 - 1, 2**14, 2**21, 2**28]), min_size=1),
                "masked_lm_weights": st.lists(st.floats(width=32, allow_nan=False), max_size=5),
            }
        ),
        min_size=1,
        max_size=4,
    )
)
def test_rows_are_byte_for_byte_what_protobuf_writes(examples: list[dict[str, list[float]]]) -> None:
    columns = {
        name: [np.array(one[name], np.float32 if name in FLOATS else np.int64) for one in examples]
        for name in examples[0]
    }
    assert serialize(columns) == [theirs(one) for one in examples]


def test_a_number_below_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="numbers from 0 on, got -1"):
        serialize({"tokens": np.array([[3, -1]])})
