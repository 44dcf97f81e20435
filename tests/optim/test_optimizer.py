"""Tests for bert/optim/optimizer.py."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from ruamel.yaml import YAML

from bert.optim.optimizer import is_decayed, make_optimizer
from bert.optim.settings import OptimizerSettings
from bert.pipeline.errors import StageError
from bert.pipeline.params import section
from tests.training.tiny import LAMB, optimizer_settings

SHAPES = {
    "bert/pooler/dense/kernel": (5, 3),
    "bert/pooler/dense/bias": (3,),
    "bert/embeddings/LayerNorm/gamma": (4,),
    "cls/predictions/output_bias": (6,),
    "cls/seq_relationship/output_weights": (2, 3),
}
DECAYED = {"bert/pooler/dense/kernel", "cls/seq_relationship/output_weights"}
STEPS = 10
EPSILON = 1e-3  # as large as the smallest gradients: it must matter where it stands


# The first two are the defaults of pretraining and fine-tuning.
VARIANTS: dict[str, dict[str, Any]] = {
    "nvlamb": {"name": "lamb"},
    "adamw": {"name": "adamw"},
    "nvlamb, published figure": {"name": "lamb", "epsilon_inside_root": True},
    "lamb, ratio on decayed": {"name": "lamb", "trust_ratio": "decayed"},
    "lamb without correction": {"name": "lamb", "bias_correction": False},
    "lamb, all of it": {
        "name": "lamb",
        "epsilon_inside_root": True,
        "bias_correction": False,
        "trust_ratio": "decayed",
    },
    "adamw of bert": {"name": "adamw", "bias_correction": False},
    "adamw, epsilon inside": {"name": "adamw", "epsilon_inside_root": True},
}


def float64_steps(
    variant: dict[str, Any],
    weights: dict[str, np.ndarray],
    gradients: list[dict[str, np.ndarray]],
    rates: list[float],
    decay: float,
) -> dict[str, np.ndarray]:
    """Algorithm 2 of You et al. 2020 and of Loshchilov & Hutter 2019, one variable after the other."""
    beta1, beta2 = 0.9, 0.999
    corrected = variant.get("bias_correction", True)
    inside, outside = (EPSILON, 0.0) if variant.get("epsilon_inside_root", False) else (0.0, EPSILON)
    done = {}
    for name, start in weights.items():
        with_ratio = variant["name"] == "lamb" and (variant.get("trust_ratio") != "decayed" or name in DECAYED)
        w, m, v = start.astype(np.float64), np.zeros(start.shape), np.zeros(start.shape)
        for t, (gradient, rate) in enumerate(zip(gradients, rates, strict=True), start=1):
            g = gradient[name].astype(np.float64)
            m = beta1 * m + (1 - beta1) * g
            v = beta2 * v + (1 - beta2) * g**2
            m_hat, v_hat = (m / (1 - beta1**t), v / (1 - beta2**t)) if corrected else (m, v)
            r = m_hat / ((v_hat + inside) ** 0.5 + outside)
            u = r + decay * w if name in DECAYED else r
            ratio = np.linalg.norm(w) / np.linalg.norm(u) if with_ratio and np.linalg.norm(w) > 0 else 1.0
            w = w - rate * ratio * u
        done[name] = w
    return done


def ten_steps(variant: dict[str, Any]) -> tuple[dict[str, np.ndarray], ...]:
    """Weights before, after, and after by float64_steps."""
    rng = np.random.default_rng(0)
    weights = {name: rng.standard_normal(shape).astype(np.float32) for name, shape in SHAPES.items()}
    weights["cls/predictions/output_bias"][:] = 0  # as at the start of training
    gradients = [
        {name: (10.0**power * rng.standard_normal(shape)).astype(np.float32) for name, shape in SHAPES.items()}
        for power in rng.integers(-3, 2, STEPS)
    ]
    rates = [0.01 * (n + 1) for n in range(STEPS)]
    variables = {name: tf.Variable(value) for name, value in weights.items()}
    optimizer = make_optimizer(variables, optimizer_settings(**variant, epsilon=EPSILON, weight_decay=0.3))
    for n in range(STEPS):
        given = {name: tf.constant(g) for name, g in gradients[n].items()}
        optimizer.apply(given, tf.constant(rates[n]), tf.constant(n + 1, tf.int64))
    expected = float64_steps(variant, weights, gradients, rates, decay=0.3)
    return weights, {name: v.numpy() for name, v in variables.items()}, expected


@pytest.mark.parametrize("variant", VARIANTS)
def test_ten_steps_are_those_of_the_paper_in_float64(variant: str) -> None:
    before, after, expected = ten_steps(VARIANTS[variant])
    for name in SHAPES:
        np.testing.assert_allclose(after[name], expected[name], rtol=2e-5, atol=1e-6, err_msg=name)
        assert np.abs(after[name] - before[name]).max() > 0.01, f"{name} has not moved"


def test_every_variant_is_one_of_its_own() -> None:
    # Else the comparison above would not see an option that does nothing.
    ends = [np.concatenate([x.ravel() for x in ten_steps(variant)[2].values()]) for variant in VARIANTS.values()]
    for n, end in enumerate(ends):
        for other in ends[n + 1 :]:
            assert np.abs(end - other).max() > 1e-4


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


@pytest.mark.parametrize(
    ("epsilon", "inside", "corrected", "expected"),
    [
        (0.4, False, True, 0.6),  # 0.6 / (0.6 + 0.4)
        (0.28, True, True, 0.75),  # 0.6 / sqrt(0.36 + 0.28)
        (1e-9, False, False, 3.162278),  # 0.06 / sqrt(0.001 * 0.36)
        (0.00324, True, False, 1.0),  # 0.06 / sqrt(0.00036 + 0.00324)
    ],
)
def test_epsilon_and_bias_correction_by_hand(epsilon: float, inside: bool, corrected: bool, expected: float) -> None:
    kernel = tf.Variable([3.0, 4.0])
    settings = optimizer_settings(
        name="adamw", epsilon=epsilon, epsilon_inside_root=inside, bias_correction=corrected, weight_decay=0.0
    )
    given = {"kernel": tf.constant([0.6, -0.6])}
    make_optimizer({"kernel": kernel}, settings).apply(given, tf.constant(0.1), tf.constant(1))
    np.testing.assert_allclose(kernel.numpy(), [3 - 0.1 * expected, 4 + 0.1 * expected], rtol=1e-5)


@pytest.mark.parametrize(("trust_ratio", "moved"), [("all", 0.1 * 5 / 2**0.5), ("decayed", 0.1)])
def test_the_trust_ratio_can_leave_layer_norms_out(trust_ratio: str, moved: float) -> None:
    # u = (1, -1): with |w| = 5 the ratio is 5 / sqrt(2).
    gamma, kernel = tf.Variable([3.0, 4.0]), tf.Variable([3.0, 4.0])
    parameters = {"a/LayerNorm/gamma": gamma, "a/kernel": kernel}
    optimizer = make_optimizer(parameters, optimizer_settings(trust_ratio=trust_ratio, weight_decay=0.0))
    given = {name: tf.constant([0.6, -0.8]) for name in parameters}
    optimizer.apply(given, tf.constant(0.1), tf.constant(1))
    np.testing.assert_allclose(gamma.numpy(), [3 - moved, 4 + moved], rtol=1e-5)
    np.testing.assert_allclose(kernel.numpy(), [3 - 0.1 * 5 / 2**0.5, 4 + 0.1 * 5 / 2**0.5], rtol=1e-5)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": "adamw", "trust_ratio": "all"}, "adamw has no trust ratio: set trust_ratio to null"),
        ({"name": "lamb", "trust_ratio": None}, "lamb without a trust ratio is adamw: set trust_ratio to all"),
    ],
)
def test_a_combination_that_means_nothing_is_an_error(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    file = tmp_path / "params.yaml"
    YAML(typ="safe", pure=True).dump({"optimizer": LAMB | changes}, file)
    with pytest.raises(StageError, match=f"optimizer: .*{said}"):
        section(OptimizerSettings, "optimizer", file)


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
