"""Checkpoints that cannot be read, or are no BERT that is computed here: one error that names what is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from bert.checkpoints.importers import read_checkpoint
from bert.model.parameters import pretraining_shapes
from bert.pipeline.errors import StageError
from tests.checkpoints.google import write_tensorflow
from tests.checkpoints.hugging_face import hugging_face_weights, write_hugging_face
from tests.model import reference
from tests.training.tiny import CONFIG, PIECES, write_vocab


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "vocab.txt"])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    folder = write_hugging_face(tmp_path / "hf", hugging_face_weights(CONFIG))
    (folder / name).unlink()
    with pytest.raises(StageError, match=r"no .* among the checkpoint's files"):
        read_checkpoint(folder)


def test_files_cut_short_are_named(tmp_path: Path) -> None:
    # Downloads checks sums where they are given; here none were.
    folder = write_hugging_face(tmp_path / "hf", hugging_face_weights(CONFIG))
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(StageError, match=r"model\.safetensors: cannot be read"):
        read_checkpoint(folder)
    folder = write_tensorflow(tmp_path / "tf", reference.random_weights(pretraining_shapes(CONFIG), seed=5))
    path = folder / "bert_model.ckpt.data-00000-of-00001"
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(StageError, match=r"bert_model\.ckpt\.index: cannot be read"):
        read_checkpoint(folder)
    (folder / "bert_model.ckpt.index").write_bytes(b"rubbish")
    with pytest.raises(StageError, match=r"bert_model\.ckpt\.index: cannot be read"):
        read_checkpoint(folder)


def test_a_pointer_in_place_of_a_file_is_said_to_be_one(tmp_path: Path) -> None:
    folder = write_hugging_face(tmp_path / "hf", hugging_face_weights(CONFIG))
    (folder / "model.safetensors").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n")
    with pytest.raises(StageError, match="is a pointer of Git LFS"):
        read_checkpoint(folder)


@pytest.mark.parametrize("text", ["{", "[]", json.dumps({"model_type": "gpt2", "n_layer": 2})])
def test_a_configuration_that_is_none_of_a_bert_is_named(tmp_path: Path, text: str) -> None:
    folder = write_hugging_face(tmp_path / "hf", hugging_face_weights(CONFIG))
    (folder / "config.json").write_text(text)
    with pytest.raises(StageError, match=r"config\.json: "):
        read_checkpoint(folder)


@pytest.mark.parametrize("write", [write_hugging_face, write_tensorflow])
def test_a_missing_weight_is_named(tmp_path: Path, write: object) -> None:
    if write is write_hugging_face:
        weights = hugging_face_weights(CONFIG)
        del weights["bert.encoder.layer.1.output.dense.weight"]
        folder = write_hugging_face(tmp_path / "it", weights)
    else:
        weights = reference.random_weights(pretraining_shapes(CONFIG), seed=5)
        del weights["bert/encoder/layer_1/output/dense/kernel"]
        folder = write_tensorflow(tmp_path / "it", weights)
    with pytest.raises(StageError, match="has no weight bert/encoder/layer_1/output/dense/kernel") as error:
        read_checkpoint(folder)
    assert "import_checkpoint.source" in str(error.value)


def test_a_weight_of_another_shape_is_named(tmp_path: Path) -> None:
    weights = hugging_face_weights(CONFIG)
    weights["bert.embeddings.position_embeddings.weight"] = np.zeros((99, CONFIG.hidden_size), np.float32)
    with pytest.raises(StageError, match=r"position_embeddings is \(99, 16\), .*says \(16, 16\)"):
        read_checkpoint(write_hugging_face(tmp_path / "hf", weights))


def test_a_vocabulary_of_another_size_is_named(tmp_path: Path) -> None:
    folder = write_hugging_face(tmp_path / "hf", hugging_face_weights(CONFIG))
    write_vocab(folder / "vocab.txt", [*PIECES, "one more"])
    with pytest.raises(StageError, match=r"vocab\.txt: 41 pieces, but the model's vocab_size is 40"):
        read_checkpoint(folder)


def test_another_row_of_padding_is_refused(tmp_path: Path) -> None:
    folder = write_hugging_face(tmp_path / "hf", hugging_face_weights(CONFIG))
    values = json.loads((folder / "config.json").read_text()) | {"pad_token_id": 1}
    (folder / "config.json").write_text(json.dumps(values))
    with pytest.raises(StageError, match=r"pad_token_id is 1, but \[PAD\] is piece 0"):
        read_checkpoint(folder)


def test_layers_that_the_configuration_does_not_have_are_not_dropped_in_silence(tmp_path: Path) -> None:
    deeper = hugging_face_weights(CONFIG.model_copy(update={"num_hidden_layers": 3}))
    with pytest.raises(
        StageError, match=r"16 weights that a BERT of this configuration has not, such as bert/encoder/"
    ):
        read_checkpoint(write_hugging_face(tmp_path / "hf", deeper))


@pytest.mark.parametrize(
    "name", ["bert.encoder.layer.0.attention.self.distance_embedding.weight", "bert.embeddings.projection.kernel"]
)
def test_weights_inside_the_encoder_that_no_bert_has_are_refused_by_name(tmp_path: Path, name: str) -> None:
    theirs = hugging_face_weights(CONFIG) | {name: np.zeros((3, 8), np.float32)}
    with pytest.raises(StageError, match=name.split(".")[-2]):
        read_checkpoint(write_hugging_face(tmp_path / "hf", theirs))


def test_the_same_weight_by_two_names_is_refused(tmp_path: Path) -> None:
    theirs = hugging_face_weights(CONFIG)
    theirs["bert.embeddings.LayerNorm.gamma"] = theirs["bert.embeddings.LayerNorm.weight"] + 1
    with pytest.raises(StageError, match=r"bert\.embeddings\.LayerNorm\.\w+ is in it by another name too"):
        read_checkpoint(write_hugging_face(tmp_path / "hf", theirs))


def test_half_a_head_is_refused_and_none_is_not(tmp_path: Path) -> None:
    theirs = hugging_face_weights(CONFIG)
    del theirs["cls.predictions.transform.LayerNorm.bias"]
    with pytest.raises(StageError, match="has no weight cls/predictions/transform/LayerNorm/beta: 1 of the 5"):
        read_checkpoint(write_hugging_face(tmp_path / "half", theirs))
    three = np.zeros((3, CONFIG.hidden_size), np.float32)
    other = hugging_face_weights(CONFIG) | {"cls.seq_relationship.weight": three}
    with pytest.raises(StageError, match=r"cls/seq_relationship/output_weights is \(3, 16\), .* says \(2, 16\)"):
        read_checkpoint(write_hugging_face(tmp_path / "misshapen", other))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_not_finite_are_refused(tmp_path: Path, value: float) -> None:
    theirs = hugging_face_weights(CONFIG)
    theirs["bert.pooler.dense.bias"][3] = value
    with pytest.raises(StageError, match="bert/pooler/dense/bias has values that are not finite"):
        read_checkpoint(write_hugging_face(tmp_path / "hf", theirs))


def test_weights_that_are_no_floating_point_numbers_are_refused(tmp_path: Path) -> None:
    theirs: dict[str, np.ndarray] = dict(hugging_face_weights(CONFIG))
    name = "bert.encoder.layer.0.output.dense.weight"
    theirs[name] = theirs[name].astype(np.int8)
    with pytest.raises(StageError, match="layer_0/output/dense/kernel is int8, expected floating-point"):
        read_checkpoint(write_hugging_face(tmp_path / "hf", theirs))
