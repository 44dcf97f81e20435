"""The weights of a BERT: {name: variable}, with the names and shapes of Google's checkpoints, so that theirs load.

H hidden, I intermediate, V vocabulary, T segment types, L labels.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from bert.model.config import BertConfig

Shapes = dict[str, tuple[int, ...]]
Parameters = dict[str, Any]
"""{name: tf.Variable float32}; functions of the model take any mapping of names to tensors."""


def _dense(name: str, inputs: int, outputs: int) -> Shapes:
    return {f"{name}/kernel": (inputs, outputs), f"{name}/bias": (outputs,)}


def _norm(name: str, size: int) -> Shapes:
    return {f"{name}/LayerNorm/gamma": (size,), f"{name}/LayerNorm/beta": (size,)}


def encoder_shapes(config: BertConfig) -> Shapes:
    """Embeddings, layers and pooler."""
    h, i = config.hidden_size, config.intermediate_size
    shapes: Shapes = {
        "bert/embeddings/word_embeddings": (config.vocab_size, h),
        "bert/embeddings/position_embeddings": (config.max_position_embeddings, h),
        "bert/embeddings/token_type_embeddings": (config.type_vocab_size, h),
        **_norm("bert/embeddings", h),
    }
    for n in range(config.num_hidden_layers):
        layer = f"bert/encoder/layer_{n}"
        for part in ("query", "key", "value"):
            shapes |= _dense(f"{layer}/attention/self/{part}", h, h)
        shapes |= _dense(f"{layer}/attention/output/dense", h, h) | _norm(f"{layer}/attention/output", h)
        shapes |= _dense(f"{layer}/intermediate/dense", h, i)
        shapes |= _dense(f"{layer}/output/dense", i, h) | _norm(f"{layer}/output", h)
    return shapes | _dense("bert/pooler/dense", h, h)


def pretraining_shapes(config: BertConfig) -> Shapes:
    """The encoder and the two pretraining heads; the masked-LM output is tied to the word embeddings."""
    h = config.hidden_size
    return {
        **encoder_shapes(config),
        **_dense("cls/predictions/transform/dense", h, h),
        **_norm("cls/predictions/transform", h),
        "cls/predictions/output_bias": (config.vocab_size,),
        "cls/seq_relationship/output_weights": (2, h),
        "cls/seq_relationship/output_bias": (2,),
    }


def squad_shapes(config: BertConfig) -> Shapes:
    """The encoder and the span head (start, end)."""
    head: Shapes = {"cls/squad/output_weights": (2, config.hidden_size), "cls/squad/output_bias": (2,)}
    return {**encoder_shapes(config), **head}


def classifier_shapes(config: BertConfig, labels: int) -> Shapes:
    """The encoder and a sentence classifier."""
    return {**encoder_shapes(config), "output_weights": (labels, config.hidden_size), "output_bias": (labels,)}


def initial_value(name: str, shape: tuple[int, ...], stddev: float, seed: int) -> np.ndarray:
    """BERT's initialisation: truncated normal matrices, zero biases, unit gammas.

    Depends on (seed, name) alone, not on the order in which variables are made.
    """
    if name.endswith("gamma"):
        return np.ones(shape, np.float32)
    if name.endswith(("bias", "beta")):
        return np.zeros(shape, np.float32)
    digest = hashlib.sha256(f"{seed}\x00{name}".encode()).digest()
    key = [int.from_bytes(digest[:4], "big") & 0x7FFFFFFF, int.from_bytes(digest[4:8], "big") & 0x7FFFFFFF]
    return tf.random.stateless_truncated_normal(shape, seed=key, stddev=stddev).numpy()


def make_parameters(
    shapes: Shapes, config: BertConfig, seed: int, given: Mapping[str, np.ndarray] | None = None
) -> Parameters:
    """Variables for `shapes`, from `given` where it has them (such as an encoder's weights), else initialised."""
    values = given or {}
    return {
        name: tf.Variable(
            values[name] if name in values else initial_value(name, shape, config.initializer_range, seed),
            dtype=tf.float32,
            name=name,
        )
        for name, shape in shapes.items()
    }
