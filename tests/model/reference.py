"""BERT's forward pass once more, in NumPy and float64, written from the papers and not from bert/model.

Devlin et al. 2019; Vaswani et al. 2017, section 3.2; Hendrycks & Gimpel 2016. Dictionaries of arrays under the names of
Google's checkpoints.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

Arrays = Mapping[str, np.ndarray]


def random_weights(shapes: Mapping[str, tuple[int, ...]], seed: int) -> dict[str, np.ndarray]:
    """Float32 weights in which nothing is 0 or 1, so that no weight can be left out or mistaken for another."""
    rng = np.random.default_rng(seed)
    centre = {name: 1.0 if name.endswith("gamma") else 0.0 for name in shapes}
    return {
        name: (centre[name] + 0.2 * rng.standard_normal(shape)).astype(np.float32) for name, shape in shapes.items()
    }


def dense(weights: Arrays, name: str, x: np.ndarray) -> np.ndarray:
    return np.einsum("...i,io->...o", x, weights[f"{name}/kernel"]) + weights[f"{name}/bias"]


def normalise(weights: Arrays, name: str, x: np.ndarray, epsilon: float = 1e-12) -> np.ndarray:
    standard = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + epsilon)
    return standard * weights[f"{name}/LayerNorm/gamma"] + weights[f"{name}/LayerNorm/beta"]


def gelu(x: np.ndarray) -> np.ndarray:
    return x / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def gelu_erf(x: np.ndarray) -> np.ndarray:
    return x / 2 * (1 + np.vectorize(math.erf)(x / np.sqrt(2)))


def relu(x: np.ndarray) -> np.ndarray:
    return np.where(x > 0, x, 0)


Activation = Callable[[np.ndarray], np.ndarray]


def log_softmax(scores: np.ndarray) -> np.ndarray:
    shifted = scores - scores.max(-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))


def attention(weights: Arrays, name: str, x: np.ndarray, mask: np.ndarray, heads: int) -> np.ndarray:
    """Padding gets minus infinity here, a large negative number there."""
    batch, sequence, hidden = x.shape
    q, k, v = (
        dense(weights, f"{name}/{part}", x).reshape(batch, sequence, heads, -1) for part in ("query", "key", "value")
    )
    scores = np.einsum("bqnd,bknd->bnqk", q, k) / np.sqrt(hidden // heads)
    scores = np.where(mask[:, None, None, :] == 1, scores, -np.inf)
    return np.einsum("bnqk,bknd->bqnd", np.exp(log_softmax(scores)), v).reshape(batch, sequence, hidden)


def encode(
    weights: Arrays,
    layers: int,
    heads: int,
    ids: np.ndarray,
    mask: np.ndarray,
    kinds: np.ndarray,
    activation: Activation = gelu,
    epsilon: float = 1e-12,
) -> np.ndarray:
    """(B, S) integers each -> (B, S, H) float64."""
    w = {name: value.astype(np.float64) for name, value in weights.items()}
    embedding = "bert/embeddings"
    x = w[f"{embedding}/word_embeddings"][ids] + w[f"{embedding}/token_type_embeddings"][kinds]
    x = normalise(w, embedding, x + w[f"{embedding}/position_embeddings"][None, : ids.shape[1]], epsilon)
    for n in range(layers):
        layer = f"bert/encoder/layer_{n}"
        attended = attention(w, f"{layer}/attention/self", x, mask, heads)
        x = normalise(
            w, f"{layer}/attention/output", x + dense(w, f"{layer}/attention/output/dense", attended), epsilon
        )
        wide = activation(dense(w, f"{layer}/intermediate/dense", x))
        x = normalise(w, f"{layer}/output", x + dense(w, f"{layer}/output/dense", wide), epsilon)
    return x


def pool(weights: Arrays, hidden: np.ndarray) -> np.ndarray:
    return np.tanh(dense(weights, "bert/pooler/dense", hidden[:, 0]))


def masked_lm_logits(
    weights: Arrays,
    hidden: np.ndarray,
    positions: np.ndarray,
    activation: Activation = gelu,
    epsilon: float = 1e-12,
) -> np.ndarray:
    """(B, P, V): one prediction after the other."""
    rows = []
    for row, places in zip(hidden, positions, strict=True):
        for place in places:
            x = activation(dense(weights, "cls/predictions/transform/dense", row[place]))
            x = normalise(weights, "cls/predictions/transform", x, epsilon)
            rows.append(weights["bert/embeddings/word_embeddings"] @ x + weights["cls/predictions/output_bias"])
    return np.stack(rows).reshape(*positions.shape, -1)


def next_sentence_logits(weights: Arrays, hidden: np.ndarray) -> np.ndarray:
    head = "cls/seq_relationship"
    return pool(weights, hidden) @ weights[f"{head}/output_weights"].T + weights[f"{head}/output_bias"]
