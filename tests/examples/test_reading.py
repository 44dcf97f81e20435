"""bert/examples/reading.py: records in a reproducible order, and what is wrong with a folder of them."""

from __future__ import annotations

import json
import struct
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from bert.examples import reading as records_module
from bert.examples.reading import Records
from bert.pipeline import manifest
from bert.pipeline.errors import StageError
from tests.training.tiny import PREDICTIONS, SEQUENCE, make_batch, write_records, write_vocab

MADE_BY = "dvc repro tfrecords@phase1"
COUNTS = [7, 1, 12, 0, 10]
N = sum(COUNTS)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_records(tmp_path / "train", COUNTS, write_vocab(tmp_path / "vocab.txt"))
    return tmp_path / "train"


def shuffled(records: Records, seed: int, position: int) -> bytes:
    return records[records.place(seed, position)[1]]


def in_order(records: Records) -> list[bytes]:
    return [records[index] for index in range(len(records))]


def epoch(records: Records, seed: int, number: int) -> list[bytes]:
    return [shuffled(records, seed, p) for p in range(number * N, (number + 1) * N)]


def flip(path: Path, at: int) -> None:
    """One bit, as a disk or a network does it: the size stays."""
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def test_in_order_gives_every_record_of_every_file(tmp_path: Path) -> None:
    written = write_records(tmp_path / "train", COUNTS, write_vocab(tmp_path / "vocab.txt"))
    records = Records(tmp_path / "train", MADE_BY)
    assert len(records) == N
    assert in_order(records) == written


@pytest.mark.parametrize("window", [1 << 16, 8, 1])
def test_every_epoch_is_a_permutation_of_all_records(
    folder: Path, monkeypatch: pytest.MonkeyPatch, window: int
) -> None:
    monkeypatch.setattr(records_module, "WINDOW", window)
    records = Records(folder, MADE_BY)
    everything = Counter(in_order(records))
    for number in range(3):
        assert Counter(epoch(records, 1, number)) == everything


@pytest.mark.parametrize("counts", [COUNTS, [N]], ids=["many files", "one file"])
@pytest.mark.parametrize("window", [1 << 16, 8])
def test_the_order_differs_by_epoch_and_by_seed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, counts: list[int], window: int
) -> None:
    monkeypatch.setattr(records_module, "WINDOW", window)
    write_records(tmp_path / "train", counts, write_vocab(tmp_path / "vocab.txt"))
    records = Records(tmp_path / "train", MADE_BY)
    orders = [epoch(records, 1, 0), epoch(records, 1, 1), epoch(records, 2, 0), in_order(records)]
    for n, order in enumerate(orders):
        for other in orders[n + 1 :]:
            # Independent permutations have one fixed point on average; within windows of 8 a few more.
            assert sum(a == b for a, b in zip(order, other, strict=True)) < 12


def test_windows_are_shuffled_each_in_its_own_way(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records_module, "WINDOW", 10)
    records = Records(folder, MADE_BY)
    windows = [records._shuffled_window(1, 0, n) for n in range(3)]
    files = windows[0][:, 0]
    assert len(set(files.tolist())) > 1, "a window shall mix the files that it spans"
    ranks = [np.argsort(np.lexsort((w[:, 1], w[:, 0]))) for w in windows]
    assert any((ranks[0] != r).any() for r in ranks[1:])


