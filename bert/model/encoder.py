"""BERT's encoder (Devlin et al. 2019; google-research/bert, modeling.py). B batch, S sequence, H hidden."""

from __future__ import annotations

from functools import partial
from typing import Any

import tensorflow as tf

from bert.model.activations import ACTIVATIONS
from bert.model.compute_weights import compute_weights
from bert.model.config import BertConfig
from bert.model.cudnn_attention import fuses_attention
from bert.model.dropout import Sites, drop
from bert.model.layers import (
    Weights,
    add_and_norm,
    dense,
    layer_norm,
    own_sequence_bias,
    own_sequence_positions,
    padding_bias,
    self_attention,
    sequence_length,
)
from bert.model.recompute import recomputed

Tensor = Any


def embed(
    weights: Weights,
    config: BertConfig,
    input_ids: Tensor,
    segment_ids: Tensor,
    sites: Sites,
    dtype: Any,
    positions: Tensor | None = None,
) -> Tensor:
    """Word + position + segment embeddings, normalised. (B, S) int32 each -> (B, S, H) of `dtype`.

    positions: (B, S) int32; by default the places in the row.
    """
    sequence = sequence_length(input_ids)
    words = tf.gather(weights["bert/embeddings/word_embeddings"], input_ids)
    # A product with one-hot rows: the gradient of a gather from two rows would be a sum over the whole batch, serially.
    kinds = tf.one_hot(segment_ids, config.type_vocab_size) @ weights["bert/embeddings/token_type_embeddings"]
    table = weights["bert/embeddings/position_embeddings"]
    places = table[:sequence] if positions is None else tf.gather(table, positions)
    x = layer_norm(weights, "bert/embeddings", words + kinds + places, config.layer_norm_eps)
    return tf.cast(drop(x, sites.site(), config.hidden_dropout_prob), dtype)


Keys = tuple[Tensor | None, Tensor | None, Tensor | None]
"""Of a layer's sites, see bert/model/dropout.py: attention weights, attention output, output."""


def encoder_layer(
    weights: Weights,
    x: Tensor,
    config: BertConfig,
    name: str,
    bias: Tensor,
    keys: Keys,
    lengths: Tensor | None = None,
) -> Tensor:
    """One post-norm transformer layer. x: (B, S, H) -> (B, S, H). bias, lengths: see self_attention."""
    rate, epsilon = config.hidden_dropout_prob, config.layer_norm_eps
    context = self_attention(
        weights,
        f"{name}/attention/self",
        x,
        bias,
        config.num_attention_heads,
        config.attention_probs_dropout_prob,
        keys[0],
        lengths,
    )
    attended = dense(weights, f"{name}/attention/output/dense", context)
    x = add_and_norm(weights, f"{name}/attention/output", x, attended, keys[1], rate, epsilon)
    wide = ACTIVATIONS[config.hidden_act](dense(weights, f"{name}/intermediate/dense", x))
    narrow = dense(weights, f"{name}/output/dense", wide)
    return add_and_norm(weights, f"{name}/output", x, narrow, keys[2], rate, epsilon)


def encode(
    weights: Weights,
    config: BertConfig,
    input_ids: Tensor,
    input_mask: Tensor,
    segment_ids: Tensor,
    sites: Sites,
    dtype: Any,
    packed: bool = False,
) -> Tensor:
    """Hidden states of the last layer.

    Args:
        weights: parameters, or compute_weights of them.
        input_ids, input_mask, segment_ids: (B, S) int32.
        dtype: compute dtype.
        packed: rows hold several sequences, numbered in `input_mask`; each gets the hidden states that it has alone:
            its positions begin at 0, and its tokens attend to one another only (Krell et al. 2021, 3.2).

    Returns:
        (B, S, H) of `dtype`.
    """
    weights = compute_weights(weights, config, dtype)
    positions = own_sequence_positions(input_mask) if packed else None
    x = embed(weights, config, input_ids, segment_ids, sites, dtype, positions)
    bias = own_sequence_bias(input_mask) if packed else padding_bias(input_mask)
    lengths = tf.reduce_sum(input_mask, axis=1) if fuses_attention() and not packed else None
    for n in range(config.num_hidden_layers):
        name = f"bert/encoder/layer_{n}"
        own = {key: weight for key, weight in weights.items() if key.startswith(f"{name}/")}
        keys = sites.site(), sites.site(), sites.site()
        x = recomputed(partial(encoder_layer, config=config, name=name, bias=bias, keys=keys, lengths=lengths), own, x)
    return x


def pool(weights: Weights, hidden: Tensor, positions: Tensor | None = None) -> Tensor:
    """tanh of a dense layer on the first token. (B, S, H) -> (B, H).

    positions: (B, M) int32, where the first tokens of M packed sequences are; returns (B * M, H) then.
    """
    if positions is None:
        first = hidden[:, 0]
    else:
        first = tf.reshape(tf.gather(hidden, positions, batch_dims=1), [-1, hidden.shape[-1]])
    return tf.tanh(dense(weights, "bert/pooler/dense", first))
