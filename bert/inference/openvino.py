"""The forward pass by OpenVINO (Apache-2.0; the extra `openvino`), for CPUs.

It reads what TensorFlow writes, a SavedModel of the same forward pass, and fuses it its own way: attention into one
operation, and in bf16 whatever stands between the products. On CPUs with AMX it computes them by these units.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from bert.inference.forward import Forward, Predict, Rows, Weights
from bert.inference.settings import OPENVINO_HINTS, check_engine
from bert.model.compute_weights import compute_weights
from bert.model.config import BertConfig

IDS = [tf.TensorSpec([None, None], tf.int32, name=name) for name in ("input_ids", "input_mask", "segment_ids")]


def openvino_forward(predict: Predict, weights: Weights, config: BertConfig, precision: str) -> Forward:
    """By OpenVINO, on as many threads as TensorFlow may use.

    The model is traced in float32; in bf16 it is OpenVINO that decides what is computed in it.

    Raises StageError as `check_engine`.
    """
    check_engine("openvino", precision)
    import openvino

    core = openvino.Core()
    with tempfile.TemporaryDirectory(prefix="openvino-") as folder:
        _save(predict, weights, config, folder)
        model = core.read_model(folder)
    settings = {"INFERENCE_PRECISION_HINT": OPENVINO_HINTS[precision], "PERFORMANCE_HINT": "LATENCY"}
    if threads := tf.config.threading.get_intra_op_parallelism_threads():
        settings["INFERENCE_NUM_THREADS"] = str(threads)
    compiled: dict[int, Any] = {}

    def forward(rows: Rows) -> np.ndarray:
        length = rows["input_ids"].shape[1]
        if length not in compiled:
            # One program a length, since known shapes are faster; they share the weights.
            of_length = model.clone()
            of_length.reshape({spec.name: openvino.PartialShape([-1, length]) for spec in IDS})
            compiled[length] = core.compile_model(of_length, "CPU", settings)
        found: np.ndarray = compiled[length]({spec.name: rows[spec.name] for spec in IDS})["logits"]
        return found

    return forward


def _save(predict: Predict, weights: Weights, config: BertConfig, folder: str) -> None:
    module = tf.Module()
    once = compute_weights(weights, config, tf.float32)
    module.weights = {name: tf.Variable(value, trainable=False) for name, value in once.items()}

    @tf.function(input_signature=[IDS], autograph=False)
    def serve(rows: Any) -> Mapping[str, Any]:
        named = {spec.name: tensor for spec, tensor in zip(IDS, rows, strict=True)}
        return {"logits": predict(module.weights, config, named, tf.float32)}

    tf.saved_model.save(module, folder, signatures=serve)
