"""Tests for bert/checkpoints/folder.py."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from bert.checkpoints.folder import load_model, save_model
from bert.model.parameters import pretraining_shapes
from bert.pipeline import manifest
from bert.pipeline.errors import StageError
from tests.model.reference import random_weights
from tests.training.tiny import CONFIG, PIECES, write_vocab

WEIGHTS = random_weights(pretraining_shapes(CONFIG), seed=1)
MADE_BY = "dvc repro pretrain_phase1"


def save(folder: Path, weights: dict[str, np.ndarray] = WEIGHTS) -> Path:
    save_model(folder, CONFIG, weights, write_vocab(folder.parent / "vocab.txt"))
    return folder


def listed_again(folder: Path) -> None:
    """The manifest of what the folder holds now: damage that sizes do not show."""
    names = [entry["path"] for entry in json.loads((folder / manifest.NAME).read_text())["files"]]
    manifest.write(folder, [{"path": name} for name in names])


def test_a_model_reads_back_bit_for_bit_with_its_vocabulary(tmp_path: Path) -> None:
    model = load_model(save(tmp_path / "model"), MADE_BY)
    assert model.config == CONFIG
    assert model.vocab.read_bytes() == (tmp_path / "vocab.txt").read_bytes()
    assert model.weights.keys() == WEIGHTS.keys()
    for name, value in WEIGHTS.items():
        assert model.weights[name].dtype == np.float32
        assert model.weights[name].tobytes() == value.tobytes(), name


def test_the_same_weights_give_the_same_bytes_whatever_their_order(tmp_path: Path) -> None:
    first = save(tmp_path / "first")
    backwards = {name: np.asfortranarray(WEIGHTS[name]) for name in reversed(WEIGHTS)}
    second = save(tmp_path / "second", backwards)
    assert sorted(p.name for p in first.iterdir()) == [
        "bert_config.json",
        "manifest.json",
        "vocab.txt",
        "weights.safetensors",
    ]
    for path in first.iterdir():
        assert path.read_bytes() == (second / path.name).read_bytes(), path.name


def test_saving_again_leaves_an_earlier_models_hard_links_alone(tmp_path: Path) -> None:
    # The stage publishes hard links, and DVC may link its cache to them: writing into the file would change both.
    folder, published = save(tmp_path / "model"), tmp_path / "published"
    shutil.copytree(folder, published, copy_function=os.link)
    before = {path.name: path.read_bytes() for path in published.iterdir()}
    other_vocab = write_vocab(tmp_path / "other.txt", [*PIECES[:-1], "another"])
    save_model(folder, CONFIG, random_weights(pretraining_shapes(CONFIG), seed=2), other_vocab)
    for name, data in before.items():
        assert (published / name).read_bytes() == data, name
    assert (folder / "weights.safetensors").read_bytes() != before["weights.safetensors"]


def test_a_vocabulary_of_another_size_is_named(tmp_path: Path) -> None:
    folder = save(tmp_path / "model")
    write_vocab(folder / "vocab.txt", PIECES[:-1])
    listed_again(folder)
    with pytest.raises(StageError, match=r"model/vocab\.txt: 39 pieces, .*vocab_size is 40(.|\n)*next: dvc repro"):
        load_model(folder, MADE_BY)


def test_weights_cut_short_are_named(tmp_path: Path) -> None:
    path = save(tmp_path / "model") / "weights.safetensors"
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(StageError, match=r"weights\.safetensors: .* bytes, expected .*truncated") as error:
        load_model(path.parent, MADE_BY)
    assert error.value.run == MADE_BY
    listed_again(path.parent)
    with pytest.raises(StageError, match=r"weights\.safetensors: cannot be read"):
        load_model(path.parent, MADE_BY)


def test_one_changed_bit_is_found(tmp_path: Path) -> None:
    path = save(tmp_path / "model") / "weights.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(StageError, match=r"weights\.safetensors: not what its manifest lists"):
        load_model(path.parent, MADE_BY)


def test_a_missing_encoder_weight_is_an_error_and_not_initialised_in_silence(tmp_path: Path) -> None:
    name = "bert/encoder/layer_1/output/dense/kernel"
    folder = save(tmp_path / "model", {n: w for n, w in WEIGHTS.items() if n != name})
    with pytest.raises(StageError, match=rf"weights\.safetensors: has no weight {name}"):
        load_model(folder, MADE_BY)


def test_an_encoder_weight_of_another_shape_is_an_error(tmp_path: Path) -> None:
    name = "bert/embeddings/position_embeddings"
    folder = save(tmp_path / "model", WEIGHTS | {name: WEIGHTS[name][:-1]})
    with pytest.raises(StageError, match=rf"{name} is \(15, 16\), the configuration says \(16, 16\)"):
        load_model(folder, MADE_BY)


def test_a_model_may_lack_the_pretraining_heads(tmp_path: Path) -> None:
    encoder = {name: value for name, value in WEIGHTS.items() if name.startswith("bert/")}
    assert load_model(save(tmp_path / "model", encoder), MADE_BY).weights.keys() == encoder.keys()


@pytest.mark.parametrize("name", ["weights.safetensors", "bert_config.json", "vocab.txt", "manifest.json"])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    folder = save(tmp_path / "model")
    (folder / name).unlink()
    with pytest.raises(StageError, match=name.replace(".", r"\.")) as error:
        load_model(folder, MADE_BY)
    assert error.value.run == MADE_BY


def test_a_source_that_is_not_configured_says_what_to_set(tmp_path: Path) -> None:
    (tmp_path / "imported").mkdir()
    manifest.write_unconfigured(tmp_path / "imported")
    with pytest.raises(StageError, match=r"imported is empty(.|\n)*set import_checkpoint\.source"):
        load_model(tmp_path / "imported", "dvc repro import_checkpoint")
