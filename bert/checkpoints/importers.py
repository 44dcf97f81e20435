"""Readers of other people's checkpoints: Google's and NVIDIA's (TensorFlow), Hugging Face's, and this project's own.

Our names are Google's, so theirs load as they are; Hugging Face's are translated and its kernels transposed, those of
TensorFlow's Keras models are translated (bert/checkpoints/keras_names.py). What wraps a model (`module.` of a parallel
one, `model.`, a scope) stands before all of its names: it is what stands before that of the word embeddings.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file

from bert.checkpoints.choice import AGAIN, WeightFiles, beside, choose_weights
from bert.checkpoints.configurations import check_padding, read_configuration
from bert.checkpoints.folder import POOLER, SHOWN, Model, check_vocab, check_weights
from bert.checkpoints.keras_names import from_keras
from bert.model.config import BertConfig
from bert.model.parameters import pretraining_shapes
from bert.pipeline.errors import StageError
from bert.tokens.casing import decide
from bert.tokens.hugging_face import casing_beside
from bert.tokens.vocabulary import PAD, Vocabulary

Arrays = dict[str, np.ndarray]
CASING = "import_checkpoint.do_lower_case"
WORDS = "bert/embeddings/word_embeddings"
_THEIR_WORDS = "embeddings.word_embeddings.weight"
_DECODER = "cls.predictions.decoder."
_HEADS = {"masked_lm": "cls/predictions/", "next_sentence": "cls/seq_relationship/"}
_PARTS = {"pooler": POOLER, **_HEADS}
# Numbers of the places, which older versions saved.
_BUFFERS = ("embeddings.position_ids", "embeddings.token_type_ids")
_LFS = b"version https://git-lfs"
_OBJECT_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"

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


def _wrapping(names: Iterable[str], of_words: str, path: Path) -> str:
    """What stands before the name of the word embeddings; nothing where that is not there.

    Raises:
        StageError: there are several.
    """
    found = sorted(
        name.removesuffix(of_words)
        for name in names
        if name == of_words or name.endswith((f".{of_words}", f"/{of_words}"))
    )
    if len(found) > 1:
        raise StageError(
            f"{path}: expected one encoder, there are {len(found)}: {', '.join(map(repr, found))} stand "
            f"before {of_words}",
            run=AGAIN,
        )
    return found[0] if found else ""


def _load(paths: Iterable[Path]) -> Arrays:
    """All tensors of a safetensors file and the shards beside it."""
    arrays: Arrays = {}
    for path in paths:
        with open(path, "rb") as file:
            is_pointer = file.read(len(_LFS)) == _LFS
        if is_pointer:
            raise StageError(
                f"{path}: is a pointer of Git LFS and not the file itself", run=f"git lfs pull, then {AGAIN}"
            )
        try:
            found = load_file(path)
        except (SafetensorError, OSError, KeyError, TypeError) as error:
            raise StageError(f"{path}: cannot be read ({error})", run=AGAIN) from None
        if twice := sorted(found.keys() & arrays.keys()):
            raise StageError(f"{path}: {twice[0]} is in another shard too", run=AGAIN)
        arrays |= found
    return arrays


def _from_hugging_face(theirs: Arrays, path: Path) -> tuple[Arrays, list[str]]:
    """{our name: array}, and the names that are left out."""
    before = _wrapping(theirs, _THEIR_WORDS, path)
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
            continue
        found = translate(short)
        if found is None and short.startswith(("embeddings.", "encoder.", "pooler.")) and short not in _BUFFERS:
            raise StageError(f"{path}: {name} is no weight of a BERT", run=AGAIN)
        if found is None:
            left_out.append(name)
        else:
            weights[found[0]] = value.T if found[1] else value
    return weights, left_out


def _check_tied(short: str, value: np.ndarray, theirs: Arrays, outer: str, before: str, path: Path) -> None:
    """The masked-LM output has the weights of the word embeddings, and its bias once: raises StageError elsewise."""
    twin = before + _THEIR_WORDS if short.endswith(".weight") else f"{outer}cls.predictions.bias"
    if twin in theirs and not np.array_equal(theirs[twin], value):
        raise StageError(f"{path}: {outer}{short} is not {twin}: an untied output is not computed here", run=AGAIN)


def _tensorflow(path: Path, config: BertConfig) -> tuple[Arrays, list[str]]:
    """{our name: array}, and the names that are left out."""
    import tensorflow as tf

    try:
        reader = tf.train.load_checkpoint(str(path).removesuffix(".index"))
        theirs = {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}
    except (tf.errors.OpError, IndexError, ValueError) as error:
        raise StageError(f"{path}: cannot be read ({error})", run=AGAIN) from None
    if _OBJECT_GRAPH in theirs:
        theirs = _named_by_graph(theirs, path)
        theirs = from_keras(theirs, config)
        if not any(name.endswith(WORDS) for name in theirs):
            raise StageError(
                f"{path}: a TensorFlow 2 object checkpoint whose {len(theirs)} variables have other names than "
                f"Google's and those of tensorflow/models: {', '.join(sorted(theirs)[:SHOWN])}",
                run="write it as a TensorFlow 1 checkpoint or as safetensors where its code is, then " + AGAIN,
            )
    return _from_google(theirs, path)


def _named_by_graph(theirs: Arrays, path: Path) -> Arrays:
    """A TF2 object checkpoint's arrays under the names of their variables, which its object graph has."""
    from tensorflow.core.protobuf.trackable_object_graph_pb2 import TrackableObjectGraph

    graph = TrackableObjectGraph.FromString(theirs[_OBJECT_GRAPH])
    named: Arrays = {}
    for node in graph.nodes:
        for attribute in node.attributes:
            if attribute.checkpoint_key in theirs and attribute.full_name:
                named[attribute.full_name.removesuffix(":0")] = theirs[attribute.checkpoint_key]
    # Saved by name, by TensorFlow 1: the graph is only an addition.
    return named if named else {name: value for name, value in theirs.items() if name != _OBJECT_GRAPH}


