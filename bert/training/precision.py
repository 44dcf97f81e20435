"""fp32, tf32, fp16, bf16: what the names mean for the compute dtype, for TF32 and for the loss scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from bert.model import fused
from bert.training.settings import ComputeSettings, PrecisionName, WantedXla

_DTYPES = {"fp32": tf.float32, "tf32": tf.float32, "fp16": tf.float16, "bf16": tf.bfloat16}
_FIRST_WITH_TF32 = (8, 0)  # compute capability of Ampere
SMALL_HIDDEN = 256


@dataclass(frozen=True)
class Precision:
    """What is computed in what.

    dtype: of activations and matrix products; weights stay float32. `effective`: what the device really does.
    allreduce: dtype that gradients are rounded to before ranks sum them.
    recompute: whether layers are computed again in the backward pass (bert/model/recompute.py).
    """

    name: PrecisionName
    effective: str
    dtype: Any
    scales_loss: bool
    xla: fused.Xla
    allreduce: Any = tf.float32
    recompute: bool = False


def has_tf32(devices: list[Any]) -> bool:
    """Whether every GPU computes float32 products in TF32."""
    found = [tf.config.experimental.get_device_details(d).get("compute_capability", (0, 0)) for d in devices]
    return bool(found) and all(capability >= _FIRST_WITH_TF32 for capability in found)


def choose_xla(wanted: WantedXla, on_gpu: bool, dtype: Any, hidden_size: int) -> fused.Xla:
    """What `xla: auto` means: XLA on a GPU; on a CPU only where few calls count for more than fast matrix products.

    Measured on two cores (CPU seconds a step of 32 x 128, fp32): hidden 128: XLA 0.19, oneDNN 0.24; at hidden 768
    oneDNN's products are ahead in fp32 and by far in bf16, which XLA's CPU compiler has no fast ones for.
    """
    if wanted != "auto":
        return wanted
    return True if on_gpu or (dtype == tf.float32 and hidden_size <= SMALL_HIDDEN) else "fused"


def set_precision(settings: ComputeSettings, hidden_size: int, recompute: bool = False) -> Precision:
    """Switch TF32 on or off for this process, deterministic operations on if wanted; choose XLA where left to us.

    Args:
        hidden_size: of the model, which says whether XLA pays.
        recompute: see Precision; the machine's matter (BERT_RECOMPUTE).
    """
    gpus = tf.config.list_physical_devices("GPU")
    name = settings.precision
    tf.config.experimental.enable_tensor_float_32_execution(name == "tf32")
    if settings.deterministic:
        tf.config.experimental.enable_op_determinism()
    effective = "fp32" if name == "tf32" and not has_tf32(gpus) else name
    dtype = _DTYPES[name]
    xla = choose_xla(settings.xla, bool(gpus), dtype, hidden_size)
    # Whatever passes through float16 needs the scale. With one rank nothing does, but the scale is no matter of ranks.
    scales_loss = "fp16" in (name, settings.allreduce)
    return Precision(name, effective, dtype, scales_loss, xla, _DTYPES[settings.allreduce], recompute)
