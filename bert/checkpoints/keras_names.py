"""Names and shapes of TensorFlow 2's Keras BERT -> Google's.

There are two versions in tensorflow/models (official/nlp/tools/tf1_bert_checkpoint_converter_lib.py pairs the names);
the older, `bert_model/...`, is that of NVIDIA's TensorFlow 2 code too. The kernels of attention have an axis for
the heads, which is Google's layout but for the shape.
"""

from __future__ import annotations

import re

import numpy as np

from bert.model.config import BertConfig
from bert.model.parameters import pretraining_shapes

_LAYER = r"(?:transformer|encoder)/layer_(\d+)"
# (pattern of the end of a Keras name, our name), in the order of trial.
_TRANSLATIONS: tuple[tuple[str, str], ...] = (
    (r"word_embeddings/embeddings", r"bert/embeddings/word_embeddings"),
    (r"type_embeddings/embeddings|embedding_postprocessor/type_embeddings", r"bert/embeddings/token_type_embeddings"),
    (
        r"position_embedding/embeddings|embedding_postprocessor/position_embeddings",
        r"bert/embeddings/position_embeddings",
    ),
    (r"(?:embeddings|embedding_postprocessor)/layer_norm/(gamma|beta)", r"bert/embeddings/LayerNorm/\1"),
    (rf"{_LAYER}/self_attention/(query|key|value)/(kernel|bias)", r"bert/encoder/layer_\1/attention/self/\2/\3"),
    (
        rf"{_LAYER}/(?:self_attention/attention_output|self_attention_output)/(kernel|bias)",
        r"bert/encoder/layer_\1/attention/output/dense/\2",
    ),
    (rf"{_LAYER}/self_attention_layer_norm/(gamma|beta)", r"bert/encoder/layer_\1/attention/output/LayerNorm/\2"),
    (rf"{_LAYER}/(intermediate|output)/(kernel|bias)", r"bert/encoder/layer_\1/\2/dense/\3"),
    (rf"{_LAYER}/output_layer_norm/(gamma|beta)", r"bert/encoder/layer_\1/output/LayerNorm/\2"),
    (r"pooler_transform/(kernel|bias)", r"bert/pooler/dense/\1"),
    (r"cls/predictions/output_bias/bias", r"cls/predictions/output_bias"),
    (r"cls/predictions/transform/(dense|LayerNorm)/(\w+)", r"cls/predictions/transform/\1/\2"),
    (r"predictions/transform/logits/kernel", r"cls/seq_relationship/output_weights"),
    (r"predictions/transform/logits/bias", r"cls/seq_relationship/output_bias"),
)


def keras_name(name: str) -> str | None:
    """Our name for a Keras one; None for what is not a weight of the model, such as a slot of the optimizer.

    >>> keras_name("bert_model/encoder/layer_0/self_attention/query/kernel")
    'bert/encoder/layer_0/attention/self/query/kernel'
    """
    for pattern, ours in _TRANSLATIONS:
        if found := re.match(rf"^(?:(?:bert_model|bert|bert_encoder\w*)/)?(?:{pattern})$", name):
            return found.expand(ours)
    return None


def from_keras(theirs: dict[str, np.ndarray], config: BertConfig) -> dict[str, np.ndarray]:
    """Arrays under our names and in our shapes; what has another name keeps it."""
    shapes = pretraining_shapes(config)
    translated = {}
    for name, value in theirs.items():
        ours = keras_name(name) or name
        if ours == "cls/seq_relationship/output_weights" and ours != name:
            value = value.T
        of_heads = "/attention/" in ours and ours in shapes and value.ndim == len(shapes[ours]) + 1
        if of_heads and value.size == int(np.prod(shapes[ours])):
            value = value.reshape(shapes[ours])
        translated[ours] = value
    return translated
