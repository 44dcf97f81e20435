"""A checkpoint's folder as Google published theirs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf

from tests.training.tiny import CONFIG, write_vocab


def write_tensorflow(folder: Path, weights: Mapping[str, np.ndarray]) -> Path:
    """As Google published theirs: bert_model.ckpt.index and .data, bert_config.json, vocab.txt."""
    folder.mkdir()
    tf.raw_ops.SaveV2(
        prefix=str(folder / "bert_model.ckpt"),
        tensor_names=list(weights),
        shape_and_slices=[""] * len(weights),
        tensors=[tf.constant(value) for value in weights.values()],
    )
    (folder / "bert_config.json").write_text(json.dumps(CONFIG.model_dump()))
    write_vocab(folder / "vocab.txt")
    return folder
