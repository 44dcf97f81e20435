"""bert/checkpoints/variables.py: TensorFlow's checkpoints, Google's by name and Keras' by object."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from bert.checkpoints.importers import read_checkpoint
from bert.model.parameters import encoder_shapes, pretraining_shapes
from bert.pipeline.errors import StageError
from tests.checkpoints.google import write_tensorflow
from tests.model import reference
from tests.training.tiny import CONFIG, write_vocab

H, HEADS = CONFIG.hidden_size, CONFIG.num_attention_heads
KINDS = (("token_type", "type"), ("position", "position"))
SELF = ("query", "key", "value")


def test_googles_checkpoint_loads_as_it_is_without_its_optimizer(tmp_path: Path) -> None:
    weights = reference.random_weights(pretraining_shapes(CONFIG), seed=5)
    slots = {f"{name}/adam_m": np.zeros_like(value) for name, value in weights.items()}
    model = read_checkpoint(write_tensorflow(tmp_path / "tf", weights | slots | {"global_step": np.array(7)}))
    assert model.config == CONFIG
    assert model.vocab.name == "vocab.txt"
    assert model.weights.keys() == weights.keys()
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