def test_a_record_is_found_whatever_was_read_before(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ranks and resumed runs read other positions in another order than one run in one go."""
    monkeypatch.setattr(records_module, "WINDOW", 8)
    monkeypatch.setattr(records_module, "OPEN_FILES", 2)
    forward = [shuffled(Records(folder, MADE_BY), 3, p) for p in [*range(3 * N)]]
    records = Records(folder, MADE_BY)
    jumping = np.random.default_rng(0).permutation(3 * N)
    assert [shuffled(records, 3, int(p)) for p in jumping] == [forward[p] for p in jumping]
    assert len(records._open) <= 2
    # A new process gives the same: nothing hangs on the state of a generator.
    assert shuffled(Records(folder, MADE_BY), 3, 2 * N + 5) == forward[2 * N + 5]


def test_parse_gives_the_rows_that_were_written_in_the_models_types(folder: Path) -> None:
    records = Records(folder, MADE_BY)
    parsed = records.parse(tf.constant(in_order(records)))
    for name, values in make_batch(N).items():
        np.testing.assert_array_equal(parsed[name].numpy(), values, err_msg=name)
        assert parsed[name].dtype == (tf.float32 if name == "masked_lm_weights" else tf.int32), name
    assert parsed["input_ids"].shape == (N, SEQUENCE)
    assert parsed["masked_lm_ids"].shape == (N, PREDICTIONS)
    assert parsed["next_sentence_labels"].shape == (N, 1)


def test_a_file_cut_short_is_named_with_the_stage_to_rerun(folder: Path) -> None:
    path = folder / "0002.tfrecord"
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(StageError, match=r"0002\.tfrecord: .*truncated(.|\n)*next: dvc repro tfrecords@phase1"):
        Records(folder, MADE_BY)


@pytest.mark.parametrize(("beyond", "where"), [(5, "inside the header of record 1"), (20, "inside record 1")])
def test_a_cut_that_the_manifest_does_not_show_is_named_too(folder: Path, beyond: int, where: str) -> None:
    path = folder / "0002.tfrecord"
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    path.write_bytes(data[: 12 + length + 4 + beyond])  # the first record is whole
    listed = json.loads((folder / manifest.NAME).read_text())
    files = [{"path": e["path"], "examples": e["examples"]} for e in listed["files"]]
    manifest.write(folder, files, **{name: x for name, x in listed.items() if name not in ("files", "configured")})
    with pytest.raises(StageError, match=rf"0002\.tfrecord: ends {where}(.|\n)*next: dvc repro tfrecords@phase1"):
        in_order(Records(folder, MADE_BY))


@pytest.mark.parametrize("at", [40, -1], ids=["in a record", "in its checksum"])
def test_a_flipped_bit_is_named_and_not_trained_on(folder: Path, at: int) -> None:
    flip(folder / "0001.tfrecord", at)
    records = Records(folder, MADE_BY)
    with pytest.raises(StageError, match=r"0001\.tfrecord: record 0 .*checksum(.|\n)*dvc repro tfrecords@phase1"):
        in_order(records)


def test_a_flipped_bit_in_a_length_is_named(folder: Path) -> None:
    flip(folder / "0002.tfrecord", 0)
    with pytest.raises(StageError, match=r"0002\.tfrecord(.|\n)*dvc repro tfrecords@phase1"):
        in_order(Records(folder, MADE_BY))


def test_another_number_of_records_than_promised_is_named(folder: Path) -> None:
    listed = json.loads((folder / manifest.NAME).read_text())
    listed["files"][2]["examples"] = 13
    (folder / manifest.NAME).write_text(json.dumps(listed))
    with pytest.raises(StageError, match=r"0002\.tfrecord: holds 12 records, its manifest says 13"):
        in_order(Records(folder, MADE_BY))


def test_a_folder_without_a_record_is_an_error(tmp_path: Path) -> None:
    write_records(tmp_path / "train", [1], write_vocab(tmp_path / "vocab.txt"))
    manifest.write_unconfigured(tmp_path / "train")
    with pytest.raises(StageError, match=r"train: holds no records\n  next: dvc repro tfrecords@phase1"):
        Records(tmp_path / "train", MADE_BY)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"masking": "later"}, "masking is 'later', this code knows static, dynamic"),
        ({"objective": None}, "objective is None, this code knows"),
        ({}, "its manifest does not hold masking, objective"),
    ],
)
def test_records_of_an_unknown_make_are_refused(folder: Path, changed: dict[str, str], said: str) -> None:
    listed = json.loads((folder / manifest.NAME).read_text())
    listed |= changed
    if not changed:
        del listed["masking"], listed["objective"]
    (folder / manifest.NAME).write_text(json.dumps(listed))
    with pytest.raises(StageError, match=rf"train: {said}(.|\n)*next: dvc repro tfrecords@phase1"):
        Records(folder, MADE_BY)
