"""bert/benchmark/rows.py: the rows fit the features that records and the model have."""

from __future__ import annotations

import numpy as np
import pytest

from bert.benchmark.rows import VOCAB_SIZE, predictions_of, random_rows
from bert.benchmark.settings import Cell, TrainingCell
from bert.benchmark.work import operations
from bert.examples.schema import feature_lengths


@pytest.mark.parametrize(("length", "predictions"), [(128, 20), (512, 80), (384, 60), (2, 1)])
def test_predictions_are_the_references_or_in_proportion(length: int, predictions: int) -> None:
    assert predictions_of(length) == predictions


def test_pretraining_rows_predict_different_places_of_full_rows() -> None:
    rows = random_rows("pretrain", 32, 50, seed=1)
    assert {name: values.shape[1] for name, values in rows.items()} == feature_lengths(32, 5)
    assert rows["input_mask"].all() and rows["masked_lm_weights"].all()
    places = rows["masked_lm_positions"]
    assert places.shape == (50, 5) and (np.diff(places, axis=1) > 0).all() and places.max() < 32
    assert len(np.unique(places)) == 32, "any place may be masked"
    assert rows["input_ids"].min() > 0 and rows["input_ids"].max() < VOCAB_SIZE
    assert set(rows["next_sentence_labels"].ravel()) == {0, 1} == set(rows["segment_ids"].ravel())
    again = random_rows("pretrain", 32, 50, seed=1)
    assert all(np.array_equal(values, again[name]) for name, values in rows.items())


def test_squad_rows_have_answers_that_end_after_they_begin() -> None:
    rows = random_rows("squad", 32, 50, seed=1)
    assert rows["start_positions"].shape == (50,)
    assert (rows["start_positions"] <= rows["end_positions"]).all() and rows["end_positions"].max() < 32


def test_a_cell_costs_what_test_flops_has_written_out() -> None:
    assert operations(TrainingCell.parse("pretrain-large-128-64")) == 240_642_748_416
    assert operations(TrainingCell.parse("pretrain-large-512-16")) == 1_020_534_140_928
    assert operations(TrainingCell.parse("squad-large-384-1")) == 3 * operations(Cell.parse("large-384-1"))
