"""Hidden states of one batch: by this project's encoder, and by hand in the layout of Hugging Face's transformers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from bert.model.config import BertConfig
from bert.model.dropout import NoDropout
from bert.model.encoder import encode
from tests.model import reference
from tests.training.tiny import CONFIG, make_batch, tensors

H, HEADS = CONFIG.hidden_size, CONFIG.num_attention_heads
BATCH = make_batch(4)


def hugging_face_hidden(
    w: Mapping[str, np.ndarray], activation: reference.Activation = reference.gelu, epsilon: float = 1e-12
) -> np.ndarray:
    """The forward pass in that layout, float64: y = x W^T + b."""

    def linear(name: str, x: np.ndarray) -> np.ndarray:
        return x @ w[f"{name}.weight"].astype(np.float64).T + w[f"{name}.bias"]

    def normalise(name: str, x: np.ndarray) -> np.ndarray:
        x = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + epsilon)
        return x * w[f"{name}.LayerNorm.weight"] + w[f"{name}.LayerNorm.bias"]

    ids, mask, kinds = BATCH["input_ids"], BATCH["input_mask"], BATCH["segment_ids"]
    rows, length = ids.shape
    embeddings = "bert.embeddings"
    x = w[f"{embeddings}.word_embeddings.weight"][ids].astype(np.float64)
    x = (
        x
        + w[f"{embeddings}.position_embeddings.weight"][:length]
        + w[f"{embeddings}.token_type_embeddings.weight"][kinds]
    )
    x = normalise(embeddings, x)
    for n in range(CONFIG.num_hidden_layers):
        layer = f"bert.encoder.layer.{n}"
        q, k, v = (
            linear(f"{layer}.attention.self.{part}", x).reshape(rows, length, HEADS, -1).transpose(0, 2, 1, 3)
            for part in ("query", "key", "value")
        )
        scores = q @ k.swapaxes(-1, -2) / np.sqrt(H // HEADS)
        scores = np.where(mask[:, None, None, :] == 1, scores, -np.inf)
        context = np.exp(reference.log_softmax(scores)) @ v
        context = context.transpose(0, 2, 1, 3).reshape(rows, length, H)
        x = normalise(f"{layer}.attention.output", x + linear(f"{layer}.attention.output.dense", context))
        inner = activation(linear(f"{layer}.intermediate.dense", x))
        x = normalise(f"{layer}.output", x + linear(f"{layer}.output.dense", inner))
    return x


def hidden_of(weights: Mapping[str, np.ndarray], config: BertConfig = CONFIG) -> np.ndarray:
    """Those of this project's encoder, (rows, length, hidden) float32."""
    b = tensors(BATCH)
    hidden = encode(weights, config, b["input_ids"], b["input_mask"], b["segment_ids"], NoDropout(), tf.float32)
    return np.asarray(hidden)
