"""bert/examples/dynamic_masking.py: masks that are drawn in training, on records of the stage."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bert.examples.dynamic_masking import DynamicMasking
from bert.examples.reading import Records
from bert.model.dropout import NoDropout
from bert.model.losses import pretraining_sums
from bert.model.parameters import pretraining_shapes
from bert.tokens.vocabulary import Vocabulary
from bert.training.evaluation import HeldOut
from bert.training.record_batches import record_batches
from bert.training.world import Split, World
from tests.corpus import PIECES
from tests.examples.shards import stage_records
from tests.model.reference import random_weights
from tests.training.tiny import CONFIG, FP32, write_vocab

MADE_BY = "dvc repro tfrecords@phase1"
WAYS = [Split(1, 1, 12), Split(1, 3, 4), Split(2, 1, 6), Split(3, 2, 2)]
"""Ways to cut a global batch of 12."""
MASK = PIECES.index("[MASK]")
PACKED = {"sequence_length": 64, "max_predictions": 10, "packing": True}


@pytest.fixture(scope="module")
def vocab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_vocab(tmp_path_factory.mktemp("vocab") / "vocab.txt", PIECES)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory, vocab: Path) -> Path:
    return stage_records(tmp_path_factory.mktemp("plain"), vocab, masking="dynamic", dupe_factor=3)


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory, vocab: Path) -> Path:
    return stage_records(
        tmp_path_factory.mktemp("packed"), vocab, PACKED, masking="dynamic", whole_word=True, short_seq_prob=0.5
    )


def both(folder: Path, vocab: Path, split: str = "train") -> tuple[Records, DynamicMasking]:
    records = Records(folder / split, MADE_BY)
    return records, DynamicMasking(records, Vocabulary.read(vocab))


def rows(records: Records, masking: DynamicMasking, seed: int, epoch: int) -> dict[str, np.ndarray]:
    """All rows of an epoch, in file order."""
    places = [(epoch, index) for index in range(len(records))]
    return masking.training_rows([records[index] for _, index in places], seed, places)


def restored(batch: dict[str, np.ndarray]) -> np.ndarray:
    ids = batch["input_ids"].copy()
    row, slot = np.nonzero(batch["masked_lm_weights"])
    ids[row, batch["masked_lm_positions"][row, slot]] = batch["masked_lm_ids"][row, slot]
    return ids


@pytest.mark.parametrize("kind", ["plain", "packed"])
def test_each_epoch_masks_the_same_tokens_anew(kind: str, vocab: Path, request: pytest.FixtureRequest) -> None:
    records, masking = both(request.getfixturevalue(kind), vocab)
    first, again, later, other = (
        rows(records, masking, seed, epoch) for seed, epoch in ((5, 0), (5, 0), (5, 1), (6, 0))
    )
    for name, values in first.items():
        np.testing.assert_array_equal(again[name], values)
    for changed in (later, other):
        np.testing.assert_array_equal(restored(changed), restored(first))
        same = (changed["masked_lm_positions"] == first["masked_lm_positions"]).all(axis=1)
        assert same.mean() < 0.2


def test_masks_are_distributed_as_static_ones(plain: Path, vocab: Path, tmp_path: Path) -> None:
    """The same words in the same places: 80/10/10, BERT's rounded number, never a special token."""
    records, masking = both(plain, vocab)
    static = Records(stage_records(tmp_path, vocab, dupe_factor=40) / "train", MADE_BY)
    shares = []
    for batches in (
        [rows(records, masking, 5, epoch) for epoch in range(40)],
        [{name: x.numpy() for name, x in static.parse([static[index] for index in range(len(static))]).items()}],
    ):
        fates: Counter[str] = Counter()
        places = np.zeros(32)
        for batch in batches:
            lengths, weights = batch["input_mask"].sum(axis=1), batch["masked_lm_weights"]
            assert weights.sum(axis=1).tolist() == [min(5, max(1, round(n * 0.15))) for n in lengths.tolist()]
            row, slot = np.nonzero(weights)
            now = batch["input_ids"][row, batch["masked_lm_positions"][row, slot]]
            labels = batch["masked_lm_ids"][row, slot]
            assert not np.isin(labels, [0, 2, 3]).any()
            fates.update({"mask": int((now == MASK).sum()), "kept": int((now == labels).sum()), "all": len(now)})
            places += np.bincount(batch["masked_lm_positions"][row, slot], minlength=32)
        assert fates["all"] > 10_000
        shares.append((fates["mask"] / fates["all"], fates["kept"] / fates["all"], places / places.sum()))
    (mask, kept, places), (static_mask, static_kept, static_places) = shares
    # Five standard deviations of 10,000 draws or more; a kept token may also be the random piece, one time in 90.
    assert mask == pytest.approx(0.8, abs=0.02) and static_mask == pytest.approx(mask, abs=0.025)
    assert kept == pytest.approx(0.1, abs=0.015) and static_kept == pytest.approx(kept, abs=0.02)
    np.testing.assert_allclose(places, static_places, atol=0.015)


