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

from bert.checkpoints.folder import load_model, save_model
from bert.checkpoints.importers import read_checkpoint, translate
from bert.model.config import BertConfig
from bert.model.dropout import NoDropout
from bert.model.encoder import encode
from bert.model.parameters import encoder_shapes, pretraining_shapes
from bert.pipeline.errors import StageError
from tests.checkpoints.hugging_face import hugging_face_weights
from tests.model import reference
from tests.training.tiny import CONFIG, PIECES, make_batch, tensors, write_vocab

H, INNER, HEADS = CONFIG.hidden_size, CONFIG.intermediate_size, CONFIG.num_attention_heads
BATCH = make_batch(4)


def hugging_face_hidden(
    w: Mapping[str, np.ndarray], activation: reference.Activation = reference.gelu, epsilon: float = 1e-12
) -> np.ndarray:
    """The forward pass in that layout, float64: y = x W^T + b."""

    def linear(name: str, x: np.ndarray) -> np.ndarray:
        return x @ w[f"{name}.weight"].astype(np.float64).T + w[f"{name}.bias"]

    def normalise(name: str, x: np.ndarray) -> np.ndarray:
        x = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + epsilon)
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
        inner = activation(linear(f"{layer}.intermediate.dense", x))
        x = normalise(f"{layer}.output", x + linear(f"{layer}.output.dense", inner))
    return x


def write_hugging_face(folder: Path, weights: Mapping[str, np.ndarray], config: BertConfig = CONFIG) -> Path:
    folder.mkdir()
    save_file({name: np.ascontiguousarray(value) for name, value in weights.items()}, folder / "model.safetensors")
    values = config.model_dump() | {
        "architectures": ["BertForPreTraining"],
        "pad_token_id": 0,
        "hidden_act": "gelu_new",
    }
    (folder / "config.json").write_text(json.dumps(values))
    write_vocab(folder / "vocab.txt")
    return folder


def hidden_of(weights: Mapping[str, np.ndarray], config: BertConfig = CONFIG) -> np.ndarray:
    b = tensors(BATCH)
    hidden = encode(weights, config, b["input_ids"], b["input_mask"], b["segment_ids"], NoDropout(), tf.float32)
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


def test_google_and_hugging_face_beside_the_same_weights_are_told_apart(tmp_path: Path) -> None:
    # The word gelu means one function here and another there: the configuration counts that is of the weights' kind.
    folder = write_hugging_face(tmp_path / "hf", hugging_face_weights(CONFIG))
    values = json.loads((folder / "config.json").read_text()) | {"hidden_act": "gelu"}
    (folder / "config.json").write_text(json.dumps(values))
    (folder / "bert_config.json").write_text(CONFIG.text())
    assert read_checkpoint(folder).config.hidden_act == "gelu_erf"
    (folder / "config.json").unlink()
    assert read_checkpoint(folder).config.hidden_act == "gelu"


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


@pytest.mark.parametrize("prefix", ["module.", "model.", "module.model.", "_orig_mod.", "bert.", "0.auto_model.bert."])
def test_what_wraps_a_model_is_taken_off_its_names(tmp_path: Path, prefix: str) -> None:
    theirs = hugging_face_weights(CONFIG)
    wrapped = {prefix + name: value for name, value in theirs.items()}
    model = read_checkpoint(write_hugging_face(tmp_path / "hf", wrapped))
    expected = read_checkpoint(write_hugging_face(tmp_path / "plain", theirs))
    assert model.weights.keys() == expected.weights.keys() == pretraining_shapes(CONFIG).keys()
    for name, value in expected.weights.items():
        np.testing.assert_array_equal(model.weights[name], value, err_msg=name)


def test_a_bare_encoder_may_be_wrapped_too(tmp_path: Path) -> None:
    theirs = hugging_face_weights(CONFIG)
    bare = {f"module.{name.removeprefix('bert.')}": v for name, v in theirs.items() if name.startswith("bert.")}
    model = read_checkpoint(write_hugging_face(tmp_path / "hf", bare))
    assert model.weights.keys() == encoder_shapes(CONFIG).keys()


def test_a_scope_is_taken_off_googles_names(tmp_path: Path) -> None:
    weights = reference.random_weights(pretraining_shapes(CONFIG), seed=5)
    scoped = {f"replica/{name}": value for name, value in weights.items()} | {"global_step": np.array(7)}
    assert read_checkpoint(write_tensorflow(tmp_path / "tf", scoped)).weights.keys() == weights.keys()


