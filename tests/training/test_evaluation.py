"""Tests for bert/training/evaluation.py."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from bert.examples.reading import Records
from bert.model.dropout import NoDropout
from bert.model.losses import pretraining_sums
from bert.model.parameters import pretraining_shapes
from bert.training.evaluation import HeldOut, unigram_entropy
from bert.training.world import World
from tests.model.reference import random_weights
from tests.training.tiny import CONFIG, held_out_sums, make_batch, tensors, write_records, write_vocab

WEIGHTS = random_weights(pretraining_shapes(CONFIG), seed=1)
COUNTS = [5, 0, 8]


@pytest.fixture
def records(tmp_path: Path) -> Records:
    write_records(tmp_path / "test", COUNTS, write_vocab(tmp_path / "vocab.txt"))
    return Records(tmp_path / "test", "dvc repro tfrecords@phase1")


def held_out(records: Records, batch_size: int) -> HeldOut:
    return HeldOut(held_out_sums(WEIGHTS), records, None, batch_size, World())


def test_unigram_entropy_by_hand() -> None:
    # Half, quarter, quarter: 1.5 bits.
    assert unigram_entropy({7: 2, 8: 1, 9: 1}) == pytest.approx(1.5 * math.log(2))
    assert unigram_entropy({7: 5}) == 0


@pytest.mark.parametrize("batch_size", [13, 4])
def test_every_record_counts_once_and_its_last_short_batch_too(records: Records, batch_size: int) -> None:
    found = held_out(records, batch_size)(xla=False)
    whole = make_batch(sum(COUNTS))
    sums = {
        name: float(value)
        for name, value in pretraining_sums(WEIGHTS, CONFIG, tensors(whole), NoDropout(), tf.float32).items()
    }
    labels = whole["masked_lm_ids"][whole["masked_lm_weights"] == 1]
    shares = np.unique(labels, return_counts=True)[1] / len(labels)
    assert found["mlm_loss"] == pytest.approx(sums["mlm_loss"] / sums["predictions"], rel=1e-5)
    assert found["mlm_accuracy"] == pytest.approx(sums["mlm_correct"] / sums["predictions"])
    assert found["nsp_loss"] == pytest.approx(sums["nsp_loss"] / sums["rows"], rel=1e-5)
    assert found["nsp_accuracy"] == pytest.approx(sums["nsp_correct"] / sums["rows"])
    assert (found["held_out_sequences"], found["held_out_predictions"]) == (13, len(labels))
    assert found["unigram_entropy"] == pytest.approx(-(shares * np.log(shares)).sum())
    assert found["nats_below_unigram"] == pytest.approx(found["unigram_entropy"] - found["mlm_loss"])


def test_fewer_rows_are_spaced_evenly_over_all_of_them(records: Records) -> None:
    found = held_out(records, 3)(xla=False, at_most=4)
    rows = {name: values[[0, 3, 6, 9]] for name, values in make_batch(sum(COUNTS)).items()}
    sums = pretraining_sums(WEIGHTS, CONFIG, tensors(rows), NoDropout(), tf.float32)
    assert found["held_out_sequences"] == 4
    assert found["held_out_predictions"] == rows["masked_lm_weights"].sum()
    assert found["mlm_loss"] == pytest.approx(float(sums["mlm_loss"] / sums["predictions"]), rel=1e-5)


def test_all_calls_share_one_compiled_function(records: Records) -> None:
    evaluate = held_out(records, 4)
    one, two, few = evaluate(xla=False), evaluate(xla=False), evaluate(xla=False, at_most=3)
    assert one == two
    assert few["held_out_sequences"] == 3
    assert evaluate._compiled[False].experimental_get_tracing_count() == 1
