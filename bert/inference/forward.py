"""Rows in host memory -> logits in host memory, by TensorFlow or by OpenVINO. B rows, S positions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from bert.inference.settings import EngineName
from bert.model.compute_weights import compute_weights
from bert.model.config import BertConfig
from bert.model.fused import compile_by
from bert.training.precision import Precision

Weights = Mapping[str, Any]
Rows = Mapping[str, np.ndarray]
"""input_ids, input_mask and segment_ids, (B, S) int32 each."""
Predict = Callable[[Weights, BertConfig, Mapping[str, Any], Any], Any]
"""(weights, config, rows, compute dtype) -> logits: `forward` of a TaskObjective."""
Forward = Callable[[Rows], np.ndarray]
"""Logits of rows, float32; compiled at the first call with rows of a new length."""


def make_forward(
    engine: EngineName, predict: Predict, weights: Weights, config: BertConfig, precision: Precision
) -> Forward:
    """The forward pass with these weights as they are now.

    Raises StageError as `check_engine`.
    """
    if engine == "openvino":
        from bert.inference.openvino import openvino_forward  # an optional package

        return openvino_forward(predict, weights, config, precision.name)
    return tensorflow_forward(predict, weights, config, precision)


def tensorflow_forward(predict: Predict, weights: Weights, config: BertConfig, precision: Precision) -> Forward:
    """By TensorFlow, compiled as `precision.xla` says."""
    dtype = precision.dtype
    once = compile_by(precision.xla, lambda: compute_weights(weights, config, dtype))()

    def logits(rows: Mapping[str, Any]) -> Any:
        return tf.cast(predict(once, config, rows, dtype), tf.float32)

    compiled = compile_by(precision.xla, logits)

    def forward(rows: Rows) -> np.ndarray:
        found: np.ndarray = compiled({name: tf.constant(values) for name, values in rows.items()}).numpy()
        return found

    return forward
