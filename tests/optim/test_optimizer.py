"""Tests for bert/optim/optimizer.py."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from bert.optim.optimizer import is_decayed, make_optimizer
from tests.training.tiny import optimizer_settings

SHAPES = {
    "bert/pooler/dense/kernel": (5, 3),
    "bert/pooler/dense/bias": (3,),
    "bert/embeddings/LayerNorm/gamma": (4,),
    "cls/predictions/output_bias": (6,),
    "cls/seq_relationship/output_weights": (2, 3),
}
DECAYED = {"bert/pooler/dense/kernel", "cls/seq_relationship/output_weights"}
STEPS = 10


def float64_steps(
    kind: str, weights: dict[str, np.ndarray], gradients: list[dict[str, np.ndarray]], rates: list[float], decay: float
) -> dict[str, np.ndarray]:
    """Algorithm 2 of You et al. 2020 and of Loshchilov & Hutter 2019, one variable after the other."""
    beta1, beta2, epsilon = 0.9, 0.999, 1e-6
    done = {}
    for name, start in weights.items():
        w, m, v = start.astype(np.float64), np.zeros(start.shape), np.zeros(start.shape)
        for t, (gradient, rate) in enumerate(zip(gradients, rates, strict=True), start=1):
            g = gradient[name].astype(np.float64)
            m = beta1 * m + (1 - beta1) * g
            v = beta2 * v + (1 - beta2) * g**2
            r = (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + epsilon)
            u = r + decay * w if name in DECAYED else r
            ratio = np.linalg.norm(w) / np.linalg.norm(u) if kind == "lamb" and np.linalg.norm(w) > 0 else 1.0
            w = w - rate * ratio * u
        done[name] = w
    return done


@pytest.mark.parametrize("kind", ["lamb", "adamw"])
def test_ten_steps_are_those_of_the_paper_in_float64(kind: str) -> None:
    rng = np.random.default_rng(0)
    weights = {name: rng.standard_normal(shape).astype(np.float32) for name, shape in SHAPES.items()}
    weights["cls/predictions/output_bias"][:] = 0  # as at the start of training
    gradients = [
        {name: (10.0**power * rng.standard_normal(shape)).astype(np.float32) for name, shape in SHAPES.items()}
        for power in rng.integers(-3, 2, STEPS)
    ]
    rates = [0.01 * (n + 1) for n in range(STEPS)]
    variables = {name: tf.Variable(value) for name, value in weights.items()}
    optimizer = make_optimizer(variables, optimizer_settings(name=kind, weight_decay=0.3))
    for n in range(STEPS):
        given = {name: tf.constant(g) for name, g in gradients[n].items()}
        optimizer.apply(given, tf.constant(rates[n]), tf.constant(n + 1, tf.int64))
    expected = float64_steps(kind, weights, gradients, rates, decay=0.3)
    for name in SHAPES:
        np.testing.assert_allclose(variables[name].numpy(), expected[name], rtol=2e-5, atol=1e-6, err_msg=name)
        assert np.abs(variables[name].numpy() - weights[name]).max() > 0.01, f"{name} has not moved"


def test_one_step_by_hand() -> None:
    """Weights (3, 4), gradient (0.6, -0.8), rate 0.1, decay 0.01.

    After one step the corrected moments are g and g**2, so m / sqrt(v) = (1, -1); with decay u = (1.03, -0.96).
    LAMB: |w| / |u| = 5 / sqrt(1.0609 + 0.9216) = 3.551104.
    """
    for kind, ratio in (("lamb", 3.551104), ("adamw", 1.0)):
        kernel = tf.Variable([3.0, 4.0])
        optimizer = make_optimizer({"dense/kernel": kernel}, optimizer_settings(name=kind))
        optimizer.apply({"dense/kernel": tf.constant([0.6, -0.8])}, tf.constant(0.1), tf.constant(1))
        np.testing.assert_allclose(kernel.numpy(), [3 - 0.1 * ratio * 1.03, 4 + 0.1 * ratio * 0.96], rtol=1e-5)


def test_zero_weights_and_zero_updates_have_ratio_1() -> None:
    bias, still = tf.Variable([0.0, 0.0]), tf.Variable([1.0, 2.0])
    optimizer = make_optimizer({"a/bias": bias, "b/bias": still}, optimizer_settings())
    given = {"a/bias": tf.constant([0.5, -0.5]), "b/bias": tf.constant([0.0, 0.0])}
    optimizer.apply(given, tf.constant(0.1), tf.constant(1))
    np.testing.assert_allclose(bias.numpy(), [-0.1, 0.1], rtol=1e-4)
    np.testing.assert_array_equal(still.numpy(), [1.0, 2.0])


def test_lamb_does_not_depend_on_the_scale_of_the_gradient() -> None:
    # Epsilon aside: what LAMB is for. Large layers and small layers move by the same share of their norm.
    moved = []
    for scale in (1.0, 1000.0):
        kernel = tf.Variable([3.0, 4.0])
        optimizer = make_optimizer({"kernel": kernel}, optimizer_settings(weight_decay=0.0))
        optimizer.apply({"kernel": scale * tf.constant([0.6, -0.8])}, tf.constant(0.1), tf.constant(1))
        moved.append(kernel.numpy())
        assert np.linalg.norm(kernel.numpy() - [3, 4]) == pytest.approx(0.1 * 5, rel=1e-4)
    np.testing.assert_allclose(moved[0], moved[1], rtol=1e-5)


def test_layer_norms_and_biases_are_not_decayed() -> None:
    assert {name for name in SHAPES if is_decayed(name)} == DECAYED
    assert is_decayed("bert/embeddings/word_embeddings")
    assert not is_decayed("bert/encoder/layer_0/output/LayerNorm/beta")


def test_every_parameter_has_both_moments_in_the_checkpoint() -> None:
    variables = {name: tf.Variable(tf.zeros(shape)) for name, shape in SHAPES.items()}
    slots = make_optimizer(variables, optimizer_settings()).slots
    assert {name: tuple(slot.shape) for name, slot in slots.items()} == {
        f"{slot}/{name}": shape for name, shape in SHAPES.items() for slot in ("m", "v")
    }