def test_two_encoders_in_one_file_are_refused(tmp_path: Path) -> None:
    theirs = hugging_face_weights(CONFIG)
    both = {f"{side}_encoder.{name}": value for side in ("query", "context") for name, value in theirs.items()}
    with pytest.raises(StageError, match=r"expected one encoder, there are 2: 'context_encoder\.bert\.', 'query"):
        read_checkpoint(write_hugging_face(tmp_path / "hf", both))


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


def test_a_padded_embedding_is_taken_bit_for_bit(tmp_path: Path) -> None:
    padded = CONFIG.model_copy(update={"vocab_size": 48})
    theirs = hugging_face_weights(padded)
    folder = write_hugging_face(tmp_path / "hf", theirs, padded)
    model = read_checkpoint(folder)
    assert (model.config.vocab_size, model.described["pieces"], model.described["padded_pieces"]) == (48, 40, 8)
    words = model.weights["bert/embeddings/word_embeddings"]
    assert words.tobytes() == theirs["bert.embeddings.word_embeddings.weight"].tobytes()
    assert model.weights["cls/predictions/output_bias"].shape == (48,)


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


def test_what_is_left_out_is_counted(tmp_path: Path) -> None:
    theirs = hugging_face_weights(CONFIG)
    more: dict[str, np.ndarray] = {
        "bert.embeddings.position_ids": np.arange(16)[None],
        "classifier.weight": np.zeros((3, H), np.float32),
        "classifier.bias": np.zeros(3, np.float32),
        "qa_outputs.bias": np.zeros(2, np.float32),
    }
    model = read_checkpoint(write_hugging_face(tmp_path / "hf", theirs | more))
    assert model.described["dropped"] == dict.fromkeys(sorted(more), 1)
    weights = reference.random_weights(pretraining_shapes(CONFIG), seed=5)
    slots = {f"{name}/{slot}": value for name, value in weights.items() for slot in ("adam_m", "adam_v")}
    model = read_checkpoint(write_tensorflow(tmp_path / "tf", weights | slots | {"global_step": np.array(7)}))
    assert model.described["dropped"] == {"adam_m": len(weights), "adam_v": len(weights), "global_step": 1}


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
    other = hugging_face_weights(CONFIG) | {"cls.seq_relationship.weight": np.zeros((3, H), np.float32)}
    with pytest.raises(StageError, match=r"cls/seq_relationship/output_weights is \(3, 16\), .* says \(2, 16\)"):
        read_checkpoint(write_hugging_face(tmp_path / "misshapen", other))


def test_what_a_checkpoint_comes_without_is_said(tmp_path: Path) -> None:
    # As BertForMaskedLM is saved.
    theirs = {n: v for n, v in hugging_face_weights(CONFIG).items() if "pooler" not in n and "seq_rel" not in n}
    model = read_checkpoint(write_hugging_face(tmp_path / "hf", theirs))
    assert model.described["without"] == ["pooler", "next_sentence"]
    np.testing.assert_allclose(hidden_of(model.weights), hugging_face_hidden(theirs), rtol=0, atol=1e-5)
    whole = read_checkpoint(write_hugging_face(tmp_path / "whole", hugging_face_weights(CONFIG)))
    assert whole.described["without"] == []


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


def test_a_pointer_in_place_of_a_file_is_said_to_be_one(tmp_path: Path) -> None:
    folder = write_hugging_face(tmp_path / "hf", hugging_face_weights(CONFIG))
    (folder / "model.safetensors").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n")
    with pytest.raises(StageError, match="is a pointer of Git LFS"):
        read_checkpoint(folder)


def test_this_projects_own_folder_is_a_checkpoint_too(tmp_path: Path) -> None:
    weights = reference.random_weights(pretraining_shapes(CONFIG), seed=5)
    config = CONFIG.model_copy(update={"hidden_act": "gelu_erf", "layer_norm_eps": 1e-5})
    vocab = write_vocab(tmp_path / "vocab.txt")
    save_model(tmp_path / "model", config, weights, vocab, do_lower_case=False)
    model = read_checkpoint(tmp_path / "model")
    assert (model.config, model.do_lower_case) == (config, False)
    for name, value in weights.items():
        np.testing.assert_array_equal(model.weights[name], value, err_msg=name)


