"""Tests for bert/model/compute_weights.py."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from bert.model.compute_weights import TIED, WORDS, compute_weights, joined_name, parameter_gradients
from bert.model.dropout import NoDropout
from bert.model.losses import pretraining_sums
from bert.model.parameters import make_parameters, pretraining_shapes, squad_shapes
from tests.training.tiny import CONFIG, make_batch, tensors

SELF = "bert/encoder/layer_0/attention/self"


@pytest.fixture
def parameters() -> dict[str, Any]:
    """Random ones: biases too."""
    rng = np.random.default_rng(1)
    given = {n: rng.normal(size=s, scale=0.3).astype(np.float32) for n, s in pretraining_shapes(CONFIG).items()}
    return make_parameters(pretraining_shapes(CONFIG), CONFIG, 0, given)


def test_the_joined_product_is_the_scaled_query_the_key_and_the_value(parameters: dict[str, Any]) -> None:
    weights = compute_weights(parameters, CONFIG, tf.float32)
    x = np.random.default_rng(2).normal(size=(5, CONFIG.hidden_size)).astype(np.float32)
    found = x @ weights[joined_name(SELF, "kernel")].numpy() + weights[joined_name(SELF, "bias")].numpy()
    parts = [x @ parameters[f"{SELF}/{p}/kernel"].numpy() + parameters[f"{SELF}/{p}/bias"].numpy() for p in
             ("query", "key", "value")]  # fmt: skip
    size = CONFIG.hidden_size // CONFIG.num_attention_heads
    np.testing.assert_allclose(found, np.concatenate([parts[0] / size**0.5, *parts[1:]], 1), rtol=1e-5, atol=1e-5)


def test_kernels_have_the_compute_dtype_and_all_else_is_float32(parameters: dict[str, Any]) -> None:
    weights = compute_weights(parameters, CONFIG, tf.bfloat16)
    assert not [n for n in weights if "/query/" in n or "/key/" in n or "/value/" in n]
    in_bfloat16 = {n for n, w in weights.items() if w.dtype == tf.bfloat16}
    assert in_bfloat16 == {n for n in weights if n.endswith("/kernel")} | {TIED}
    assert weights[WORDS].dtype == tf.float32, "what is looked up is added up in float32"


def test_what_is_made_already_stays_as_it_is(parameters: dict[str, Any]) -> None:
    once = compute_weights(parameters, CONFIG, tf.bfloat16)
    twice = compute_weights(once, CONFIG, tf.bfloat16)
    assert list(twice) == list(once) and all(twice[n] is once[n] for n in once)


def test_without_a_masked_lm_head_there_is_no_second_table() -> None:
    assert TIED not in compute_weights(make_parameters(squad_shapes(CONFIG), CONFIG, 0), CONFIG, tf.float32)


def test_gradients_of_parameters_are_those_that_a_tape_finds(parameters: dict[str, Any]) -> None:
    batch = tensors(make_batch(4))
    with tf.GradientTape() as tape:
        loss = pretraining_sums(parameters, CONFIG, batch, NoDropout(), tf.float32)["mlm_loss"]
    unused = tf.UnconnectedGradients.ZERO
    expected = tape.gradient(loss, list(parameters.values()), unconnected_gradients=unused)
    weights = compute_weights(parameters, CONFIG, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(weights)
        loss = pretraining_sums(weights, CONFIG, batch, NoDropout(), tf.float32)["mlm_loss"]
    of_weights = tape.gradient(loss, weights, unconnected_gradients=unused)
    dense = {name: tf.convert_to_tensor(gradient) for name, gradient in of_weights.items()}
    found = parameter_gradients(dense, list(parameters), CONFIG)
    for name, ours, theirs in zip(parameters, found, expected, strict=True):
        np.testing.assert_allclose(ours, tf.convert_to_tensor(theirs), rtol=1e-4, atol=1e-5, err_msg=name)
