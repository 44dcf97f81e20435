"""Hugging Face's names -> Google's and back, and its kernels transposed: a Linear keeps (outputs, inputs)."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
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

# {class: (its head, the beginning of our names)}. Other classes call their heads `classifier` too, which are no
# classifier of sentences: so the class has to be named.
_TASK_HEADS = {
    "BertForQuestionAnswering": ("qa_outputs", "cls/squad/output"),
    "BertForSequenceClassification": ("classifier", "output"),
}
_ENDS = {"weight": "weights", "bias": "bias"}

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


# Weights of heads that have no layer around them: {our name: theirs}.
_OUTPUTS = {
    "cls/predictions/output_bias": "cls.predictions.bias",
    "cls/seq_relationship/output_weights": "cls.seq_relationship.weight",
    "cls/seq_relationship/output_bias": "cls.seq_relationship.bias",
    **{f"{ours}_{_ENDS[end]}": f"{head}.{end}" for head, ours in _TASK_HEADS.values() for end in _ENDS},
}
_LASTS = {"kernel": ".weight", "gamma": ".weight", "beta": ".bias", "bias": ".bias"}


def hugging_face_name(name: str) -> str:
    """Hugging Face's name for one of ours: what `translate` undoes.

    >>> hugging_face_name("bert/encoder/layer_0/attention/self/query/kernel")
    'bert.encoder.layer.0.attention.self.query.weight'
    """
    if name in _OUTPUTS:
        return _OUTPUTS[name]
    stem, _, last = name.rpartition("/")
    stem = re.sub(r"/layer_(\d+)/", r"/layer/\1/", stem)
    return (f"{stem}{_LASTS[last]}" if last in _LASTS else f"{stem}/{last}.weight").replace("/", ".")


def to_hugging_face(weights: Mapping[str, np.ndarray]) -> Arrays:
    """{their name: array}. The masked-LM output has no weights of its own: it is tied there as it is here."""
    return {
        hugging_face_name(name): np.ascontiguousarray(value.T if name.endswith("/kernel") else value)
        for name, value in weights.items()
    }


def from_hugging_face(theirs: Arrays, path: Path, classes: Collection[str] = ()) -> tuple[Arrays, list[str]]:
    """{our name: array}, and the names that are left out.

    classes: of transformers, as the configuration names them: whose heads these are.
    """
    of_task = {
        f"{head}.{end}": f"{ours}_{_ENDS[end]}"
        for name, (head, ours) in _TASK_HEADS.items()
        if name in classes
        for end in _ENDS
    }
    before = wrapping(theirs, _THEIR_WORDS, path)
    outer = before.removesuffix("bert.")
    weights: Arrays = {}
    left_out: list[str] = []
    for name, value in theirs.items():
        if name.startswith(outer) and name[len(outer) :] in of_task:
            weights[of_task[name[len(outer) :]]] = value
            continue
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
