"""A model folder: weights.safetensors, bert_config.json, vocab.txt and a manifest; of a cased model, its casing too.

Complete, so that whoever fine-tunes it needs nothing else.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file

from bert.checkpoints.tensors import write_tensors
from bert.model.config import CONFIG_FILE, BertConfig
from bert.model.parameters import Shapes, encoder_shapes
from bert.pipeline import manifest, timings
from bert.pipeline.errors import StageError
from bert.pipeline.files import sha256_of, write_text
from bert.tokens.casing import TOKENIZER_CONFIG, looks_lower_cased, lower_cases, write_casing
from bert.tokens.tokenizer import WordPieceTokenizer
from bert.tokens.vocabulary import Vocabulary

WEIGHTS, VOCAB = "weights.safetensors", "vocab.txt"
POOLER = "bert/pooler/"
MOST_PADDING = 1024
SHOWN = 6


@dataclass(frozen=True)
class Model:
    """weights: {name of Google's checkpoints: float32 array}.

    do_lower_case: whether its tokenizer lower-cases text and strips accents.
    """

    config: BertConfig
    weights: dict[str, np.ndarray]
    vocab: Path
    do_lower_case: bool = True

    def tokenizer(self) -> WordPieceTokenizer:
        """That of its vocabulary and casing."""
        return WordPieceTokenizer(self.vocab, self.do_lower_case)


def save_model(
    folder: Path,
    config: BertConfig,
    weights: Mapping[str, np.ndarray],
    vocab: Path,
    do_lower_case: bool | None = None,
) -> None:
    """Write a whole model folder anew, the same bytes for the same weights.

    do_lower_case: by default what the file beside `vocab` says.
    """
    if do_lower_case is None:
        do_lower_case = lower_cases(vocab, "dvc repro vocab")
    # Published files are hard links to those of an earlier run: they must not be written into.
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with timings.phase(timings.SAVING):
        write_tensors(folder / WEIGHTS, {name: weights[name] for name in sorted(weights)})
    write_text(folder / CONFIG_FILE, config.text())
    shutil.copyfile(vocab, folder / VOCAB)
    names = [CONFIG_FILE, VOCAB, WEIGHTS]
    # Left out only where the pieces say the same.
    if not do_lower_case or not looks_lower_cased(Vocabulary.read(vocab).pieces):
        write_casing(folder, do_lower_case)
        names.insert(1, TOKENIZER_CONFIG)
    manifest.write(folder, [{"path": name} for name in names])


def check_vocab(config: BertConfig, vocabulary: Vocabulary, path: Path, made_by: str) -> None:
    """Raises StageError where the vocabulary does not fit the model's embedding.

    The embedding may have rows that are no piece's, added to make their number a multiple of a power of two: 30,528 for
    30,522. They are kept: the softmax over the pieces was trained with them in it.
    """
    rows, pieces = config.vocab_size, len(vocabulary.pieces)
    # As many as any rounding up adds; another model's vocabulary is shorter by more.
    padding = max(MOST_PADDING, rows & -rows)
    if not pieces <= rows < pieces + padding:
        raise StageError(f"{path}: {pieces} pieces, but the model's vocab_size is {rows}", run=made_by)


def check_weights(
    config: BertConfig, weights: Mapping[str, np.ndarray], path: Path, made_by: str, expected: Shapes | None = None
) -> None:
    """Raises StageError where a weight is missing or has not the shape that the configuration says.

    expected: {name: shape}; by default the encoder's. Its pooler may be missing as a whole, as from a model that was
        trained on masked LM alone: a task that needs one begins with a new one, as it does with its own head.
    """
    if expected is None:
        expected = encoder_shapes(config)
        if not any(name.startswith(POOLER) for name in weights):
            expected = {name: shape for name, shape in expected.items() if not name.startswith(POOLER)}
    if missing := [name for name in expected if name not in weights]:
        there = sorted(weights)
        raise StageError(
            f"{path}: has no weight {missing[0]}: {len(missing)} of the {len(expected)} that are expected are missing; "
            f"it holds {len(there)}: {', '.join(there[:SHOWN])}{', ...' if len(there) > SHOWN else ''}",
            run=made_by,
        )
    for name, shape in expected.items():
        if weights[name].shape != shape:
            raise StageError(f"{path}: {name} is {weights[name].shape}, the configuration says {shape}", run=made_by)


def load_model(folder: Path, made_by: str, or_else: str = "another finetune.init") -> Model:
    """Read a model folder.

    or_else: what a user can set where the folder was not configured.

    Raises:
        StageError: not configured, incomplete, corrupt, or vocabulary or weights do not fit the configuration.
    """
    listed = manifest.read_configured(folder, f"import_checkpoint.source (or {or_else})", made_by)
    for entry in listed["files"]:
        if sha256_of(folder / entry["path"]) != entry["sha256"]:
            raise StageError(f"{folder / entry['path']}: not what its manifest lists: damaged or changed", run=made_by)
    config = BertConfig.read(folder / CONFIG_FILE, made_by)
    check_vocab(config, Vocabulary.read(folder / VOCAB, made_by), folder / VOCAB, made_by)
    try:
        weights = load_file(folder / WEIGHTS)
    except (SafetensorError, OSError) as error:
        raise StageError(f"{folder / WEIGHTS}: cannot be read ({error})", run=made_by) from None
    check_weights(config, weights, folder / WEIGHTS, made_by)
    return Model(config, weights, folder / VOCAB, lower_cases(folder / VOCAB, made_by))