def keras_names(old: bool) -> dict[str, str]:
    """Google's name of each weight: that of Keras' BERT in tensorflow/models, by hand for the tiny model."""
    names = {"word_embeddings": "word_embeddings/embeddings"}
    if old:
        names |= {f"{kind}_embeddings": f"embedding_postprocessor/{short}_embeddings" for kind, short in KINDS}
    else:
        names |= {
            "token_type_embeddings": "type_embeddings/embeddings",
            "position_embeddings": "position_embedding/embeddings",
        }
    pairs = {f"bert/embeddings/{google}": keras for google, keras in names.items()}
    norm = "embedding_postprocessor" if old else "embeddings"
    layer = "encoder/layer_{n}" if old else "transformer/layer_{n}"
    attended = "self_attention_output" if old else "self_attention/attention_output"
    pairs |= {f"bert/embeddings/LayerNorm/{part}": f"{norm}/layer_norm/{part}" for part in ("gamma", "beta")}
    for n in range(CONFIG.num_hidden_layers):
        google, keras = f"bert/encoder/layer_{n}", layer.format(n=n)
        for part in ("kernel", "bias"):
            pairs |= {f"{google}/attention/self/{x}/{part}": f"{keras}/self_attention/{x}/{part}" for x in SELF}
            pairs[f"{google}/attention/output/dense/{part}"] = f"{keras}/{attended}/{part}"
            pairs[f"{google}/intermediate/dense/{part}"] = f"{keras}/intermediate/{part}"
            pairs[f"{google}/output/dense/{part}"] = f"{keras}/output/{part}"
        for part in ("gamma", "beta"):
            pairs[f"{google}/attention/output/LayerNorm/{part}"] = f"{keras}/self_attention_layer_norm/{part}"
            pairs[f"{google}/output/LayerNorm/{part}"] = f"{keras}/output_layer_norm/{part}"
    pairs |= {f"bert/pooler/dense/{part}": f"pooler_transform/{part}" for part in ("kernel", "bias")}
    return {google: f"bert_model/{keras}" if old else keras for google, keras in pairs.items()}


KINDS = (("token_type", "type"), ("position", "position"))
SELF = ("query", "key", "value")


