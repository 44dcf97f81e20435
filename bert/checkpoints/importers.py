"""Readers of other people's checkpoints: Google's and NVIDIA's (TensorFlow), Hugging Face's, and this project's own.

Our names are Google's, so theirs load as they are; the others' are translated.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from bert.checkpoints.choice import AGAIN, WeightFiles, beside, choose_weights
from bert.checkpoints.configurations import architectures, check_padding, read_configuration
from bert.checkpoints.folder import Model, check_vocab, check_weights
from bert.checkpoints.heads import MASKED_LM, NEXT_SENTENCE, has_pooler, head_shapes, heads_in
from bert.checkpoints.hugging_face import from_hugging_face, translate
from bert.checkpoints.tensors import read_tensors
from bert.checkpoints.variables import WORDS, from_google, read_variables
from bert.model.config import BertConfig
from bert.model.parameters import Shapes, encoder_shapes
from bert.pipeline.errors import StageError
from bert.tokens.casing import decide
from bert.tokens.hugging_face import casing_beside
from bert.tokens.vocabulary import PAD, Vocabulary

__all__ = ["Imported", "read_checkpoint", "translate"]

Arrays = dict[str, np.ndarray]
CASING = "import_checkpoint.do_lower_case"
_OF_PRETRAINING = (MASKED_LM, NEXT_SENTENCE)


def _is_slot(name: str, weights: Collection[str]) -> bool:
    """Of an optimizer, or an average: `<weight>/adam_m`."""
    return any(name.startswith(f"{weight}/") for weight in weights)


def _fitting(found: Arrays, config: BertConfig, path: Path) -> tuple[Arrays, list[str]]:
    """Float32 weights of the encoder and the heads that are there, and the names that are left out.

    Raises:
        StageError: a weight is missing, too many, or not what the configuration says; names it.
    """
    check_weights(config, found, path, AGAIN)
    needed = _shapes(config, found)
    left_out = sorted(found.keys() - needed.keys())
    too_many = [name for name in left_out if name.startswith("bert/") and not _is_slot(name, needed)]
    if too_many:
        raise StageError(
            f"{path}: {len(too_many)} weights that a BERT of this configuration has not, such as {too_many[0]}",
            run=AGAIN,
        )
    heads_in(config, found, path, AGAIN)
    weights: Arrays = {}
    for name in needed.keys() & found.keys():
        if found[name].dtype.kind != "f" and found[name].dtype.name != "bfloat16":
            raise StageError(f"{path}: {name} is {found[name].dtype}, expected floating-point numbers", run=AGAIN)
        weights[name] = np.ascontiguousarray(found[name], dtype=np.float32)
        if not np.isfinite(weights[name]).all():
            raise StageError(f"{path}: {name} has values that are not finite, in float32", run=AGAIN)
    return weights, left_out


def _shapes(config: BertConfig, found: Arrays) -> Shapes:
    """Of all that is taken over where it is there: the encoder and the heads."""
    shapes = encoder_shapes(config)
    for of_head in head_shapes(config, found).values():
        shapes |= of_head
    return shapes


def _by_kind(left_out: Iterable[str], weights: Collection[str]) -> dict[str, int]:
    """How many tensors are left out: of an optimizer's slots by their kind, of others by name."""
    return dict(sorted(Counter(name.split("/")[-1] if _is_slot(name, weights) else name for name in left_out).items()))


@dataclass(frozen=True)
class Imported(Model):
    """described: what was decided in reading, for the metrics."""

    described: dict[str, Any] = field(default_factory=dict)


def _read(files: WeightFiles, config: BertConfig, classes: Collection[str]) -> tuple[Arrays, list[str]]:
    if files.is_tensorflow:
        return read_variables(files.path, config)
    arrays = read_tensors(files.files, AGAIN)
    is_ours = any(name.endswith(WORDS) for name in arrays)
    return from_google(arrays, files.path) if is_ours else from_hugging_face(arrays, files.path, classes)


def read_checkpoint(
    folder: Path, *, weights: str | None = None, do_lower_case: bool | None = None, ignore: Collection[str] = ()
) -> Imported:
    """The checkpoint in `folder`: weights (*.safetensors or *.index with its data), configuration, vocab.txt.

    Args:
        weights: which of several checkpoints.
        do_lower_case: None: as the files say, or else the pieces of the vocabulary.
        ignore: keys of the configuration that are not looked at.

    Raises:
        StageError: a file or a weight is missing, shapes do not fit the configuration, or it is one of something that
            is not computed here; names it.
    """
    files = choose_weights(folder, weights)
    configs = ("config.json", "bert_config.json")
    config_path = beside(folder, files, *(reversed(configs) if files.is_tensorflow else configs))
    vocab = beside(folder, files, "vocab.txt")
    config = read_configuration(config_path, ignore)
    vocabulary = Vocabulary.read(vocab, AGAIN)
    check_vocab(config, vocabulary, vocab, AGAIN)
    check_padding(config_path, vocabulary.pieces.index(PAD))
    said, by = casing_beside(vocab, vocabulary, AGAIN)
    if do_lower_case is not None:
        said, by = do_lower_case, CASING
    said, by = decide(vocabulary.pieces, vocab, said, by, CASING)
    arrays, others = _read(files, config, architectures(config_path))
    found, left_out = _fitting(arrays, config, files.path)
    heads = heads_in(config, found, files.path, AGAIN)
    described = {
        "checkpoint": files.name,
        "hidden_act": config.hidden_act,
        "layer_norm_eps": config.layer_norm_eps,
        "do_lower_case": said,
        "do_lower_case_by": by,
        "pieces": len(vocabulary.pieces),
        "padded_pieces": config.vocab_size - len(vocabulary.pieces),
        "without": ["pooler"] * (not has_pooler(found)) + [head for head in _OF_PRETRAINING if head not in heads],
        "dropped": _by_kind([*others, *left_out], _shapes(config, arrays)),
    }
    return Imported(config, found, vocab, said, described)
