"""A model folder: weights.safetensors, bert_config.json, vocab.txt and a manifest.

Complete, so that whoever fine-tunes it needs nothing else.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file

from bert.checkpoints.tensors import write_tensors
from bert.model.config import CONFIG_FILE, BertConfig
from bert.model.parameters import encoder_shapes
from bert.pipeline import manifest
from bert.pipeline.errors import StageError
from bert.pipeline.files import sha256_of, write_text
from bert.tokens.vocabulary import Vocabulary

WEIGHTS, VOCAB = "weights.safetensors", "vocab.txt"


@dataclass(frozen=True)
class Model:
    """weights: {name of Google's checkpoints: float32 array}."""

    config: BertConfig
    weights: dict[str, np.ndarray]
    vocab: Path


def save_model(folder: Path, config: BertConfig, weights: Mapping[str, np.ndarray], vocab: Path) -> None:
    """Write a whole model folder anew, the same bytes for the same weights."""
    # Published files are hard links to those of an earlier run: they must not be written into.
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    write_tensors(folder / WEIGHTS, {name: weights[name] for name in sorted(weights)})
    write_text(folder / CONFIG_FILE, json.dumps(config.model_dump(), indent=2, sort_keys=True) + "\n")
    shutil.copyfile(vocab, folder / VOCAB)
    manifest.write(folder, [{"path": name} for name in (CONFIG_FILE, VOCAB, WEIGHTS)])


def check_vocab(config: BertConfig, vocabulary: Vocabulary, path: Path, made_by: str) -> None:
    """Raises StageError where the vocabulary does not fit the model's embedding."""
    if len(vocabulary.pieces) != config.vocab_size:
        raise StageError(
            f"{path}: {len(vocabulary.pieces)} pieces, but the model's vocab_size is {config.vocab_size}", run=made_by
        )


def check_weights(config: BertConfig, weights: Mapping[str, np.ndarray], path: Path, made_by: str) -> None:
    """Raises StageError where a weight of the encoder is missing or has not the shape that the configuration says."""
    for name, shape in encoder_shapes(config).items():
        if name not in weights:
            raise StageError(f"{path}: has no weight {name}", run=made_by)
        if weights[name].shape != shape:
            raise StageError(f"{path}: {name} is {weights[name].shape}, the configuration says {shape}", run=made_by)


def load_model(folder: Path, made_by: str) -> Model:
    """Read a model folder.

    Raises:
        StageError: not configured, incomplete, corrupt, or vocabulary or weights do not fit the configuration.
    """
    listed = manifest.read_configured(folder, "import_checkpoint.source (or another finetune.init)", made_by)
    for entry in listed["files"]:
        if sha256_of(folder / entry["path"]) != entry["sha256"]:
            raise StageError(f"{folder / entry['path']}: not what its manifest lists: damaged or changed", run=made_by)
    config = BertConfig.read(folder / CONFIG_FILE, made_by)
    check_vocab(config, Vocabulary.read(folder / VOCAB), folder / VOCAB, made_by)
    try:
        weights = load_file(folder / WEIGHTS)
    except (SafetensorError, OSError) as error:
        raise StageError(f"{folder / WEIGHTS}: cannot be read ({error})", run=made_by) from None
    check_weights(config, weights, folder / WEIGHTS, made_by)
    return Model(config, weights, folder / VOCAB)
