"""Writers of other people's checkpoints: Hugging Face's folder, and TensorFlow 1's as Google published theirs.

What the importers read from them is, bit for bit, what was written.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bert.checkpoints.configurations import HUGGING_FACE
from bert.checkpoints.folder import VOCAB, WEIGHTS, Model
from bert.checkpoints.heads import (
    CLASSES,
    MASKED_LM,
    NEXT_SENTENCE,
    ON_THE_POOLER,
    SPANS,
    has_pooler,
    head_shapes,
    heads_in,
    labels_in,
)
from bert.checkpoints.hugging_face import to_hugging_face
from bert.checkpoints.tensors import write_tensors
from bert.model.config import CONFIG_FILE, BertConfig
from bert.model.parameters import encoder_shapes
from bert.pipeline.errors import StageError
from bert.pipeline.files import write_json, write_text
from bert.tokens.casing import KEY, TOKENIZER_CONFIG, write_casing
from bert.tokens.hugging_face import SPECIAL_KEYS
from bert.tokens.vocabulary import PAD, Vocabulary

TENSORS, CHECKPOINT = "model.safetensors", "bert_model.ckpt"
_OWN_WORDS = {ours: theirs for theirs, ours in HUGGING_FACE.items() if theirs in ("gelu", "gelu_new", "relu")}
_SINGLE = {MASKED_LM: "BertForMaskedLM", NEXT_SENTENCE: "BertForNextSentencePrediction"}
_OF_TASKS = {SPANS: "BertForQuestionAnswering", CLASSES: "BertForSequenceClassification"}


@dataclass(frozen=True)
class Exported:
    """What is written, and what of it was looked up on the way.

    labels: the names of the classes; by default those that transformers gives them.
    """

    model: Model
    heads: tuple[str, ...]
    vocabulary: Vocabulary
    labels: Sequence[str] = field(default=())


def exported(model: Model, made_by: str, labels: Sequence[str] = ()) -> Exported:
    """A model that can be written.

    Raises:
        StageError: a weight that no format has a name for, a head in part or without the pooler that it stands on, or
            labels that are not the head's; names it.
    """
    config, weights, path = model.config, model.weights, model.vocab.with_name(WEIGHTS)
    heads = heads_in(config, weights, path, made_by)
    known = encoder_shapes(config).keys() | {n for of in head_shapes(config, weights).values() for n in of}
    if unknown := sorted(weights.keys() - known):
        raise StageError(
            f"{path}: {unknown[0]} is no weight of an encoder or a head of BERT, and {len(unknown)} such cannot be "
            "written: no format has a name for them",
            run=made_by,
        )
    if not has_pooler(weights) and (bare := [head for head in heads if head in ON_THE_POOLER]):
        raise StageError(f"{path}: has the head {bare[0]}, but no pooler, on which that stands", run=made_by)
    count = labels_in(weights) if CLASSES in heads else 0
    if labels and (len(labels) != count or len(set(labels)) != count):
        raise StageError(
            f"--labels: {len(labels)} names ({', '.join(labels)}), expected {count} different ones: {path} has "
            + (f"a head of {count} classes" if count else "no head of classes"),
            run="the same with other --labels" if count else "the same without --labels",
        )
    names = tuple(labels) or tuple(f"LABEL_{n}" for n in range(count))
    return Exported(model, heads, Vocabulary.read(model.vocab, made_by), names)


def _architectures(heads: Sequence[str]) -> list[str]:
    """The classes of transformers that have these heads."""
    single = [name for head, name in _SINGLE.items() if head in heads]
    found = ["BertForPreTraining"] if len(single) == len(_SINGLE) else single
    return found + [name for head, name in _OF_TASKS.items() if head in heads] or ["BertModel"]


def _write_vocabulary(folder: Path, vocabulary: Vocabulary) -> None:
    """A piece a line: other readers take what else may stand in the lines of a file for a part of the pieces."""
    write_text(folder / VOCAB, "\n".join(vocabulary.pieces) + "\n")


def write_hugging_face(folder: Path, what: Exported) -> None:
    """model.safetensors, config.json, vocab.txt and tokenizer_config.json, as transformers' from_pretrained reads them.

    The file has the weights of all heads; config.json names the class of each.

    Raises:
        StageError: a span head beside one of other than two classes: one num_labels counts the outputs of both there.
    """
    config, vocabulary = what.model.config, what.vocabulary
    if SPANS in what.heads and CLASSES in what.heads and len(what.labels) != 2:
        raise StageError(
            f"{what.model.vocab.with_name(WEIGHTS)}: has a span head and one of {len(what.labels)} classes, which "
            "config.json of Hugging Face cannot say: its num_labels would have to be 2 for the one and "
            f"{len(what.labels)} for the other",
            run="the same with --format tensorflow",
        )
    classes = _architectures(what.heads)
    weights = to_hugging_face(what.model.weights)
    # The names that transformers itself gives to an encoder that stands alone.
    bare = {name.removeprefix("bert."): value for name, value in weights.items()}
    weights = bare if classes == ["BertModel"] else weights
    # transformers asks for this word before it reads.
    write_tensors(folder / TENSORS, {n: weights[n] for n in sorted(weights)}, {"format": "pt"})
    described = config.model_dump() | {
        "architectures": classes,
        "model_type": "bert",
        "hidden_act": _OWN_WORDS[config.hidden_act],
        "pad_token_id": vocabulary.pieces.index(PAD),
        "torch_dtype": "float32",
    }
    if what.labels:
        described |= {
            "id2label": {str(n): label for n, label in enumerate(what.labels)},
            "label2id": {label: n for n, label in enumerate(what.labels)},
        }
    write_json(folder / "config.json", described)
    # The library lets nobody else read its files; an export is for others.
    shutil.copymode(folder / "config.json", folder / TENSORS)
    _write_vocabulary(folder, vocabulary)
    tokenizer = {
        "tokenizer_class": "BertTokenizer",
        KEY: what.model.do_lower_case,
        "tokenize_chinese_chars": True,
        "strip_accents": None,
        "model_max_length": config.max_position_embeddings,
    }
    write_json(folder / TOKENIZER_CONFIG, tokenizer | SPECIAL_KEYS)


def _check_google(config: BertConfig, path: Path) -> None:
    """Raises StageError where Google's code would compute something else: its configuration has no word for it."""
    default = BertConfig.model_fields["layer_norm_eps"].default
    faults = []
    if config.hidden_act == "gelu_erf":
        faults.append("hidden_act is gelu_erf, the GELU of the error function, and Google's gelu is its approximation")
    if config.layer_norm_eps != default:
        faults.append(f"layer_norm_eps is {config.layer_norm_eps}, and Google's code has {default} throughout")
    if faults:
        raise StageError(
            f"{path}: cannot be written for TensorFlow 1: {'; '.join(faults)}",
            run="the same with --format hugging_face",
        )


def write_tensorflow(folder: Path, what: Exported) -> None:
    """bert_model.ckpt.index and its data, bert_config.json, vocab.txt; and tokenizer_config.json, which has the casing.

    Raises:
        StageError: a model that Google's code does not compute; says why.
    """
    import tensorflow as tf

    model = what.model
    _check_google(model.config, model.vocab.with_name(CONFIG_FILE))
    names = sorted(model.weights)
    tf.raw_ops.SaveV2(
        prefix=str(folder / CHECKPOINT),
        tensor_names=names,
        shape_and_slices=[""] * len(names),
        tensors=[tf.constant(model.weights[name]) for name in names],
    )
    write_text(folder / CONFIG_FILE, model.config.text())
    _write_vocabulary(folder, what.vocabulary)
    write_casing(folder, model.do_lower_case)


FORMATS: Mapping[str, Callable[[Path, Exported], None]] = {
    "hugging_face": write_hugging_face,
    "tensorflow": write_tensorflow,
}
