"""Tests for bert/checkpoints/importers.py, on checkpoints made here in other people's layouts."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from safetensors.numpy import save_file

from bert.checkpoints.importers import read_checkpoint, translate
from bert.model.dropout import NoDropout
from bert.model.encoder import encode
from bert.model.parameters import encoder_shapes, pretraining_shapes
from bert.pipeline.errors import StageError
from tests.checkpoints.hugging_face import hugging_face_weights
from tests.model import reference
from tests.training.tiny import CONFIG, PIECES, make_batch, tensors, write_vocab

H, INNER, HEADS = CONFIG.hidden_size, CONFIG.intermediate_size, CONFIG.num_attention_heads
BATCH = make_batch(4)


def hugging_face_hidden(w: Mapping[str, np.ndarray]) -> np.ndarray:
    """The forward pass in that layout, float64: y = x W^T + b."""

    def linear(name: str, x: np.ndarray) -> np.ndarray:
        return x @ w[f"{name}.weight"].astype(np.float64).T + w[f"{name}.bias"]

    def normalise(name: str, x: np.ndarray) -> np.ndarray:
        x = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-12)
        return x * w[f"{name}.LayerNorm.weight"] + w[f"{name}.LayerNorm.bias"]

    ids, mask, kinds = BATCH["input_ids"], BATCH["input_mask"], BATCH["segment_ids"]
    rows, length = ids.shape
    embeddings = "bert.embeddings"
    x = w[f"{embeddings}.word_embeddings.weight"][ids].astype(np.float64)
    x = (
        x
        + w[f"{embeddings}.position_embeddings.weight"][:length]
        + w[f"{embeddings}.token_type_embeddings.weight"][kinds]
    )
    x = normalise(embeddings, x)
    for n in range(CONFIG.num_hidden_layers):
        layer = f"bert.encoder.layer.{n}"
        q, k, v = (
            linear(f"{layer}.attention.self.{part}", x).reshape(rows, length, HEADS, -1).transpose(0, 2, 1, 3)
            for part in ("query", "key", "value")
        )
        scores = q @ k.swapaxes(-1, -2) / np.sqrt(H // HEADS)
        scores = np.where(mask[:, None, None, :] == 1, scores, -np.inf)
        context = np.exp(reference.log_softmax(scores)) @ v
        context = context.transpose(0, 2, 1, 3).reshape(rows, length, H)
        x = normalise(f"{layer}.attention.output", x + linear(f"{layer}.attention.output.dense", context))
        inner = reference.gelu(linear(f"{layer}.intermediate.dense", x))
        x = normalise(f"{layer}.output", x + linear(f"{layer}.output.dense", inner))
    return x


def write_hugging_face(folder: Path, weights: Mapping[str, np.ndarray]) -> Path:
    folder.mkdir()
    save_file({name: np.ascontiguousarray(value) for name, value in weights.items()}, folder / "model.safetensors")
    values = CONFIG.model_dump() | {"architectures": ["BertForPreTraining"], "pad_token_id": 0, "hidden_act": "gelu_new"}
    (folder / "config.json").write_text(json.dumps(values))
    write_vocab(folder / "vocab.txt")
    return folder


def hidden_of(weights: Mapping[str, np.ndarray]) -> np.ndarray:
    b = tensors(BATCH)
    hidden = encode(weights, CONFIG, b["input_ids"], b["input_mask"], b["segment_ids"], NoDropout(), tf.float32)
    return np.asarray(hidden)


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


def write_tensorflow(folder: Path, weights: Mapping[str, np.ndarray]) -> Path:
    """As Google published theirs: bert_model.ckpt.index and .data, bert_config.json, vocab.txt."""
    folder.mkdir()
    tf.raw_ops.SaveV2(
        prefix=str(folder / "bert_model.ckpt"),
        tensor_names=list(weights),
        shape_and_slices=[""] * len(weights),
        tensors=[tf.constant(value) for value in weights.values()],
    )
    (folder / "bert_config.json").write_text(json.dumps(CONFIG.model_dump()))
    write_vocab(folder / "vocab.txt")
    return folder


def test_googles_checkpoint_loads_as_it_is_without_its_optimizer(tmp_path: Path) -> None:
    weights = reference.random_weights(pretraining_shapes(CONFIG), seed=5)
    slots = {f"{name}/adam_m": np.zeros_like(value) for name, value in weights.items()}
    model = read_checkpoint(write_tensorflow(tmp_path / "tf", weights | slots | {"global_step": np.array(7)}))
    assert model.config == CONFIG
    assert model.vocab.name == "vocab.txt"
    assert model.weights.keys() == weights.keys()
    for name, value in weights.items():
        np.testing.assert_array_equal(model.weights[name], value, err_msg=name)


def test_a_checkpoint_may_lie_in_a_folder_of_its_archive(tmp_path: Path) -> None:
    weights = reference.random_weights(pretraining_shapes(CONFIG), seed=5)
    write_tensorflow(tmp_path / "uncased_L-2_H-16_A-2", weights)
    assert read_checkpoint(tmp_path).weights.keys() == weights.keys()


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
    weights["bert.embeddings.position_embeddings.weight"] = np.zeros((99, H), np.float32)
    with pytest.raises(StageError, match=r"position_embeddings is \(99, 16\), .*says \(16, 16\)"):
        read_checkpoint(write_hugging_face(tmp_path / "hf", weights))


def test_a_vocabulary_of_another_size_is_named(tmp_path: Path) -> None:
    folder = write_hugging_face(tmp_path / "hf", hugging_face_weights(CONFIG))
    write_vocab(folder / "vocab.txt", [*PIECES, "one more"])
    with pytest.raises(StageError, match=r"vocab\.txt: 41 pieces, but the model's vocab_size is 40"):
        read_checkpoint(folder)


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "vocab.txt"])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    folder = write_hugging_face(tmp_path / "hf", hugging_face_weights(CONFIG))
    (folder / name).unlink()
    with pytest.raises(StageError, match=r"no .* among the checkpoint's files"):
        read_checkpoint(folder)


@pytest.mark.parametrize("text", ["{", "[]", json.dumps({"model_type": "gpt2", "n_layer": 2})])
def test_a_configuration_that_is_none_of_a_bert_is_named(tmp_path: Path, text: str) -> None:
    folder = write_hugging_face(tmp_path / "hf", hugging_face_weights(CONFIG))
    (folder / "config.json").write_text(text)
    with pytest.raises(StageError, match=r"config\.json: "):
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