def test_whole_words_are_masked_whole_in_packed_rows(packed: Path, vocab: Path) -> None:
    records, masking = both(packed, vocab)
    continues = np.array([piece.startswith("##") for piece in PIECES])
    batch = rows(records, masking, 5, 0)
    original = restored(batch)
    assert (batch["input_mask"].max(axis=1) > 1).any()
    for row, predictions in enumerate(batch["masked_lm_weights"].sum(axis=1).astype(int)):
        chosen = set(batch["masked_lm_positions"][row, :predictions].tolist())
        for place in range(1, 64):
            if continues[original[row, place]] and original[row, place - 1] not in (2, 3):
                assert (place in chosen) == (place - 1 in chosen)


@pytest.mark.parametrize("kind", ["plain", "packed"])
@pytest.mark.parametrize("split", WAYS)
def test_a_global_batch_is_the_same_on_any_ranks_and_after_a_resumption(
    split: Split, kind: str, vocab: Path, request: pytest.FixtureRequest
) -> None:
    records, masking = both(request.getfixturevalue(kind), vocab)
    whole = list(record_batches(records, masking, 5, 0, 24, Split(1, 1, 12), World()))
    assert len(records) < 24 * 12, "goes on into the second epoch"
    worlds = [World(rank, split.ranks) for rank in range(split.ranks)]
    by_rank = [list(record_batches(records, masking, 5, 20, 24, split, world)) for world in worlds]
    for step, expected in enumerate(whole[20:]):
        assert expected.keys() == records.feature_lengths.keys()
        for name, values in expected.items():
            together = np.concatenate([batches[step][name].numpy() for batches in by_rank])
            np.testing.assert_array_equal(together, values.numpy(), err_msg=name)
            assert together.dtype == (np.float32 if name.endswith("weights") else np.int32)


@pytest.mark.parametrize("kind", ["plain", "packed"])
def test_evaluation_masks_alike_each_time_and_as_often_as_static_records_are_written(
    kind: str, vocab: Path, request: pytest.FixtureRequest
) -> None:
    records, masking = both(request.getfixturevalue(kind), vocab, "test")
    config = CONFIG.model_copy(update={"vocab_size": len(PIECES), "max_position_embeddings": 64})
    weights = random_weights(pretraining_shapes(config), seed=1)

    def sums(batch: Any) -> Any:
        return pretraining_sums(weights, config, batch, NoDropout(), FP32.dtype, packed=records.packed)

    one, two = (HeldOut(sums, records, masking, size, World())(FP32.xla) for size in (5, 16))
    assert one == pytest.approx(two, rel=1e-5)
    copies = records.manifest["dupe_factor"]
    assert one["held_out_sequences"] == copies * records.manifest.get("sequences", len(records))
    places = [(copy, index) for copy in range(copies) for index in range(len(records))]
    batch = masking.evaluation_rows([records[index] for _, index in places], places)
    assert one["held_out_predictions"] == batch["masked_lm_weights"].sum()
    assert (batch["input_ids"][: len(records)] != batch["input_ids"][len(records) : 2 * len(records)]).any()
    trained = rows(records, masking, 0, 0)
    assert (trained["input_ids"] != batch["input_ids"][: len(records)]).any(), "held-out masks are none of training's"
