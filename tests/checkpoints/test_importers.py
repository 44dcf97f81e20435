"""bert/checkpoints/importers.py: whose checkpoint it is, and what of it is taken, left out and said."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from bert.checkpoints.folder import save_model
from bert.checkpoints.importers import read_checkpoint
from bert.model.parameters import pretraining_shapes
from bert.pipeline.errors import StageError
from tests.checkpoints.forward import hidden_of, hugging_face_hidden
from tests.checkpoints.google import write_tensorflow
from tests.checkpoints.hugging_face import hugging_face_weights, write_hugging_face
from tests.model import reference
from tests.training.tiny import CONFIG, write_vocab


def test_google_and_hugging_face_beside_the_same_weights_are_told_apart(tmp_path: Path) -> None:
    # The word gelu means one function here and another there: the configuration counts that is of the weights' kind.
    folder = write_hugging_face(tmp_path / "hf", hugging_face_weights(CONFIG))
    values = json.loads((folder / "config.json").read_text()) | {"hidden_act": "gelu"}
    (folder / "config.json").write_text(json.dumps(values))
    (folder / "bert_config.json").write_text(CONFIG.text())
    assert read_checkpoint(folder).config.hidden_act == "gelu_erf"
    (folder / "config.json").unlink()
    assert read_checkpoint(folder).config.hidden_act == "gelu"


def test_this_projects_own_folder_is_a_checkpoint_too(tmp_path: Path) -> None:
    weights = reference.random_weights(pretraining_shapes(CONFIG), seed=5)
    config = CONFIG.model_copy(update={"hidden_act": "gelu_erf", "layer_norm_eps": 1e-5})
    vocab = write_vocab(tmp_path / "vocab.txt")
    save_model(tmp_path / "model", config, weights, vocab, do_lower_case=False)
    model = read_checkpoint(tmp_path / "model")
    assert (model.config, model.do_lower_case) == (config, False)
    for name, value in weights.items():
        np.testing.assert_array_equal(model.weights[name], value, err_msg=name)


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


def test_a_checkpoint_may_lie_in_a_folder_of_its_archive(tmp_path: Path) -> None:
    weights = reference.random_weights(pretraining_shapes(CONFIG), seed=5)
    write_tensorflow(tmp_path / "uncased_L-2_H-16_A-2", weights)
    assert read_checkpoint(tmp_path).weights.keys() == weights.keys()


def test_a_padded_embedding_is_taken_bit_for_bit(tmp_path: Path) -> None:
    padded = CONFIG.model_copy(update={"vocab_size": 48})
    theirs = hugging_face_weights(padded)
    folder = write_hugging_face(tmp_path / "hf", theirs, padded)
    model = read_checkpoint(folder)
    assert (model.config.vocab_size, model.described["pieces"], model.described["padded_pieces"]) == (48, 40, 8)
    words = model.weights["bert/embeddings/word_embeddings"]
    assert words.tobytes() == theirs["bert.embeddings.word_embeddings.weight"].tobytes()
    assert model.weights["cls/predictions/output_bias"].shape == (48,)


def test_what_is_left_out_is_counted(tmp_path: Path) -> None:
    theirs = hugging_face_weights(CONFIG)
    more: dict[str, np.ndarray] = {
        "bert.embeddings.position_ids": np.arange(16)[None],
        "classifier.weight": np.zeros((3, CONFIG.hidden_size), np.float32),
        "classifier.bias": np.zeros(3, np.float32),
        "qa_outputs.bias": np.zeros(2, np.float32),
    }
    model = read_checkpoint(write_hugging_face(tmp_path / "hf", theirs | more))
    assert model.described["dropped"] == dict.fromkeys(sorted(more), 1)
    weights = reference.random_weights(pretraining_shapes(CONFIG), seed=5)
    slots = {f"{name}/{slot}": value for name, value in weights.items() for slot in ("adam_m", "adam_v")}
    model = read_checkpoint(write_tensorflow(tmp_path / "tf", weights | slots | {"global_step": np.array(7)}))
    assert model.described["dropped"] == {"adam_m": len(weights), "adam_v": len(weights), "global_step": 1}


def test_what_a_checkpoint_comes_without_is_said(tmp_path: Path) -> None:
    # As BertForMaskedLM is saved.
    theirs = {n: v for n, v in hugging_face_weights(CONFIG).items() if "pooler" not in n and "seq_rel" not in n}
    model = read_checkpoint(write_hugging_face(tmp_path / "hf", theirs))
    assert model.described["without"] == ["pooler", "next_sentence"]
    np.testing.assert_allclose(hidden_of(model.weights), hugging_face_hidden(theirs), rtol=0, atol=1e-5)
    whole = read_checkpoint(write_hugging_face(tmp_path / "whole", hugging_face_weights(CONFIG)))
    assert whole.described["without"] == []
