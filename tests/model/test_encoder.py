"""Tests for bert/model/encoder.py, heads.py and layers.py."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from bert.model.dropout import NoDropout
from bert.model.encoder import encode, pool
from bert.model.heads import class_logits, masked_lm_logits, next_sentence_logits, span_logits
from bert.model.parameters import classifier_shapes, pretraining_shapes, squad_shapes
from tests.model import reference
from tests.training.tiny import CONFIG, SEQUENCE, make_batch, tensors

ROWS = 5
WEIGHTS = reference.random_weights(pretraining_shapes(CONFIG), seed=1)
WIDE = {name: value.astype(np.float64) for name, value in WEIGHTS.items()}


def hidden_of(batch: dict[str, np.ndarray], dtype: Any = tf.float32) -> Any:
    b = tensors(batch)
    return encode(WEIGHTS, CONFIG, b["input_ids"], b["input_mask"], b["segment_ids"], NoDropout(), dtype)


def reference_hidden(batch: dict[str, np.ndarray]) -> np.ndarray:
    layers, heads = CONFIG.num_hidden_layers, CONFIG.num_attention_heads
    return reference.encode(WEIGHTS, layers, heads, batch["input_ids"], batch["input_mask"], batch["segment_ids"])


@pytest.fixture(scope="module")
def batch() -> dict[str, np.ndarray]:
    return make_batch(ROWS)


def test_the_encoder_is_that_of_the_papers(batch: dict[str, np.ndarray]) -> None:
    # Padding's own states are nobody's business, but they too are defined: all rows are compared.
    np.testing.assert_allclose(hidden_of(batch), reference_hidden(batch), rtol=0, atol=1e-5)


def test_the_pretraining_heads_are_those_of_the_paper(batch: dict[str, np.ndarray]) -> None:
    hidden = reference_hidden(batch)
    given = tf.constant(hidden, tf.float32)
    mlm = masked_lm_logits(WEIGHTS, CONFIG, given, tf.constant(batch["masked_lm_positions"]))
    expected = reference.masked_lm_logits(WIDE, hidden, batch["masked_lm_positions"])
    np.testing.assert_allclose(mlm, expected.reshape(-1, CONFIG.vocab_size), rtol=0, atol=1e-5)
    nsp = next_sentence_logits(WEIGHTS, pool(WEIGHTS, given))
    np.testing.assert_allclose(nsp, reference.next_sentence_logits(WIDE, hidden), rtol=0, atol=1e-5)


def test_the_task_heads_are_one_product_on_the_right_states(batch: dict[str, np.ndarray]) -> None:
    hidden = reference_hidden(batch)
    spans = reference.random_weights(squad_shapes(CONFIG), seed=2)
    start, end = span_logits(spans, tf.constant(hidden, tf.float32))
    expected = hidden @ spans["cls/squad/output_weights"].T + spans["cls/squad/output_bias"]
    np.testing.assert_allclose(start, expected[..., 0], rtol=0, atol=1e-5)
    np.testing.assert_allclose(end, expected[..., 1], rtol=0, atol=1e-5)
    classes = reference.random_weights(classifier_shapes(CONFIG, 3), seed=3)
    pooled = reference.pool(WIDE, hidden)
    np.testing.assert_allclose(
        class_logits(classes, tf.constant(pooled, tf.float32)),
        pooled @ classes["output_weights"].T + classes["output_bias"],
        rtol=0,
        atol=1e-5,
    )


def test_what_stands_in_the_padding_does_not_reach_the_tokens(batch: dict[str, np.ndarray]) -> None:
    real = batch["input_mask"] == 1
    assert not real.all(), "the batch needs padding for this to say anything"
    other = batch | {
        "input_ids": np.where(real, batch["input_ids"], 7),
        "segment_ids": np.where(real, batch["segment_ids"], 1),
    }
    # Exactly: in float32 the softmax gives padding not little but nothing.
    np.testing.assert_array_equal(hidden_of(batch).numpy()[real], hidden_of(other).numpy()[real])


def test_longer_padding_changes_nothing() -> None:
    short = make_batch(ROWS, sequence=12)
    padded = {name: np.pad(short[name], ((0, 0), (0, SEQUENCE - 12))) for name in ("input_ids", "input_mask")}
    padded["segment_ids"] = np.pad(short["segment_ids"], ((0, 0), (0, SEQUENCE - 12)))
    real = short["input_mask"] == 1
    np.testing.assert_allclose(
        hidden_of(padded).numpy()[:, :12][real], hidden_of(short).numpy()[real], rtol=0, atol=1e-5
    )


def test_each_prediction_reads_its_own_row_and_position() -> None:
    hidden = np.random.default_rng(0).standard_normal((3, SEQUENCE, CONFIG.hidden_size)).astype(np.float32)
    positions = np.array([[5, 1, 0], [15, 15, 2], [0, 7, 3]], np.int32)
    logits = masked_lm_logits(WEIGHTS, CONFIG, tf.constant(hidden), tf.constant(positions)).numpy()
    logits = logits.reshape(3, 3, CONFIG.vocab_size)
    for row in range(3):
        for n, place in enumerate(positions[row]):
            # That one state alone, as a batch of one row of one token.
            alone = masked_lm_logits(WEIGHTS, CONFIG, tf.constant(hidden[None, None, row, place]), tf.constant([[0]]))
            np.testing.assert_allclose(logits[row, n], alone[0], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("epsilon", [1e-12, 0.1], ids=str)
@pytest.mark.parametrize(
    ("name", "activation"), [("gelu", reference.gelu), ("gelu_erf", reference.gelu_erf), ("relu", reference.relu)]
)
def test_the_configurations_activation_and_epsilon_are_what_is_computed_everywhere(
    batch: dict[str, np.ndarray], name: str, activation: reference.Activation, epsilon: float
) -> None:
    config = CONFIG.model_copy(update={"hidden_act": name, "layer_norm_eps": epsilon})
    ids, mask, kinds = (batch[feature] for feature in ("input_ids", "input_mask", "segment_ids"))
    hidden = encode(WEIGHTS, config, tf.constant(ids), tf.constant(mask), tf.constant(kinds), NoDropout(), tf.float32)
    layers, heads = config.num_hidden_layers, config.num_attention_heads
    expected = reference.encode(WEIGHTS, layers, heads, ids, mask, kinds, activation, epsilon)
    np.testing.assert_allclose(hidden, expected, rtol=0, atol=1e-5)
    positions = batch["masked_lm_positions"]
    mlm = masked_lm_logits(WEIGHTS, config, tf.constant(expected, tf.float32), tf.constant(positions))
    of_reference = reference.masked_lm_logits(WIDE, expected, positions, activation, epsilon)
    np.testing.assert_allclose(mlm, of_reference.reshape(-1, config.vocab_size), rtol=0, atol=1e-5)


@pytest.mark.parametrize(("dtype", "tolerance"), [(tf.float16, 0.02), (tf.bfloat16, 0.15)])
def test_half_precision_stays_close_to_float32(batch: dict[str, np.ndarray], dtype: Any, tolerance: float) -> None:
    # States are of order 1; 16-bit rounding steps are 2**-11 and 2**-8 of that, and add up over two layers.
    low, high = hidden_of(batch, dtype), hidden_of(batch)
    assert low.dtype == dtype
    error = np.abs(low.numpy().astype(np.float32) - high.numpy())
    assert 0 < error.max() < tolerance
    logits = masked_lm_logits(WEIGHTS, CONFIG, low, tf.constant(batch["masked_lm_positions"]))
    assert logits.dtype == tf.float32


def test_half_precision_masks_padding_too(batch: dict[str, np.ndarray]) -> None:
    real = batch["input_mask"] == 1
    other = batch | {"input_ids": np.where(real, batch["input_ids"], 7)}
    first, second = hidden_of(batch, tf.float16).numpy(), hidden_of(other, tf.float16).numpy()
    np.testing.assert_array_equal(first[real], second[real])
