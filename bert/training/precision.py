"""fp32, tf32, fp16, bf16: what the names mean for the compute dtype, for TF32 and for the loss scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from bert.training.settings import ComputeSettings, PrecisionName

_DTYPES = {"fp32": tf.float32, "tf32": tf.float32, "fp16": tf.float16, "bf16": tf.bfloat16}
_FIRST_WITH_TF32 = (8, 0)  # compute capability of Ampere


@dataclass(frozen=True)
class Precision:
    """dtype: of activations and matrix products; weights stay float32. `effective`: what the device really does."""

    name: PrecisionName
    effective: str
    dtype: Any
    scales_loss: bool
    xla: bool


def has_tf32(devices: list[Any]) -> bool:
    """Whether every GPU computes float32 products in TF32."""
    found = [tf.config.experimental.get_device_details(d).get("compute_capability", (0, 0)) for d in devices]
    return bool(found) and all(capability >= _FIRST_WITH_TF32 for capability in found)


def set_precision(settings: ComputeSettings) -> Precision:
    """Switch TF32 on or off for this process, choose XLA where that is left to us, make operations deterministic.

    XLA `auto`: on where there is a GPU; on a CPU oneDNN's kernels were faster (see benchmarks/).
    """
    gpus = tf.config.list_physical_devices("GPU")
    name = settings.precision
    tf.config.experimental.enable_tensor_float_32_execution(name == "tf32")
    tf.config.experimental.enable_op_determinism()
    effective = "fp32" if name == "tf32" and not has_tf32(gpus) else name
    xla = bool(gpus) if settings.xla == "auto" else bool(settings.xla)
    return Precision(name, effective, _DTYPES[name], name == "fp16", xla)
