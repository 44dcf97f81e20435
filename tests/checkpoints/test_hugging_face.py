"""Checkpoints of Hugging Face's transformers compute here what they compute there."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from bert.checkpoints.importers import read_checkpoint, translate
from bert.model.parameters import encoder_shapes, pretraining_shapes
from bert.pipeline.errors import StageError
from tests.checkpoints.forward import hidden_of, hugging_face_hidden
from tests.checkpoints.hugging_face import hugging_face_weights, write_hugging_face
from tests.model import reference
from tests.training.tiny import CONFIG


def test_a_hugging_face_model_computes_here_what_it_computes_there(tmp_path: Path) -> None:
    theirs = hugging_face_weights(CONFIG)
    model = read_checkpoint(write_hugging_face(tmp_path / "hf", theirs))
    assert model.config == CONFIG
    np.testing.assert_allclose(hidden_of(model.weights), hugging_face_hidden(theirs), rtol=0, atol=1e-5)
    # The heads too, each to its place.
    assert model.weights.keys() == pretraining_shapes(CONFIG).keys()
    kernel = model.weights["cls/predictions/transform/dense/kernel"]
    np.testing.assert_array_equal(kernel, theirs["cls.predictions.transform.dense.weight"].T)
    np.testing.assert_array_equal(
        model.weights["cls/seq_relationship/output_weights"], theirs["cls.seq_relationship.weight"]
    )
    np.testing.assert_array_equal(model.weights["cls/predictions/output_bias"], theirs["cls.predictions.bias"])


def test_older_names_and_a_missing_prefix_are_understood(tmp_path: Path) -> None:
    theirs = hugging_face_weights(CONFIG)
    old = {
        name.removeprefix("bert.")
        .replace("LayerNorm.weight", "LayerNorm.gamma")
        .replace("LayerNorm.bias", "LayerNorm.beta"): value
        for name, value in theirs.items()
        if name.startswith("bert.")
    }
    model = read_checkpoint(write_hugging_face(tmp_path / "hf", old))
    assert model.weights.keys() == encoder_shapes(CONFIG).keys()
    np.testing.assert_allclose(hidden_of(model.weights), hugging_face_hidden(theirs), rtol=0, atol=1e-5)


def test_what_bert_does_not_have_is_left_out() -> None:
    assert translate("bert.embeddings.position_ids") is None
    assert translate("classifier.weight") is None
    assert translate("cls.predictions.decoder.weight") is None  # the word embeddings once more


def test_half_precision_files_become_float32(tmp_path: Path) -> None:
    theirs = hugging_face_weights(CONFIG)
    halves = {name: value.astype(np.float16) for name, value in theirs.items()}
    model = read_checkpoint(write_hugging_face(tmp_path / "hf", halves))
    assert {value.dtype for value in model.weights.values()} == {np.dtype(np.float32)}
    expected = {name: value.astype(np.float32) for name, value in halves.items()}
    np.testing.assert_allclose(hidden_of(model.weights), hugging_face_hidden(expected), rtol=0, atol=1e-5)


def test_bfloat16_files_become_float32(tmp_path: Path) -> None:
    # NumPy has no bfloat16, so the file is written by hand: a header of JSON and the upper halves of float32 numbers.
    theirs = hugging_face_weights(CONFIG)
    folder = write_hugging_face(tmp_path / "hf", theirs)
    header, data = {}, b""
    for name, value in theirs.items():
        upper = (value.view(np.uint32) >> 16).astype(np.uint16).tobytes()
        header[name] = {"dtype": "BF16", "shape": value.shape, "data_offsets": [len(data), len(data) + len(upper)]}
        data += upper
    encoded = json.dumps(header).encode()
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(encoded)) + encoded + data)
    expected = {name: ((v.view(np.uint32) >> 16) << 16).view(np.float32) for name, v in theirs.items()}
    model = read_checkpoint(folder)
    np.testing.assert_allclose(hidden_of(model.weights), hugging_face_hidden(expected), rtol=0, atol=1e-5)


@pytest.mark.parametrize("change", [{"hidden_act": "gelu"}, {"hidden_act": "relu"}, {"layer_norm_eps": 0.05}], ids=str)
def test_the_activation_and_the_epsilon_of_a_hugging_face_model_are_computed(
    tmp_path: Path, change: dict[str, object]
) -> None:
    theirs = hugging_face_weights(CONFIG)
    folder = write_hugging_face(tmp_path / "hf", theirs)
    values = json.loads((folder / "config.json").read_text()) | change
    (folder / "config.json").write_text(json.dumps(values))
    model = read_checkpoint(folder)
    activation = {"gelu": reference.gelu_erf, "relu": reference.relu}.get(str(change.get("hidden_act")), reference.gelu)
    expected = hugging_face_hidden(theirs, activation, float(str(change.get("layer_norm_eps", 1e-12))))
    np.testing.assert_allclose(hidden_of(model.weights, model.config), expected, rtol=0, atol=1e-5)


def test_shards_are_read_as_one(tmp_path: Path) -> None:
    theirs = hugging_face_weights(CONFIG)
    folder = write_hugging_face(tmp_path / "hf", theirs)
    expected = read_checkpoint(folder).weights
    (folder / "model.safetensors").unlink()
    names = sorted(theirs)
    shards = {"model-00001-of-00002.safetensors": names[:20], "model-00002-of-00002.safetensors": names[20:]}
    for shard, held in shards.items():
        save_file({name: np.ascontiguousarray(theirs[name]) for name in held}, folder / shard)
    found = {name: shard for shard, held in shards.items() for name in held}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": found}))
    model = read_checkpoint(folder)
    assert model.weights.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_array_equal(model.weights[name], value, err_msg=name)
    save_file({name: theirs[name] for name in names[19:]}, folder / "model-00002-of-00002.safetensors")
    with pytest.raises(StageError, match=rf"{names[19]} is in another shard too"):
        read_checkpoint(folder)


def test_the_masked_lm_output_is_tied_or_refused(tmp_path: Path) -> None:
    theirs = hugging_face_weights(CONFIG)
    words = theirs["bert.embeddings.word_embeddings.weight"]
    bias = theirs.pop("cls.predictions.bias")
    again = theirs | {"cls.predictions.decoder.weight": words.copy(), "cls.predictions.decoder.bias": bias}
    model = read_checkpoint(write_hugging_face(tmp_path / "hf", again))
    np.testing.assert_array_equal(model.weights["cls/predictions/output_bias"], bias)
    assert model.described["dropped"] == {"cls.predictions.decoder.weight": 1}
    untied = again | {"cls.predictions.decoder.weight": words + 1}
    with pytest.raises(StageError, match=r"cls\.predictions\.decoder\.weight is not bert\.embeddings"):
        read_checkpoint(write_hugging_face(tmp_path / "untied", untied))
