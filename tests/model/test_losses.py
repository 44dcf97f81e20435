"""Tests for bert/model/losses.py."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from bert.model.dropout import NoDropout
from bert.model.losses import classifier_sums, pretraining_sums, regression_sums, squad_sums
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


def test_the_span_loss_is_the_mean_of_start_and_end_over_tokens(batch: dict[str, np.ndarray]) -> None:
    weights = reference.random_weights(squad_shapes(CONFIG), seed=2)
    tokens = batch["input_mask"].sum(axis=1)
    rng = np.random.default_rng(0)
    labels = {name: rng.integers(0, tokens).astype(np.int32) for name in ("start_positions", "end_positions")}
    sums = squad_sums(weights, CONFIG, tensors(batch | labels), NoDropout(), tf.float32)
    logits = hidden_of(weights, batch) @ weights["cls/squad/output_weights"].T + weights["cls/squad/output_bias"]
    expected = 0.0
    for row in range(ROWS):
        real = logits[row, : tokens[row]]
        for side, name in enumerate(("start_positions", "end_positions")):
            expected -= reference.log_softmax(real[:, side])[labels[name][row]] / 2
    assert float(sums["loss"]) == pytest.approx(expected, rel=1e-5)
    assert float(sums["rows"]) == ROWS


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1000), longest=st.integers(2, SEQUENCE))
def test_without_their_padding_rows_have_the_same_losses_and_gradients(seed: int, longest: int) -> None:
    rng = np.random.default_rng(seed)
    tokens = rng.integers(2, longest + 1, ROWS)
    mask = (np.arange(SEQUENCE) < tokens[:, None]).astype(np.int32)
    # What stands in the padding must not matter either.
    rows = make_batch(ROWS, seed) | {"input_mask": mask, "labels": rng.integers(0, 3, ROWS).astype(np.int32)}
    rows |= {name: rng.integers(0, tokens).astype(np.int32) for name in ("start_positions", "end_positions")}
    length = -(-int(tokens.max()) // 8) * 8
    weights = reference.random_weights(squad_shapes(CONFIG) | classifier_shapes(CONFIG, 3), seed=seed)
    embeddings = "bert/embeddings/word_embeddings"
    found = []
    for cut in (SEQUENCE, length):
        short = tensors({name: values[:, :cut] if values.ndim > 1 else values for name, values in rows.items()})
        variable = tf.Variable(weights[embeddings])
        with tf.GradientTape() as tape:
            given_weights = weights | {embeddings: variable}
            losses = [
                sums(given_weights, CONFIG, short, NoDropout(), tf.float32)["loss"]
                for sums in (squad_sums, classifier_sums)
            ]
            total = tf.add_n(losses)
        found.append(([float(loss) for loss in losses], tf.convert_to_tensor(tape.gradient(total, variable)).numpy()))
    (padded, padded_gradient), (cut_losses, cut_gradient) = found
    assert cut_losses == pytest.approx(padded, rel=1e-5)
    np.testing.assert_allclose(cut_gradient, padded_gradient, rtol=0, atol=1e-5 * np.abs(padded_gradient).max())


def test_the_class_loss_is_the_cross_entropy_of_the_pooled_state(batch: dict[str, np.ndarray]) -> None:
    weights = reference.random_weights(classifier_shapes(CONFIG, 3), seed=3)
    labels = {"labels": np.array([0, 1, 2, 0, 1, 2], np.int32)}
    sums = classifier_sums(weights, CONFIG, tensors(batch | labels), NoDropout(), tf.float32)
    pooled = reference.pool({n: w.astype(np.float64) for n, w in weights.items()}, hidden_of(weights, batch))
    scores = reference.log_softmax(pooled @ weights["output_weights"].T + weights["output_bias"])
    assert float(sums["loss"]) == pytest.approx(-scores[np.arange(ROWS), labels["labels"]].sum(), rel=1e-5)


def test_the_loss_of_a_number_is_its_squared_error(batch: dict[str, np.ndarray]) -> None:
    weights = reference.random_weights(classifier_shapes(CONFIG, 1), seed=3)
    labels = {"labels": np.array([0, 5, 2.5, 1.25, 4, 3], np.float32)}
    sums = regression_sums(weights, CONFIG, tensors(batch | labels), NoDropout(), tf.float32)
    pooled = reference.pool({n: w.astype(np.float64) for n, w in weights.items()}, hidden_of(weights, batch))
    found = pooled @ weights["output_weights"][0] + weights["output_bias"][0]
    assert float(sums["loss"]) == pytest.approx(((found - labels["labels"]) ** 2).sum(), rel=1e-5)
    assert float(sums["rows"]) == ROWS
