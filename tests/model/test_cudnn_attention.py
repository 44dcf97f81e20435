"""Tests for bert/model/cudnn_attention.py: the program that XLA is given, since there is no GPU to run it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from bert.model import cudnn_attention
from bert.model.cudnn_attention import attending
from bert.model.dropout import NoDropout
from bert.model.encoder import encode
from bert.model.fused import compile_by
from bert.model.losses import pretraining_sums
from bert.model.parameters import make_parameters, pretraining_shapes
from bert.training.world import Split
from tests.training.tiny import BF16, CONFIG, make_batch, make_step, tensors

ROWS, SEQUENCE, LAYERS = 4, 16, CONFIG.num_hidden_layers
FORWARD, BACKWARD = "__cudnn$fmhaSoftmax", "__cudnn$fmhaSoftmaxBackward"
DEVICE = tf.config.list_logical_devices("CPU")[0].name  # or TensorFlow draws a number to see where it comes to lie
LENGTHS = np.array([16, 9, 1, 0])
NOTHING_DROPPED = CONFIG.with_dropout(0.0)


@dataclass(frozen=True)
class Call:
    """A custom call of a StableHLO program."""

    target: str
    operands: list[str]
    operand_types: list[str]
    result_types: list[str]
    settings: dict[str, Any]


def calls_in(program: str) -> list[Call]:
    pattern = (
        r'custom_call @(__cudnn\S+?)\((.*?)\) \{.*?backend_config = "(.*?)", .*?\} '
        r": \((.*?)\) -> (?:tuple<(.*?)>|\((.*?)\)) loc"
    )
    found = []
    for target, operands, config, given, as_tuple, several in re.findall(pattern, program):
        text = re.sub(r"\\([0-9A-F]{2})", lambda m: chr(int(m[1], 16)), config)
        results = re.findall(r"tensor<(.*?)>", as_tuple or several)
        settings = json.loads(text)["cudnn_fmha_backend_config"]
        found.append(Call(target, operands.split(", "), re.findall(r"tensor<(.*?)>", given), results, settings))
    return found


def gradient_program(attention: Any = "fused", packed: bool = False, dtype: Any = tf.bfloat16) -> str:
    """The gradient of the hidden states of a batch, as XLA is given it."""
    weights = make_parameters(pretraining_shapes(CONFIG), CONFIG, 0)

    def gradient(ids: Any, mask: Any) -> Any:
        with attending(attention), tf.GradientTape() as tape:
            hidden = encode(weights, NOTHING_DROPPED, ids, mask, ids * 0, NoDropout(), dtype, packed)
        return tape.gradient(hidden, list(weights.values()), unconnected_gradients="zero")

    ids = tf.ones([ROWS, SEQUENCE], tf.int32)
    program: str = compile_by(True, gradient).experimental_get_compiler_ir(ids, ids)("stablehlo", DEVICE)
    return program


@pytest.fixture(scope="module")
def calls() -> list[Call]:
    return calls_in(gradient_program())


def test_each_layer_is_a_call_forward_and_one_backward(calls: list[Call]) -> None:
    assert [c.target for c in calls] == [FORWARD] * LAYERS + [BACKWARD] * LAYERS


def test_operands_and_results_have_the_types_that_the_kernel_takes(calls: list[Call]) -> None:
    heads = CONFIG.num_attention_heads
    part = f"{ROWS}x{heads}x{SEQUENCE}x{CONFIG.hidden_size // heads}xbf16"
    statistics, lengths, workspace = f"{ROWS}x{heads}x{SEQUENCE}xf32", f"{ROWS}xi32", "0xui8"
    for call in calls:
        if call.target == FORWARD:
            assert call.operand_types == [part, part, part, lengths, lengths]
            assert call.result_types == [part, statistics, workspace]
        else:
            assert call.operand_types == [part, part, part, statistics, part, part, lengths, lengths]
            assert call.result_types == [part, part, part, workspace]


def test_the_configuration_says_padding_no_dropout_and_no_scale_of_its_own(calls: list[Call]) -> None:
    for settings in (c.settings for c in calls):
        assert settings["fmha_scale"] == 1.0, "queries are scaled already"
        assert (settings["mask_type"], settings["dropout_rate"]) == ("PADDING", 0.0)
        shape = settings["intermediate_tensor_shape"]
        assert shape["element_type"] == "BF16"
        assert [int(n) for n in shape["dimensions"]] == [ROWS, CONFIG.num_attention_heads, SEQUENCE, SEQUENCE]


def test_float16_is_named_in_the_configuration() -> None:
    kinds = {c.settings["intermediate_tensor_shape"]["element_type"] for c in calls_in(gradient_program(dtype=tf.half))}
    assert kinds == {"F16"}


def test_plain_attention_and_packed_rows_have_no_calls() -> None:
    assert "cudnn" not in gradient_program("plain")
    assert "cudnn" not in gradient_program(packed=True)


@pytest.mark.parametrize("recompute", [False, True])
def test_a_training_step_attends_as_its_precision_says(recompute: bool) -> None:
    precision = replace(BF16, xla=True, attention="fused", recompute=recompute)
    step = make_step(Split(1, 1, ROWS), precision=precision, dropout=0.0)
    batch = tensors(make_batch(ROWS, 0))
    args = batch, step.objective.weigh(batch), tf.constant(0, tf.int64), tf.constant(1.0)
    program = step._gradients.experimental_get_compiler_ir(*args)("stablehlo", DEVICE)
    targets = [c.target for c in calls_in(program)]
    assert targets.count(FORWARD) == LAYERS * (2 if recompute else 1)
    assert targets.count(BACKWARD) == LAYERS
    # And what it trained is evaluated by plain attention.
    sums = compile_by(True, lambda b: pretraining_sums(step.parameters, CONFIG, b, NoDropout(), tf.bfloat16))
    assert "cudnn" not in sums.experimental_get_compiler_ir(batch)("stablehlo", DEVICE)


# --- what the calls compute, by a kernel of our own that takes them as the GPU's does


def product(settings: dict[str, Any], name: str, left: Any, right: Any) -> Any:
    """The matrix product with the dimension numbers of that name."""
    numbers = settings[f"{name}_dot_dimension_numbers"]
    assert numbers["lhs_batch_dimensions"] == numbers["rhs_batch_dimensions"] == ["0", "1"]
    (of_left,), (of_right,) = numbers["lhs_contracting_dimensions"], numbers["rhs_contracting_dimensions"]
    return tf.matmul(left, right, transpose_a=of_left == "2", transpose_b=of_right == "3")


def kernel(target: str, operands: list[Any], configuration: str, results: list[Any]) -> list[Any]:
    """By the formulas of flash attention (Dao et al. 2022), in float32."""
    settings = json.loads(configuration)["cudnn_fmha_backend_config"]
    *tensors, of_queries, of_keys = operands
    query, key, value, *rest = (tf.cast(x, tf.float32) for x in tensors)
    is_key = tf.sequence_mask(of_keys, query.shape[2])[:, None, None, :]
    is_query = tf.sequence_mask(of_queries, query.shape[2])[:, None, :, None]
    scores = tf.where(is_key, tf.matmul(query, key, transpose_b=True) * settings["fmha_scale"], -np.inf)
    if target == FORWARD:
        np.testing.assert_array_equal(product(settings, "bmm1", query, key), tf.matmul(query, key, transpose_b=True))
        context = product(settings, "bmm2", tf.nn.softmax(scores), value)
        # Where the kernel computes nothing, there is what was there before.
        found = [tf.where(is_query, context, np.nan), tf.reduce_logsumexp(scores, -1)]
    else:
        statistics, upstream, context = rest
        weights = tf.exp(scores - statistics[..., None])
        of_weights = product(settings, "bmm2_grad_gemm2", upstream, value)
        of_scores = weights * (of_weights - tf.reduce_sum(upstream * context, -1, keepdims=True))
        of_scores *= settings["fmha_scale"]
        of_query = product(settings, "bmm1_grad_gemm2", of_scores, key)
        of_key = product(settings, "bmm1_grad_gemm1", of_scores, query)
        found = [of_query, of_key, product(settings, "bmm2_grad_gemm1", weights, upstream)]
    return [tf.cast(x, dtype) for x, (dtype, _) in zip(found, results, strict=True)]


def hidden_and_gradients(attention: Any) -> tuple[np.ndarray, list[np.ndarray]]:
    """Of padded rows, one of them empty, in float16, under weights at which tokens attend to some others."""
    config = NOTHING_DROPPED.model_copy(update={"initializer_range": 0.3})
    weights = make_parameters(pretraining_shapes(config), config, 0)
    ids = tf.constant(np.random.default_rng(0).integers(5, config.vocab_size, (ROWS, SEQUENCE)), tf.int32)
    mask = tf.cast(tf.sequence_mask(LENGTHS, SEQUENCE), tf.int32)
    upstream = np.random.default_rng(1).standard_normal((ROWS, SEQUENCE, config.hidden_size))
    upstream[LENGTHS == 0] = 0  # plain attention lets padding attend to padding, where there is nothing else
    with attending(attention), tf.GradientTape() as tape:
        hidden = encode(weights, config, ids, mask, ids * 0, NoDropout(), tf.float16)
    gradients = tape.gradient(hidden, list(weights.values()), tf.constant(upstream, tf.float16), "zero")
    return hidden.numpy(), [tf.convert_to_tensor(g).numpy() for g in gradients]


def test_the_calls_compute_attention_over_the_tokens_of_each_row(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[str] = []

    def counted(target: str, *args: Any) -> list[Any]:
        taken.append(target)
        return kernel(target, *args)

    monkeypatch.setattr(cudnn_attention, "_call", counted)
    plain, of_plain = hidden_and_gradients("plain")
    assert not taken
    fused, of_fused = hidden_and_gradients("fused")
    assert taken == [FORWARD] * LAYERS + [BACKWARD] * LAYERS
    assert np.isfinite(fused).all()
    np.testing.assert_allclose(fused[LENGTHS > 0], plain[LENGTHS > 0], atol=0.02)
    for got, wanted in zip(of_fused, of_plain, strict=True):
        # That of the keys' bias, which softmax takes no notice of, is rounding and nothing else.
        assert np.linalg.norm(got - wanted) <= 0.02 * np.linalg.norm(wanted) + 0.01
