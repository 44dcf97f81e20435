"""Tests for bert/model/fused.py and recompute.py: what is compiled, or computed again, changes no number."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from bert.model.activations import gelu, gelu_erf, relu
from bert.model.dropout import Dropout, drop
from bert.model.fused import Xla, compile_by, for_gpu, fused
from bert.model.layers import add_and_norm, attention_weights, layer_norm
from bert.model.losses import pretraining_sums
from bert.model.recompute import recomputed, recomputing
from bert.training.world import Split
from tests.training.tiny import BF16, CONFIG, FP32, make_batch, make_step, take_steps, tensors, values_of

B, N, S, H = 2, 3, 5, 16
KEYS = tf.constant([[1, 2], [3, 4]], tf.uint32)


def values(*shape: int, seed: int) -> Any:
    return tf.constant(np.random.default_rng(seed).normal(size=shape), tf.float32)


NORM = {"a/LayerNorm/gamma": values(H, seed=1), "a/LayerNorm/beta": values(H, seed=2)}
FUNCTIONS: dict[str, tuple[Callable[..., Any], list[Any]]] = {
    "gelu": (gelu, [values(B, S, H, seed=3)]),
    "gelu by the error function": (gelu_erf, [values(B, S, H, seed=3)]),
    "relu": (relu, [values(B, S, H, seed=3)]),
    "norm": (lambda x: layer_norm(NORM, "a", x, 0.1), [values(B, S, H, seed=3)]),
    "add and norm": (
        lambda x, y: add_and_norm(NORM, "a", x, y, KEYS, 0.3, 0.1),
        [values(B, S, H, seed=4), values(B, S, H, seed=5)],
    ),
    "attention weights": (
        lambda x: attention_weights(x, values(B, 1, 1, S, seed=7), KEYS, rate=0.3),
        [values(B, N, S, S, seed=6)],
    ),
}


def with_gradients(function: Callable[..., Any], inputs: list[Any]) -> list[Any]:
    """The value, and what its weighted sum owes to each input."""
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        out = function(*inputs)
        total = tf.reduce_sum(out * values(*out.shape, seed=8))
    return [out, *tape.gradient(total, inputs)]


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("xla", ["fused", True])
def test_a_fused_function_has_the_value_and_the_gradients_of_the_plain_function(name: str, xla: Xla) -> None:
    function, inputs = FUNCTIONS[name]
    ours = compile_by(xla, lambda: with_gradients(function, inputs))()
    for found, expected in zip(ours, with_gradients(function, inputs), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def naive_norm(total: Any, epsilon: float = 0.1) -> Any:
    mean, variance = tf.nn.moments(total, -1, keepdims=True)
    return (total - mean) / tf.sqrt(variance + epsilon) * NORM["a/LayerNorm/gamma"] + NORM["a/LayerNorm/beta"]


NAIVE: dict[str, Callable[..., Any]] = {
    "gelu": lambda x: tf.nn.gelu(x, approximate=True),
    "gelu by the error function": lambda x: tf.nn.gelu(x, approximate=False),
    "relu": tf.nn.relu,
    "norm": naive_norm,
    "add and norm": lambda x, y: naive_norm(x + drop(y, KEYS, 0.3)),
    "attention weights": lambda x: drop(tf.nn.softmax(x + values(B, 1, 1, S, seed=7)), KEYS, 0.3),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_written_out_gradient_is_the_one_that_tensorflow_derives(name: str) -> None:
    function, inputs = FUNCTIONS[name]
    for found, expected in zip(with_gradients(function, inputs), with_gradients(NAIVE[name], inputs), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_what_a_norm_scales_and_shifts_by_has_its_gradient() -> None:
    x, y = values(B, S, H, seed=4), values(B, S, H, seed=5)
    given = list(NORM.values())

    def by(norm: Callable[[], Any]) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(given)
            total = tf.reduce_sum(norm() * values(B, S, H, seed=8))
        return tape.gradient(total, given)

    ours = by(lambda: add_and_norm(NORM, "a", x, y, KEYS, 0.3, 0.1))
    for found, expected in zip(ours, by(lambda: naive_norm(x + drop(y, KEYS, 0.3))), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_functions_are_fused_where_that_is_asked_for_and_only_there() -> None:
    @fused
    def doubled(x: Any) -> Any:
        return x * 2

    def graph_of(xla: Xla) -> list[str]:
        operations = compile_by(xla, doubled).get_concrete_function(tf.constant(1.0)).graph.get_operations()
        return [operation.type for operation in operations]

    assert "Mul" not in graph_of("fused") and any(kind.endswith("PartitionedCall") for kind in graph_of("fused"))
    assert "Mul" in graph_of(False)


@pytest.mark.slow
@pytest.mark.parametrize("precision", [FP32, BF16], ids=["fp32", "bf16"])
def test_training_is_the_same_fused_whole_or_not_compiled(precision: Any) -> None:
    found = {}
    for xla in (False, "fused", True):
        step = make_step(Split(1, 2, 4), precision=precision)  # the accumulation is a loop in the graph
        step.compile(xla)
        figures = take_steps(step, range(2), 8)
        found[xla] = figures, values_of(step)
    # bfloat16 has 8 bits: XLA keeps more of them on the way.
    rtol, atol = (1e-4, 1e-6) if precision is FP32 else (0.1, 2e-3)
    for one, other in itertools.combinations(found, 2):
        for ours, expected in zip(found[one][0], found[other][0], strict=True):
            assert ours["mlm_loss"] == pytest.approx(expected["mlm_loss"], rel=1e-5 if precision is FP32 else 2e-3)
            assert ours["grad_norm"] == pytest.approx(expected["grad_norm"], rel=1e-4 if precision is FP32 else 2e-2)
        for name, value in found[one][1].items():
            if name.startswith(("bert/", "cls/")):
                np.testing.assert_allclose(value, found[other][1][name], rtol=rtol, atol=atol, err_msg=name)


def gradients_by(recompute: bool, xla: Xla) -> tuple[Any, Any]:
    """Sums, and the gradient of every parameter, with dropout on."""
    step = make_step(Split(1, 1, 8))

    def both(batch: Any) -> Any:
        sites = Dropout(1, tf.constant(0, tf.int64), tf.constant(0, tf.int64), 8)
        with recomputing(recompute), tf.GradientTape() as tape:
            sums = pretraining_sums(step.parameters, CONFIG, batch, sites, tf.float32)
            loss = sums["mlm_loss"] + sums["nsp_loss"]
        return loss, [tf.convert_to_tensor(g) for g in tape.gradient(loss, list(step.parameters.values()))]

    loss, gradients = compile_by(xla, both)(tensors(make_batch(8)))
    return loss, gradients


@pytest.mark.parametrize("xla", [False, "fused", pytest.param(True, marks=pytest.mark.slow)])
def test_recomputation_changes_no_gradient(xla: Xla) -> None:
    loss, gradients = gradients_by(True, xla)
    expected_loss, expected = gradients_by(False, xla)
    assert float(loss) == pytest.approx(float(expected_loss), rel=1e-6)
    for ours, theirs in zip(gradients, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


def test_recomputation_keeps_the_inputs_alone() -> None:
    calls = []

    def function(weights: Any, x: Any) -> Any:
        calls.append("called")
        return tf.sin(x * weights["w"])

    x, w = tf.constant([1.0, 2.0]), tf.Variable([3.0, 4.0])
    with recomputing(True), tf.GradientTape() as tape:
        tape.watch(x)
        y = recomputed(function, {"w": w}, x)
    assert len(calls) == 1
    of_x, of_w = tape.gradient(y, [x, w])
    assert len(calls) == 2, "once more, in the backward pass"
    np.testing.assert_allclose(of_x, w * tf.cos(x * w), rtol=1e-6)
    np.testing.assert_allclose(of_w, x * tf.cos(x * w), rtol=1e-6)


@pytest.mark.parametrize("name, results", [("gelu", 1), ("add and norm", 4)])
def test_for_a_gpu_half_precision_is_written_as_such(name: str, results: int) -> None:
    """results: arrays that XLA must not keep in float32: of the norm y, the gradient of x (twice) and of the update."""
    function, inputs = FUNCTIONS[name]

    def gradient(*given: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(given)
            out = function(*given)
        return tape.gradient(out, given)

    def barriers(dtype: Any) -> list[str]:
        device = tf.config.list_logical_devices("CPU")[0].name
        given = [tf.cast(x, dtype) for x in inputs]
        program = compile_by(True, gradient).experimental_get_compiler_ir(*given)("stablehlo", device)
        lines = [line for line in program.splitlines() if "optimization_barrier" in line]
        return [kind for line in lines for kind in re.findall(rf"tensor<{B}x{S}x{H}x(\w+)>", line)]

    with for_gpu():
        assert barriers(tf.bfloat16) == ["bf16"] * results
        assert barriers(tf.float32) == []  # for which what stands in between is the fewer bytes
    assert "bf16" not in barriers(tf.bfloat16)  # a CPU's loops are not split
