"""fp32, tf32, fp16, bf16: what the names mean for the compute dtype, for TF32 and for the loss scale."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import tensorflow as tf

from bert.model import fused
from bert.model.config import BertConfig
from bert.model.cudnn_attention import CAPABILITY, DTYPES, HEAD_SIZE_STEP, MAX_HEAD_SIZE, Attention
from bert.pipeline.errors import StageError
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
    attention: of training; predictions are made by plain attention (bert/model/cudnn_attention.py).
    """

    name: PrecisionName
    effective: str
    dtype: Any
    scales_loss: bool
    xla: fused.Xla
    allreduce: Any = tf.float32
    recompute: bool = False
    attention: Attention = "plain"


def _are_all(devices: list[Any], capability: tuple[int, int]) -> bool:
    """Whether there are GPUs, and none is older than this compute capability."""
    found = [tf.config.experimental.get_device_details(d).get("compute_capability", (0, 0)) for d in devices]
    return bool(found) and all(own >= capability for own in found)


def has_tf32(devices: list[Any]) -> bool:
    """Whether every GPU computes float32 products in TF32."""
    return _are_all(devices, _FIRST_WITH_TF32)


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


def why_plain(
    precision: Precision, config: BertConfig, *, packed: bool, deterministic: bool, can_fuse: bool
) -> str | None:
    """What keeps the attention of a training from being fused, None if nothing does.

    Args:
        config: the model with the rates that it trains with.
        packed: rows hold several sequences.
        deterministic: the same bits are wanted each time.
        can_fuse: whether the device has the kernels.
    """
    rate, size = config.attention_probs_dropout_prob, config.hidden_size // config.num_attention_heads
    if rate:
        return f"it drops no attention weights, but their dropout is {rate}"
    if deterministic:
        return "its gradients have not the same bits each time, but deterministic is true"
    if precision.dtype.name not in DTYPES:
        return f"it computes in fp16 or bf16, but precision is {precision.name}"
    if packed:
        return "it knows no rows of several sequences, and these records are packed"
    if size > MAX_HEAD_SIZE or size % HEAD_SIZE_STEP:
        return f"it takes heads of a multiple of {HEAD_SIZE_STEP} up to {MAX_HEAD_SIZE}, but the model's have {size}"
    if precision.xla is not True:
        return f"it is a part of steps that XLA compiles as a whole, but xla is {precision.xla}"
    if not can_fuse:
        return f"it needs GPUs of compute capability {'.'.join(map(str, CAPABILITY))} or more"
    return None


def with_attention(
    precision: Precision, settings: ComputeSettings, config: BertConfig, section: str, packed: bool = False
) -> Precision:
    """The same, with the attention that `settings.attention` means for a training of `config` on this machine.

    Args:
        section: of params.yaml, where the training's dropout stands.
        packed: rows hold several sequences.

    Raises:
        StageError: fused attention was asked for and cannot be had.
    """
    if settings.attention == "plain":
        return precision
    can_fuse = _are_all(tf.config.list_physical_devices("GPU"), CAPABILITY)
    deterministic = settings.deterministic
    reason = why_plain(precision, config, packed=packed, deterministic=deterministic, can_fuse=can_fuse)
    if reason is None:
        return replace(precision, attention="fused")
    if settings.attention == "auto":
        return precision
    cure = "-S deterministic=false" if deterministic else "-S attention=auto"
    if config.attention_probs_dropout_prob:
        cure = f"-S {section}.attention_dropout=0"
    raise StageError(f"params.yaml: attention is fused: {reason}", run=f"dvc exp run {cure}")
