"""Tests for bert/model/losses.py."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from bert.model.dropout import NoDropout
from bert.model.losses import classifier_sums, pretraining_sums, squad_sums
from bert.model.parameters import classifier_shapes, pretraining_shapes, squad_shapes
from tests.model import reference
from tests.training.tiny import CONFIG, SEQUENCE, make_batch, tensors

ROWS = 6


@pytest.fixture(scope="module")
def batch() -> dict[str, np.ndarray]:
    return make_batch(ROWS)


def hidden_of(weights: dict[str, np.ndarray], batch: dict[str, np.ndarray]) -> np.ndarray:
    layers, heads = CONFIG.num_hidden_layers, CONFIG.num_attention_heads
    return reference.encode(weights, layers, heads, batch["input_ids"], batch["input_mask"], batch["segment_ids"])


def test_pretraining_sums_count_predictions_and_rows_and_no_padding(batch: dict[str, np.ndarray]) -> None:
    weights = reference.random_weights(pretraining_shapes(CONFIG), seed=1)
    sums = pretraining_sums(weights, CONFIG, tensors(batch), NoDropout(), tf.float32)
    wide = {name: value.astype(np.float64) for name, value in weights.items()}
    hidden = hidden_of(weights, batch)
    mlm = reference.log_softmax(reference.masked_lm_logits(wide, hidden, batch["masked_lm_positions"]))
    nsp = reference.log_softmax(reference.next_sentence_logits(wide, hidden))
    expected = dict.fromkeys(sums, 0.0)
    for row in range(ROWS):
        for n in np.flatnonzero(batch["masked_lm_weights"][row]):
            label = batch["masked_lm_ids"][row, n]
            expected["mlm_loss"] -= mlm[row, n, label]
            expected["mlm_correct"] += mlm[row, n].argmax() == label
            expected["predictions"] += 1
        label = batch["next_sentence_labels"][row, 0]
        expected["nsp_loss"] -= nsp[row, label]
        expected["nsp_correct"] += nsp[row].argmax() == label
        expected["rows"] += 1
    assert {name: float(value) for name, value in sums.items()} == pytest.approx(expected, rel=1e-5)


def test_rows_that_fill_up_a_batch_count_for_nothing(batch: dict[str, np.ndarray]) -> None:
    weights = reference.random_weights(pretraining_shapes(CONFIG), seed=1)
    filled = {name: np.concatenate([values, np.zeros_like(values[:2])]) for name, values in batch.items()}
    sums, expected = (pretraining_sums(weights, CONFIG, tensors(b), NoDropout(), tf.float32) for b in (filled, batch))
    for name, value in expected.items():
        assert float(sums[name]) == pytest.approx(float(value), rel=1e-6), name


def test_a_tie_of_scores_is_no_hit_for_all_of_them(batch: dict[str, np.ndarray]) -> None:
    # bfloat16 scores tie in some percent of predictions: it would look more accurate than float32. Here all pieces tie.
    weights = reference.random_weights(pretraining_shapes(CONFIG), seed=1)
    for name in ("bert/embeddings/word_embeddings", "cls/predictions/output_bias"):
        weights[name] = np.zeros_like(weights[name])
    sums = pretraining_sums(weights, CONFIG, tensors(batch), NoDropout(), tf.float32)
    assert float(sums["mlm_correct"]) == 0, "the first piece wins, and it is nobody's label"


def test_the_span_loss_is_the_mean_of_start_and_end(batch: dict[str, np.ndarray]) -> None:
    weights = reference.random_weights(squad_shapes(CONFIG), seed=2)
    rng = np.random.default_rng(0)
    labels = {name: rng.integers(0, SEQUENCE, ROWS).astype(np.int32) for name in ("start_positions", "end_positions")}
    sums = squad_sums(weights, CONFIG, tensors(batch | labels), NoDropout(), tf.float32)
    logits = hidden_of(weights, batch) @ weights["cls/squad/output_weights"].T + weights["cls/squad/output_bias"]
    start, end = reference.log_softmax(logits[..., 0]), reference.log_softmax(logits[..., 1])
    rows = np.arange(ROWS)
    expected = -(start[rows, labels["start_positions"]] + end[rows, labels["end_positions"]]).sum() / 2
    assert float(sums["loss"]) == pytest.approx(expected, rel=1e-5)
    assert float(sums["rows"]) == ROWS


def test_the_class_loss_is_the_cross_entropy_of_the_pooled_state(batch: dict[str, np.ndarray]) -> None:
    weights = reference.random_weights(classifier_shapes(CONFIG, 3), seed=3)
    labels = {"labels": np.array([0, 1, 2, 0, 1, 2], np.int32)}
    sums = classifier_sums(weights, CONFIG, tensors(batch | labels), NoDropout(), tf.float32)
    pooled = reference.pool({n: w.astype(np.float64) for n, w in weights.items()}, hidden_of(weights, batch))
    scores = reference.log_softmax(pooled @ weights["output_weights"].T + weights["output_bias"])
    assert float(sums["loss"]) == pytest.approx(-scores[np.arange(ROWS), labels["labels"]].sum(), rel=1e-5)