def _from_google(theirs: Arrays, path: Path) -> tuple[Arrays, list[str]]:
    # An optimizer's slots may end like weights: Adam/m/bert/...
    before = "" if WORDS in theirs else _wrapping(theirs, WORDS, path)
    weights = {name.removeprefix(before): value for name, value in theirs.items() if name.startswith(before)}
    return weights, [name for name in theirs if not name.startswith(before)]


def _is_slot(name: str, weights: Mapping[str, Any]) -> bool:
    """Of an optimizer, or an average: `<weight>/adam_m`."""
    return any(name.startswith(f"{weight}/") for weight in weights)


def _fitting(found: Arrays, config: BertConfig, path: Path) -> tuple[Arrays, list[str]]:
    """Float32 weights of the encoder and the heads that are there, and the names that are left out.

    Raises:
        StageError: a weight is missing, too many, or not what the configuration says; names it.
    """
    check_weights(config, found, path, AGAIN)
    needed = pretraining_shapes(config)
    left_out = sorted(found.keys() - needed.keys())
    too_many = [name for name in left_out if name.startswith("bert/") and not _is_slot(name, needed)]
    if too_many:
        raise StageError(
            f"{path}: {len(too_many)} weights that a BERT of this configuration has not, such as {too_many[0]}",
            run=AGAIN,
        )
    for head in _HEADS.values():
        of_head = {name: shape for name, shape in needed.items() if name.startswith(head)}
        if found.keys() & of_head.keys():
            check_weights(config, found, path, AGAIN, of_head)
    weights: Arrays = {}
    for name in needed.keys() & found.keys():
        if found[name].dtype.kind != "f" and found[name].dtype.name != "bfloat16":
            raise StageError(f"{path}: {name} is {found[name].dtype}, expected floating-point numbers", run=AGAIN)
        weights[name] = np.ascontiguousarray(found[name], dtype=np.float32)
        if not np.isfinite(weights[name]).all():
            raise StageError(f"{path}: {name} has values that are not finite, in float32", run=AGAIN)
    return weights, left_out


def _by_kind(left_out: Iterable[str], config: BertConfig) -> dict[str, int]:
    """How many tensors are left out: of an optimizer's slots by their kind, of others by name."""
    weights = pretraining_shapes(config)
    return dict(sorted(Counter(name.split("/")[-1] if _is_slot(name, weights) else name for name in left_out).items()))


@dataclass(frozen=True)
class Imported(Model):
    """described: what was decided in reading, for the metrics."""

    described: dict[str, Any] = field(default_factory=dict)


def _read(files: WeightFiles, config: BertConfig) -> tuple[Arrays, list[str]]:
    if files.is_tensorflow:
        return _tensorflow(files.path, config)
    arrays = _load(files.files)
    is_ours = any(name.endswith(WORDS) for name in arrays)
    return _from_google(arrays, files.path) if is_ours else _from_hugging_face(arrays, files.path)


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
    arrays, others = _read(files, config)
    found, left_out = _fitting(arrays, config, files.path)
    described = {
        "checkpoint": files.name,
        "hidden_act": config.hidden_act,
        "layer_norm_eps": config.layer_norm_eps,
        "do_lower_case": said,
        "do_lower_case_by": by,
        "pieces": len(vocabulary.pieces),
        "padded_pieces": config.vocab_size - len(vocabulary.pieces),
        "without": [head for head, start in _PARTS.items() if not any(name.startswith(start) for name in found)],
        "dropped": _by_kind([*others, *left_out], config),
    }
    return Imported(config, found, vocab, said, described)