def by_heads(name: str, value: np.ndarray) -> np.ndarray:
    """As Keras has attention's kernels: (H, N, D), and (N, D, H) of the output."""
    if "/self_attention/" in name and "output" not in name:
        return value.reshape(*value.shape[:-1], HEADS, H // HEADS)
    if name.endswith(("attention_output/kernel", "self_attention_output/kernel")):
        return value.reshape(HEADS, H // HEADS, H)
    return value


class Held(tf.Module):
    """Variables in a list, as an object checkpoint has them: their names are in its graph alone."""

    def __init__(self, values: Mapping[str, np.ndarray]) -> None:
        super().__init__()
        self.held = [tf.Variable(value, name=name) for name, value in values.items()]


def write_objects(folder: Path, values: Mapping[str, np.ndarray]) -> Path:
    folder.mkdir()
    tf.train.Checkpoint(model=Held(values)).write(str(folder / "bert_model.ckpt"))
    (folder / "bert_config.json").write_text(CONFIG.text())
    write_vocab(folder / "vocab.txt")
    return folder


@pytest.mark.parametrize("old", [True, False], ids=["bert_model", "transformer"])
def test_an_object_checkpoint_of_keras_is_read(tmp_path: Path, old: bool) -> None:
    weights = reference.random_weights(encoder_shapes(CONFIG), seed=5)
    names = keras_names(old)
    assert names.keys() == weights.keys()
    values = {names[google]: by_heads(names[google], value) for google, value in weights.items()}
    model = read_checkpoint(write_objects(tmp_path / "tf2", values | {"save_counter_of_mine": np.array(1)}))
    assert model.weights.keys() == weights.keys()
    for name, value in weights.items():
        np.testing.assert_array_equal(model.weights[name], value, err_msg=name)


def test_an_object_checkpoint_with_googles_names_is_read_and_any_other_is_said_to_be_one(tmp_path: Path) -> None:
    weights = reference.random_weights(pretraining_shapes(CONFIG), seed=5)
    assert read_checkpoint(write_objects(tmp_path / "ours", weights)).weights.keys() == weights.keys()
    other = {f"kernel_{n}": value for n, value in enumerate(weights.values())}
    with pytest.raises(StageError, match=r"a TensorFlow 2 object checkpoint whose \d+ variables .*kernel_0"):
        read_checkpoint(write_objects(tmp_path / "other", other))


CASED = [*PIECES[:-3], "Paris", "##Fi", "Ärger"]


@pytest.mark.parametrize(
    ("files", "pieces", "parameter", "expected"),
    [
        ({}, PIECES, None, (True, "the pieces")),
        ({}, CASED, None, (False, "the pieces")),
        ({"tokenizer_config.json": {"do_lower_case": False}}, PIECES, None, (False, "tokenizer_config.json")),
        ({"tokenizer_config.json": {"do_lower_case": False}}, CASED, None, (False, "tokenizer_config.json")),
        (
            {"tokenizer.json": {"normalizer": {"type": "BertNormalizer", "lowercase": False}}},
            PIECES,
            None,
            (False, "tokenizer.json"),
        ),
        ({"tokenizer_config.json": {"do_lower_case": True}}, PIECES, False, (False, "import_checkpoint.do_lower_case")),
        ({}, CASED, True, (True, "import_checkpoint.do_lower_case")),
    ],
)
def test_the_casing_is_what_the_files_say_or_the_pieces_or_the_parameter(
    tmp_path: Path, files: dict[str, object], pieces: list[str], parameter: bool | None, expected: tuple[bool, str]
) -> None:
    folder = write_hugging_face(tmp_path / "hf", hugging_face_weights(CONFIG))
    write_vocab(folder / "vocab.txt", pieces)
    for name, values in files.items():
        (folder / name).write_text(json.dumps(values))
    model = read_checkpoint(folder, do_lower_case=parameter)
    assert (model.described["do_lower_case"], model.described["do_lower_case_by"]) == expected
    assert model.do_lower_case is expected[0]


def test_a_casing_that_the_pieces_belie_is_kept_in_the_model_folder(tmp_path: Path) -> None:
    folder = write_hugging_face(tmp_path / "hf", hugging_face_weights(CONFIG))
    write_vocab(folder / "vocab.txt", CASED)
    model = read_checkpoint(folder, do_lower_case=True)
    save_model(tmp_path / "model", model.config, model.weights, model.vocab, model.do_lower_case)
    assert json.loads((tmp_path / "model/tokenizer_config.json").read_text()) == {"do_lower_case": True}
    assert load_model(tmp_path / "model", "dvc repro import_checkpoint").do_lower_case


def test_a_vocabulary_that_belies_its_files_is_refused(tmp_path: Path) -> None:
    folder = write_hugging_face(tmp_path / "hf", hugging_face_weights(CONFIG))
    write_vocab(folder / "vocab.txt", CASED)
    (folder / "tokenizer_config.json").write_text(json.dumps({"do_lower_case": True}))
    with pytest.raises(StageError, match=r"3 of 40 pieces have capitals .* such as Paris .*says do_lower_case: true"):
        read_checkpoint(folder)


def test_another_row_of_padding_is_refused(tmp_path: Path) -> None:
    folder = write_hugging_face(tmp_path / "hf", hugging_face_weights(CONFIG))
    values = json.loads((folder / "config.json").read_text()) | {"pad_token_id": 1}
    (folder / "config.json").write_text(json.dumps(values))
    with pytest.raises(StageError, match=r"pad_token_id is 1, but \[PAD\] is piece 0"):
        read_checkpoint(folder)


def test_of_several_checkpoints_the_named_one_is_read(tmp_path: Path) -> None:
    folder = write_tensorflow(tmp_path / "tf", reference.random_weights(pretraining_shapes(CONFIG), seed=1))
    newest = reference.random_weights(pretraining_shapes(CONFIG), seed=2)
    for path in write_tensorflow(tmp_path / "other", newest).glob("bert_model.ckpt*"):
        path.rename(folder / path.name.replace("bert_model.ckpt", "model.ckpt-2000"))
    with pytest.raises(StageError, match=r"there are 2: bert_model\.ckpt, model\.ckpt-2000"):
        read_checkpoint(folder)
    (folder / "checkpoint").write_text('model_checkpoint_path: "model.ckpt-2000"\n')
    word = "bert/embeddings/word_embeddings"
    np.testing.assert_array_equal(read_checkpoint(folder).weights[word], newest[word])
    assert not np.array_equal(read_checkpoint(folder, weights="bert_model.ckpt").weights[word], newest[word])
