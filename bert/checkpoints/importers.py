"""Readers of other people's checkpoints: Google's and NVIDIA's (TensorFlow name-based format), Hugging Face's.

Our names are Google's, so theirs load as they are; Hugging Face's are translated and its kernels transposed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.numpy import load_file

from bert.checkpoints.folder import Model, check_vocab, check_weights
from bert.model.config import BertConfig
from bert.model.parameters import pretraining_shapes
from bert.pipeline.errors import StageError
from bert.pipeline.files import read_json
from bert.tokens.vocabulary import Vocabulary

AGAIN = "correct import_checkpoint.source in params.yaml, then dvc repro import_checkpoint"

# (pattern of a Hugging Face name, our name, whether it is a kernel), in the order of trial.
_TRANSLATIONS: tuple[tuple[str, str, bool], ...] = (
    (r"^embeddings\.(word|position|token_type)_embeddings\.weight$", r"bert/embeddings/\1_embeddings", False),
    (r"^embeddings\.LayerNorm\.(weight|gamma)$", r"bert/embeddings/LayerNorm/gamma", False),
    (r"^embeddings\.LayerNorm\.(bias|beta)$", r"bert/embeddings/LayerNorm/beta", False),
    (r"^encoder\.layer\.(\d+)\.(.*)LayerNorm\.(weight|gamma)$", r"bert/encoder/layer_\1/\2LayerNorm/gamma", False),
    (r"^encoder\.layer\.(\d+)\.(.*)LayerNorm\.(bias|beta)$", r"bert/encoder/layer_\1/\2LayerNorm/beta", False),
    (r"^encoder\.layer\.(\d+)\.(.*)\.weight$", r"bert/encoder/layer_\1/\2/kernel", True),
    (r"^encoder\.layer\.(\d+)\.(.*)\.bias$", r"bert/encoder/layer_\1/\2/bias", False),
    (r"^pooler\.dense\.weight$", r"bert/pooler/dense/kernel", True),
    (r"^pooler\.dense\.bias$", r"bert/pooler/dense/bias", False),
    (r"^cls\.predictions\.bias$", r"cls/predictions/output_bias", False),
    (r"^cls\.predictions\.transform\.dense\.weight$", r"cls/predictions/transform/dense/kernel", True),
    (r"^cls\.predictions\.transform\.dense\.bias$", r"cls/predictions/transform/dense/bias", False),
    (r"^cls\.predictions\.transform\.LayerNorm\.(weight|gamma)$", r"cls/predictions/transform/LayerNorm/gamma", False),
    (r"^cls\.predictions\.transform\.LayerNorm\.(bias|beta)$", r"cls/predictions/transform/LayerNorm/beta", False),
    (r"^cls\.seq_relationship\.weight$", r"cls/seq_relationship/output_weights", False),
    (r"^cls\.seq_relationship\.bias$", r"cls/seq_relationship/output_bias", False),
)


def translate(name: str) -> tuple[str, bool] | None:
    """Our name for a Hugging Face one and whether to transpose; None for what BERT does not have.

    >>> translate("bert.encoder.layer.0.attention.self.query.weight")
    ('bert/encoder/layer_0/attention/self/query/kernel', True)
    """
    short = name.removeprefix("bert.")
    for pattern, ours, is_kernel in _TRANSLATIONS:
        if re.match(pattern, short):
            return re.sub(pattern, ours, short).replace(".", "/"), is_kernel
    return None


def _hugging_face(path: Path) -> dict[str, np.ndarray]:
    weights = {}
    try:
        theirs = load_file(path)
    except (SafetensorError, OSError) as error:
        raise StageError(f"{path}: cannot be read ({error})", run=AGAIN) from None
    for name, value in theirs.items():
        found = translate(name)
        if found is not None:
            weights[found[0]] = value.T if found[1] else value
    return weights


def _tensorflow(path: Path) -> dict[str, np.ndarray]:
    import tensorflow as tf

    try:
        reader = tf.train.load_checkpoint(str(path).removesuffix(".index"))
        return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}
    except (tf.errors.OpError, IndexError, ValueError) as error:
        raise StageError(f"{path}: cannot be read ({error})", run=AGAIN) from None


def _one(folder: Path, *patterns: str) -> Path:
    """The first file that matches a pattern; the patterns in order of preference."""
    for pattern in patterns:
        if found := sorted(folder.rglob(pattern)):
            return found[0]
    raise StageError(f"{folder}: no {' or '.join(patterns)} among the checkpoint's files", run=AGAIN)


def read_checkpoint(folder: Path) -> Model:
    """The checkpoint in `folder`: weights (*.safetensors or *.index with its data), configuration, vocab.txt.

    Raises:
        StageError: a file or a weight is missing, or shapes do not fit the configuration; names it.
    """
    path = _one(folder, "*.safetensors", "*.index")
    reader: Callable[[Path], dict[str, np.ndarray]] = _hugging_face if path.suffix == ".safetensors" else _tensorflow
    config_path, vocab = _one(folder, "bert_config.json", "config.json"), _one(folder, "vocab.txt")
    values = read_json(config_path, AGAIN)
    try:
        config = BertConfig(**{key: values[key] for key in BertConfig.model_fields if key in values})
    except ValidationError as error:
        raise StageError(f"{config_path}: not the configuration of a BERT: {error}", run=AGAIN) from None
    check_vocab(config, Vocabulary.read(vocab), vocab, AGAIN)
    found = reader(path)
    check_weights(config, found, path, AGAIN)
    needed = pretraining_shapes(config)
    weights = {
        name: np.ascontiguousarray(value, dtype=np.float32)
        for name, value in found.items()
        if needed.get(name) == value.shape
    }
    return Model(config, weights, vocab)
