"""The weights as the matrix products take them: made once an update, and once for all predictions.

In the compute dtype; query, key and value as one matrix, whose product is faster than three, and whose backward pass
need not add three gradients; 1 / sqrt(size of a head) within the query's part, where no pass over the scores is needed
for it and float16 cannot overflow (Vaswani et al. 2017, equation 1). H hidden size.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from bert.model.config import BertConfig
from bert.model.fused import fused

Tensor = Any
Weights = Mapping[str, Tensor]
_PARTS = ("query", "key", "value")
_PART = re.compile(r"(.*/attention/self)/(query|key|value)/(kernel|bias)")
WORDS = "bert/embeddings/word_embeddings"
OUTPUT_BIAS = "cls/predictions/output_bias"
TIED = "cls/predictions/output_weights"
"""The word embeddings as what the masked LM's output multiplies by: so that their gradient stays a matrix, and that of
the rows that were looked up stays few rows."""


def joined_name(name: str, kind: str) -> str:
    """Of query, key and value in one. name: bert/encoder/layer_0/attention/self; kind: kernel or bias."""
    return f"{name}/query_key_value/{kind}"


def scale_of(config: BertConfig) -> float:
    """What queries are multiplied by."""
    return 1 / math.sqrt(config.hidden_size // config.num_attention_heads)


@fused
def _join(query: Tensor, key: Tensor, value: Tensor, *, scale: float, dtype: Any) -> Tensor:
    """(..., H) each -> (..., 3 H) of `dtype`."""
    return tf.cast(tf.concat([query * scale, key, value], -1), dtype)


def compute_weights(parameters: Weights, config: BertConfig, dtype: Any) -> dict[str, Tensor]:
    """{name: tensor}; kernels have `dtype`, all else float32. What is made already stays as it is."""
    weights: dict[str, Tensor] = {}
    for name, parameter in parameters.items():
        part = _PART.fullmatch(name)
        if part is None:
            weights[name] = tf.cast(parameter, dtype) if name.endswith("/kernel") else tf.convert_to_tensor(parameter)
        elif part[2] == "query":
            three = (parameters[f"{part[1]}/{one}/{part[3]}"] for one in _PARTS)
            kept = dtype if part[3] == "kernel" else tf.float32
            weights[joined_name(part[1], part[3])] = _join(*three, scale=scale_of(config), dtype=kept)
    if OUTPUT_BIAS in parameters and TIED not in parameters:
        weights[TIED] = tf.cast(parameters[WORDS], dtype)
    return weights


def parameter_gradients(gradients: Mapping[str, Tensor], names: list[str], config: BertConfig) -> list[Tensor]:
    """What the parameters `names` owe, from what their compute_weights do.

    gradients: float32. Returns them in the order of `names`.
    """
    found = []
    for name in names:
        part = _PART.fullmatch(name)
        if part is not None:
            of_joined = gradients[joined_name(part[1], part[3])]
            own = tf.split(of_joined, 3, -1)[_PARTS.index(part[2])]
            found.append(own * scale_of(config) if part[2] == "query" else own)
        elif name == WORDS and TIED in gradients:
            found.append(gradients[name] + gradients[TIED])
        else:
            found.append(gradients[name])
    return found
