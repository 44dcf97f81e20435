"""Tests for bert/training/precision.py."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from bert.model.config import BertConfig
from bert.pipeline.errors import StageError
from bert.training.precision import Precision, choose_xla, has_tf32, set_precision, why_plain, with_attention
from bert.training.settings import ComputeSettings, PrecisionName

on_cpu = pytest.mark.skipif(
    bool(tf.config.list_physical_devices("GPU")), reason="says what a machine without a GPU does"
)


@pytest.mark.parametrize(
    ("name", "dtype", "scales_loss"),
    [
        ("fp32", tf.float32, False),
        ("tf32", tf.float32, False),
        ("fp16", tf.float16, True),
        ("bf16", tf.bfloat16, False),
    ],
)
def test_names_mean_a_dtype_and_only_float16_scales_the_loss(
    name: PrecisionName, dtype: Any, scales_loss: bool
) -> None:
    precision = set_precision(
        ComputeSettings(precision=name, xla=False, deterministic=True, attention="auto", allreduce="fp32"),
        hidden_size=16,
    )
    assert (precision.name, precision.dtype, precision.scales_loss) == (name, dtype, scales_loss)
    # TensorFlow's default is on: fp32 would silently be TF32 on a GPU that has it.
    assert tf.config.experimental.tensor_float_32_execution_enabled() == (name == "tf32")


@pytest.mark.skipif(not has_tf32(tf.config.list_physical_devices("GPU")), reason="needs a GPU that computes in TF32")
def test_tf32_and_fp32_differ_in_the_products_of_a_gpu() -> None:
    a = np.random.default_rng(0).standard_normal((256, 256)).astype(np.float32)
    exact, errors = a.astype(np.float64) @ a.astype(np.float64), {}
    for name in ("fp32", "tf32", "fp32"):  # on and off again
        settings = ComputeSettings(precision=name, xla=False, deterministic=True, attention="auto", allreduce="fp32")
        set_precision(settings, hidden_size=16)
        errors[name] = np.abs(tf.matmul(a, a).numpy() - exact).max()
    assert errors["fp32"] < 1e-3 < errors["tf32"], "TF32 keeps 11 bits of each factor"


@pytest.mark.parametrize("name", ["fp32", "bf16"])
def test_float16_between_ranks_scales_the_loss_at_any_precision(name: PrecisionName) -> None:
    settings = ComputeSettings(precision=name, xla=False, deterministic=True, attention="auto", allreduce="fp16")
    precision = set_precision(settings, hidden_size=16)
    assert (precision.allreduce, precision.scales_loss) == (tf.float16, True)


@on_cpu
def test_tf32_on_a_cpu_is_told_as_what_it_is() -> None:
    assert not has_tf32([])
    precision = set_precision(
        ComputeSettings(precision="tf32", xla=False, deterministic=True, attention="auto", allreduce="fp32"),
        hidden_size=16,
    )
    assert (precision.name, precision.effective) == ("tf32", "fp32")


@pytest.mark.parametrize(
    ("wanted", "on_gpu", "dtype", "hidden", "expected"),
    [
        (True, False, tf.bfloat16, 1024, True),
        (False, True, tf.float32, 128, False),
        ("auto", True, tf.bfloat16, 1024, True),
        ("auto", False, tf.float32, 128, True),
        ("auto", False, tf.float32, 768, "fused"),
        ("auto", False, tf.bfloat16, 128, "fused"),
        ("fused", True, tf.float32, 128, "fused"),
    ],
)
def test_xla_is_as_told_or_where_it_is_faster(
    wanted: Any, on_gpu: bool, dtype: Any, hidden: int, expected: Any
) -> None:
    assert choose_xla(wanted, on_gpu, dtype, hidden) == expected


@pytest.mark.parametrize("wanted", [True, False])
def test_deterministic_operations_are_switched_on_where_they_are_wanted(
    monkeypatch: pytest.MonkeyPatch, wanted: bool
) -> None:
    # TensorFlow cannot switch them off again, so that the state of this process tells nothing.
    calls: list[bool] = []
    monkeypatch.setattr(tf.config.experimental, "enable_op_determinism", lambda: calls.append(True))
    set_precision(
        ComputeSettings(precision="fp32", xla=False, deterministic=wanted, attention="auto", allreduce="fp32"),
        hidden_size=16,
    )
    assert calls == [True] * wanted


@pytest.mark.parametrize("wanted", [True, False])
def test_recomputation_is_a_setting_of_the_machine(wanted: bool) -> None:
    settings = ComputeSettings(precision="fp32", xla=False, deterministic=True, attention="auto", allreduce="fp32")
    assert set_precision(settings, hidden_size=16, recompute=wanted).recompute is wanted


NO_DROPOUT = BertConfig.named("tiny", 100, dropout=0.0)
HALF = Precision("bf16", "bf16", tf.bfloat16, False, True)


@pytest.mark.parametrize(
    ("changes", "config", "machine", "reason"),
    [
        ({}, {}, {}, None),
        ({"name": "fp16", "dtype": tf.float16}, {}, {}, None),
        ({}, {"hidden_dropout_prob": 0.1}, {}, None),
        ({}, {"attention_probs_dropout_prob": 0.1}, {}, "dropout is 0.1"),
        ({"name": "tf32", "dtype": tf.float32}, {}, {}, "precision is tf32"),
        ({}, {}, {"packed": True}, "packed"),
        ({}, {}, {"deterministic": True}, "deterministic is true"),
        ({}, {"num_attention_heads": 32}, {}, "heads .* have 4"),
        ({}, {"hidden_size": 512}, {}, "heads .* have 256"),
        ({"xla": "fused"}, {}, {}, "xla is fused"),
        ({}, {}, {"can_fuse": False}, "compute capability 8.0 or more"),
    ],
)
def test_attention_is_fused_where_nothing_speaks_against_it(
    changes: dict[str, Any], config: dict[str, Any], machine: dict[str, bool], reason: str | None
) -> None:
    best = {"packed": False, "deterministic": False, "can_fuse": True}
    found = why_plain(replace(HALF, **changes), NO_DROPOUT.model_copy(update=config), **best | machine)
    assert found is None if reason is None else re.search(reason, str(found))


@on_cpu
@pytest.mark.parametrize("wanted", ["auto", "plain"])
def test_a_cpu_attends_plainly_unless_asked_for_what_it_cannot(wanted: Any) -> None:
    settings = ComputeSettings(precision="bf16", xla=True, deterministic=False, attention=wanted, allreduce="fp32")
    assert with_attention(HALF, settings, NO_DROPOUT, "pretrain").attention == "plain"


@on_cpu
@pytest.mark.parametrize(
    ("dropout", "deterministic", "message", "run"),
    [
        (0.1, True, "it drops no attention weights, but their dropout is 0.1", "finetune.attention_dropout=0"),
        (0.0, True, "its gradients have not the same bits each time", "deterministic=false"),
        (0.0, False, "it needs GPUs of compute capability 8.0", "attention=auto"),
    ],
)
def test_fused_attention_that_cannot_be_had_is_an_error(
    dropout: float, deterministic: bool, message: str, run: str
) -> None:
    settings = ComputeSettings(
        precision="bf16", xla=True, deterministic=deterministic, attention="fused", allreduce="fp32"
    )
    with pytest.raises(StageError, match=f"attention is fused: {message}") as raised:
        with_attention(HALF, settings, NO_DROPOUT.with_dropout(None, attention=dropout), "finetune")
    assert raised.value.run == f"dvc exp run -S {run}"
