"""Hugging Face's names -> Google's, and its kernels transposed: a Linear keeps (outputs, inputs)."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from bert.checkpoints.choice import AGAIN
from bert.checkpoints.wrapping import wrapping
from bert.pipeline.errors import StageError

Arrays = dict[str, np.ndarray]
_THEIR_WORDS = "embeddings.word_embeddings.weight"
_DECODER = "cls.predictions.decoder."
# Numbers of the places, which older versions saved.
_BUFFERS = ("embeddings.position_ids", "embeddings.token_type_ids")

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


def from_hugging_face(theirs: Arrays, path: Path) -> tuple[Arrays, list[str]]:
    """{our name: array}, and the names that are left out."""
    before = wrapping(theirs, _THEIR_WORDS, path)
    outer = before.removesuffix("bert.")
    weights: Arrays = {}
    left_out: list[str] = []
    for name, value in theirs.items():
        is_head = name.startswith(f"{outer}cls.")
        if not is_head and not name.startswith(before):
            left_out.append(name)
            continue
        short = name[len(outer if is_head else before) :]
        if is_head and short.startswith(_DECODER):
            _check_tied(short, value, theirs, outer, before, path)
            if short.endswith(".bias") and f"{outer}cls.predictions.bias" not in theirs:
                weights["cls/predictions/output_bias"] = value
            else:
                left_out.append(name)
            continue
        found = translate(short)
        if found is None and short.startswith(("embeddings.", "encoder.", "pooler.")) and short not in _BUFFERS:
            raise StageError(f"{path}: {name} is no weight of a BERT", run=AGAIN)
        if found is None:
            left_out.append(name)
        elif found[0] in weights:
            raise StageError(f"{path}: {name} is in it by another name too", run=AGAIN)
        else:
            weights[found[0]] = value.T if found[1] else value
    return weights, left_out


def _check_tied(short: str, value: np.ndarray, theirs: Arrays, outer: str, before: str, path: Path) -> None:
    """The masked-LM output has the weights of the word embeddings, and its bias once: raises StageError elsewise."""
    twin = before + _THEIR_WORDS if short.endswith(".weight") else f"{outer}cls.predictions.bias"
    if twin in theirs and not np.array_equal(theirs[twin], value):
        raise StageError(f"{path}: {outer}{short} is not {twin}: an untied output is not computed here", run=AGAIN)
