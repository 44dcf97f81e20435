"""Tests for bert/checkpoints/exporters.py: what is written, read back, and loaded by transformers where that is."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from safetensors import safe_open

from bert.checkpoints.exporters import FORMATS, Exported, exported
from bert.checkpoints.folder import Model
from bert.checkpoints.hugging_face import hugging_face_name, translate
from bert.checkpoints.importers import read_checkpoint
from bert.model.config import BertConfig
from bert.model.parameters import Shapes, classifier_shapes, encoder_shapes, pretraining_shapes, squad_shapes
from bert.pipeline.errors import StageError
from tests.checkpoints.hugging_face import hugging_face_weights
from tests.model.reference import random_weights
from tests.project import files
from tests.training.tiny import CONFIG, PIECES, write_vocab

MADE_BY = "dvc repro squad"
HEADS: dict[str, tuple[Shapes, list[str]]] = {
    "none": (encoder_shapes(CONFIG), ["BertModel"]),
    "pretraining": (pretraining_shapes(CONFIG), ["BertForPreTraining"]),
    "spans": (squad_shapes(CONFIG), ["BertForQuestionAnswering"]),
    "three classes": (classifier_shapes(CONFIG, 3), ["BertForSequenceClassification"]),
    "one class": (classifier_shapes(CONFIG, 1), ["BertForSequenceClassification"]),
    "masked LM alone": (
        {n: s for n, s in pretraining_shapes(CONFIG).items() if "pooler" not in n and "seq_rel" not in n},
        ["BertForMaskedLM"],
    ),
    "next sentence alone": (
        {n: s for n, s in pretraining_shapes(CONFIG).items() if "predictions" not in n},
        ["BertForNextSentencePrediction"],
    ),
    "all": (
        pretraining_shapes(CONFIG) | squad_shapes(CONFIG) | classifier_shapes(CONFIG, 2),
        ["BertForPreTraining", "BertForQuestionAnswering", "BertForSequenceClassification"],
    ),
}


def model_of(folder: Path, shapes: Shapes, config: BertConfig = CONFIG, pieces: list[str] | None = None) -> Model:
    folder.mkdir(exist_ok=True)
    return Model(config, random_weights(shapes, seed=2), write_vocab(folder / "vocab.txt", pieces))


def write(name: str, folder: Path, model: Model, *labels: str) -> Path:
    folder.mkdir()
    FORMATS[name](folder, exported(model, MADE_BY, labels))
    return folder


def described(folder: Path) -> dict[str, Any]:
    values: dict[str, Any] = json.loads((folder / "config.json").read_text())
    return values


def assert_same(one: Model, other: Model) -> None:
    assert one.config == other.config
    assert one.do_lower_case == other.do_lower_case
    assert one.vocab.read_bytes() == other.vocab.read_bytes()
    assert one.weights.keys() == other.weights.keys()
    for name, value in other.weights.items():
        assert one.weights[name].tobytes() == value.tobytes(), name
        assert one.weights[name].dtype == np.float32 and one.weights[name].shape == value.shape, name


@pytest.mark.parametrize("heads", HEADS)
@pytest.mark.parametrize("name", FORMATS)
def test_what_is_written_is_read_back_bit_for_bit(name: str, heads: str, tmp_path: Path) -> None:
    model = model_of(tmp_path, HEADS[heads][0])
    # A number that survives no arithmetic, and one that is not the other zero.
    model.weights["bert/embeddings/word_embeddings"][0, :2] = [1e-42, -0.0]
    back = read_checkpoint(write(name, tmp_path / "out", model))
    assert_same(back, model)
    assert back.described["dropped"] == {}
    if name == "hugging_face":
        assert described(tmp_path / "out")["architectures"] == HEADS[heads][1]


@pytest.mark.parametrize(
    "changes",
    [
        {"vocab_size": 64},  # padded
        {"num_hidden_layers": 12, "hidden_size": 24, "num_attention_heads": 3, "intermediate_size": 20},
        {"max_position_embeddings": 7, "type_vocab_size": 3, "hidden_dropout_prob": 0.0},
        {"hidden_act": "relu", "initializer_range": 0.5},
    ],
    ids=str,
)
@pytest.mark.parametrize("cased", [False, True])
@pytest.mark.parametrize("name", FORMATS)
def test_other_shapes_vocabularies_and_casings_are_read_back_too(
    name: str, changes: dict[str, object], cased: bool, tmp_path: Path
) -> None:
    config = CONFIG.model_copy(update=changes)
    pieces = ["[unused0]", *PIECES[5:30], "\x85", "é" if cased else "e", *PIECES[:5]]
    model = model_of(tmp_path, pretraining_shapes(config), config, pieces + [f"p{n}" for n in range(40 - len(pieces))])
    assert_same(
        read_checkpoint(write(name, tmp_path / "out", replace(model, do_lower_case=not cased))),
        replace(model, do_lower_case=not cased),
    )


@pytest.mark.parametrize("changes", [{"hidden_act": "gelu_erf"}, {"layer_norm_eps": 0.01}], ids=str)
def test_what_googles_configuration_has_no_word_for_is_written_for_hugging_face_alone(
    changes: dict[str, object], tmp_path: Path
) -> None:
    config = CONFIG.model_copy(update=changes)
    model = model_of(tmp_path, pretraining_shapes(config), config)
    assert_same(read_checkpoint(write("hugging_face", tmp_path / "hf", model)), model)
    with pytest.raises(
        StageError, match=rf"bert_config\.json: cannot be written for TensorFlow 1: {next(iter(changes))}"
    ) as e:
        write("tensorflow", tmp_path / "tf", model)
    assert e.value.run == "the same with --format hugging_face"
    assert not list((tmp_path / "tf").iterdir())


@pytest.mark.parametrize(("ours", "word"), [("gelu", "gelu_new"), ("gelu_erf", "gelu"), ("relu", "relu")])
def test_the_activation_is_said_in_their_words(ours: str, word: str, tmp_path: Path) -> None:
    config = CONFIG.model_copy(update={"hidden_act": ours})
    values = described(write("hugging_face", tmp_path / "out", model_of(tmp_path, encoder_shapes(config), config)))
    assert (values["hidden_act"], values["layer_norm_eps"], values["model_type"]) == (word, 1e-12, "bert")


def test_the_names_are_those_of_transformers(tmp_path: Path) -> None:
    theirs = hugging_face_weights(CONFIG)
    folder = write("hugging_face", tmp_path / "out", model_of(tmp_path, pretraining_shapes(CONFIG)))
    with safe_open(folder / "model.safetensors", "numpy") as file:
        assert {name: tuple(file.get_tensor(name).shape) for name in file.keys()} == {  # noqa: SIM118
            name: value.shape for name, value in theirs.items()
        }
        assert file.metadata() == {"format": "pt"}
    for name in pretraining_shapes(CONFIG):
        assert translate(hugging_face_name(name)) == (name, name.endswith("kernel"))


def test_a_tensorflow_checkpoint_is_by_name_and_has_googles_files(tmp_path: Path) -> None:
    model = model_of(tmp_path, squad_shapes(CONFIG))
    folder = write("tensorflow", tmp_path / "out", model)
    assert sorted(files(folder)) == [
        "bert_config.json",
        "bert_model.ckpt.data-00000-of-00001",
        "bert_model.ckpt.index",
        "tokenizer_config.json",
        "vocab.txt",
    ]
    assert dict(tf.train.list_variables(str(folder / "bert_model.ckpt"))) == {
        name: list(shape) for name, shape in squad_shapes(CONFIG).items()
    }
    assert json.loads((folder / "bert_config.json").read_text()).keys() == BertConfig.model_fields.keys() - {
        "layer_norm_eps"
    }


@pytest.mark.parametrize("name", FORMATS)
def test_the_same_model_gives_the_same_bytes_in_whatever_order_its_weights_come(name: str, tmp_path: Path) -> None:
    model = model_of(tmp_path, pretraining_shapes(CONFIG))
    turned = replace(model, weights=dict(reversed(model.weights.items())))
    assert files(write(name, tmp_path / "one", model)) == files(write(name, tmp_path / "two", turned))


def test_labels_are_named_as_wished_or_as_transformers_does(tmp_path: Path) -> None:
    model = model_of(tmp_path, classifier_shapes(CONFIG, 3))
    values = described(write("hugging_face", tmp_path / "one", model, "no", "maybe", "yes"))
    assert values["id2label"] == {"0": "no", "1": "maybe", "2": "yes"}
    assert values["label2id"] == {"no": 0, "maybe": 1, "yes": 2}
    assert described(write("hugging_face", tmp_path / "two", model))["id2label"]["2"] == "LABEL_2"
    for labels in (("no", "yes"), ("no", "no", "yes")):
        with pytest.raises(StageError, match=r"--labels: .*expected 3 different ones: .*a head of 3 classes"):
            exported(model, MADE_BY, labels)
    with pytest.raises(StageError, match=r"--labels: 1 names .* no head of classes"):
        exported(model_of(tmp_path, encoder_shapes(CONFIG)), MADE_BY, ("yes",))


def changed(model: Model, drop: str = "", **more: np.ndarray) -> Model:
    kept = {name: value for name, value in model.weights.items() if not drop or not name.startswith(drop)}
    return replace(model, weights=kept | more)


@pytest.mark.parametrize(
    ("drop", "more", "named"),
    [
        ("", {"bert/extra": (2,)}, "bert/extra is no weight of an encoder or a head"),
        ("cls/seq_relationship/output_bias", {}, "has no weight cls/seq_relationship/output_bias"),
        ("cls/predictions/transform/LayerNorm/", {}, "has no weight cls/predictions/transform/LayerNorm/gamma"),
        ("", {"cls/squad/output_weights": (3, 16)}, "has no weight cls/squad/output_bias"),
        ("bert/pooler/", {}, "has the head next_sentence, but no pooler"),
    ],
)
def test_what_is_no_whole_model_is_refused_by_name(
    drop: str, more: dict[str, tuple[int, ...]], named: str, tmp_path: Path
) -> None:
    model = model_of(tmp_path, pretraining_shapes(CONFIG))
    arrays = {name: np.zeros(shape, np.float32) for name, shape in more.items()}
    with pytest.raises(StageError, match=named) as error:
        exported(changed(model, drop, **arrays), MADE_BY)
    assert error.value.run == MADE_BY


def test_spans_beside_three_classes_are_more_than_one_configuration_can_say(tmp_path: Path) -> None:
    model = model_of(tmp_path, squad_shapes(CONFIG) | classifier_shapes(CONFIG, 3))
    with pytest.raises(StageError, match=r"a span head and one of 3 classes, .* num_labels") as error:
        write("hugging_face", tmp_path / "hf", model)
    assert error.value.run == "the same with --format tensorflow"
    assert_same(read_checkpoint(write("tensorflow", tmp_path / "tf", model)), model)


def test_a_vocabulary_with_white_space_and_blank_lines_is_written_plainly(tmp_path: Path) -> None:
    model = model_of(tmp_path, encoder_shapes(CONFIG))
    model.vocab.write_bytes(b"\xef\xbb\xbf" + "".join(f" {piece}\t\r\n" for piece in PIECES).encode() + b"\r\n\n")
    for name in FORMATS:
        folder = write(name, tmp_path / name, model)
        assert (folder / "vocab.txt").read_text().split("\n") == [*PIECES, ""]


def test_a_classifier_of_tokens_is_not_taken_for_one_of_sentences(tmp_path: Path) -> None:
    folder = write("hugging_face", tmp_path / "out", model_of(tmp_path, classifier_shapes(CONFIG, 3)))
    (folder / "config.json").write_text(
        json.dumps(described(folder) | {"architectures": ["BertForTokenClassification"]})
    )
    back = read_checkpoint(folder)
    assert back.weights.keys() == encoder_shapes(CONFIG).keys()
    assert back.described["dropped"] == {"classifier.bias": 1, "classifier.weight": 1}


def test_others_may_read_the_files(tmp_path: Path) -> None:
    folder = write("hugging_face", tmp_path / "out", model_of(tmp_path, encoder_shapes(CONFIG)))
    assert len({path.stat().st_mode for path in folder.iterdir()}) == 1


@pytest.mark.parametrize("heads", [name for name in HEADS if name != "all"])
def test_transformers_loads_each_class_with_nothing_missing_and_cuts_text_alike(heads: str, tmp_path: Path) -> None:
    for name in ("torch", "transformers"):
        pytest.importorskip(name, reason=f"no {name}: only the names in the files are checked")
    import transformers

    shapes, (kind,) = HEADS[heads]
    pieces = [*PIECES[:5], "Ä", "a", "##b", *PIECES[5:37]]
    model = replace(model_of(tmp_path, shapes, pieces=pieces), do_lower_case=False)
    folder = write("hugging_face", tmp_path / "out", model)
    _, told = getattr(transformers, kind).from_pretrained(folder, output_loading_info=True)
    assert not (told["missing_keys"] or told["mismatched_keys"] or told["error_msgs"]), told
    assert set(told["unexpected_keys"]) <= {"bert.pooler.dense.weight", "bert.pooler.dense.bias"}
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    assert tokenizer.get_vocab() == {piece: number for number, piece in enumerate(pieces)}
    assert tokenizer.tokenize("Ä ab") == ["Ä", "a", "##b"]
    assert model.tokenizer().tokenize(["Ä ab"])[0].tolist() == tokenizer("Ä ab")["input_ids"][1:-1]
    assert tokenizer.model_max_length == CONFIG.max_position_embeddings


def test_all_is_kept_in_what_is_exported(tmp_path: Path) -> None:
    what = exported(model_of(tmp_path, HEADS["all"][0]), MADE_BY)
    assert isinstance(what, Exported)
    assert what.heads == ("masked_lm", "next_sentence", "spans", "classes")
