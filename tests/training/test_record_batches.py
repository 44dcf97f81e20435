"""Tests for bert/training/record_batches.py."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bert.examples.reading import Records
from bert.pipeline.errors import StageError
from bert.training.record_batches import record_batches
from bert.training.world import Split, World
from tests.training.tiny import write_records, write_vocab

MADE_BY = "dvc repro tfrecords@phase1"
WAYS = [Split(1, 1, 12), Split(1, 3, 4), Split(2, 1, 6), Split(3, 2, 2)]
"""Ways to cut a global batch of 12."""


@pytest.fixture
def records(tmp_path: Path) -> Records:
    write_records(tmp_path / "train", [9, 20, 1], write_vocab(tmp_path / "vocab.txt"))
    return Records(tmp_path / "train", MADE_BY)


@pytest.mark.parametrize("split", WAYS)
def test_a_global_batch_holds_the_same_records_however_it_is_split(records: Records, split: Split) -> None:
    for first in (0, 3):
        worlds = [World(rank, split.ranks) for rank in range(split.ranks)]
        by_rank = [
            [b["input_ids"].numpy() for b in record_batches(records, None, 5, first, 6, split, world)]
            for world in worlds
        ]
        assert [len(batches) for batches in by_rank] == [6 - first] * split.ranks
        for n in range(6 - first):
            position = 12 * (first + n)
            together = np.concatenate([batches[n] for batches in by_rank])
            expected = records.parse([records[records.place(5, position + row)[1]] for row in range(12)])
            np.testing.assert_array_equal(together, expected["input_ids"])


def test_a_broken_record_ends_training_with_its_own_message(records: Records, tmp_path: Path) -> None:
    # tf.data would wrap it into an error of its own, and the user would get a traceback.
    path = tmp_path / "train" / "0001.tfrecord"
    data = bytearray(path.read_bytes())
    data[40] ^= 1
    path.write_bytes(data)
    with pytest.raises(StageError, match=r"0001\.tfrecord: record 0 .*checksum(.|\n)*next: dvc repro tfrecords@phase1"):
        list(record_batches(records, None, 5, 0, 10, Split(1, 1, 12), World()))
