"""Tests for bert/checkpoints/folder.py."""

from __future__ import annotations

import json
import os
import shutil
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest

from bert.checkpoints.folder import check_vocab, load_model, save_model
from bert.model.parameters import pretraining_shapes
from bert.pipeline import manifest
from bert.pipeline.errors import StageError
from bert.tokens.vocabulary import Vocabulary
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


@pytest.mark.parametrize("umask", [0o022, 0o027])
def test_all_files_of_a_model_may_be_read_by_whom_the_umask_allows(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        save(tmp_path / "model")
        save(tmp_path / "model")  # over those of an earlier run
    finally:
        os.umask(before)
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "model").iterdir()}
    assert modes == dict.fromkeys(modes, 0o666 & ~umask)


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
    write_vocab(folder / "vocab.txt", [*PIECES, "one more"])
    listed_again(folder)
    with pytest.raises(StageError, match=r"model/vocab\.txt: 41 pieces, .*vocab_size is 40(.|\n)*next: dvc repro"):
        load_model(folder, MADE_BY)


@pytest.mark.parametrize(
    ("pieces", "rows", "fits"),
    [
        (30522, 30522, True),
        (30522, 30528, True),  # of 8, as NVIDIA's
        (30522, 30592, True),  # of 128
        (28996, 29056, True),
        (30522, 32768, True),
        (30522, 30521, False),
        (28996, 30522, False),  # BERT's cased vocabulary with its uncased model
    ],
)
def test_an_embedding_may_be_padded_but_is_not_another_vocabularys(pieces: int, rows: int, fits: bool) -> None:
    config = CONFIG.model_copy(update={"vocab_size": rows})
    vocabulary = Vocabulary(tuple(map(str, range(pieces))), "")
    with nullcontext() if fits else pytest.raises(StageError, match=f"{pieces} pieces, .* vocab_size is {rows}"):
        check_vocab(config, vocabulary, Path("vocab.txt"), MADE_BY)


def test_padded_rows_read_back_bit_for_bit(tmp_path: Path) -> None:
    config = CONFIG.model_copy(update={"vocab_size": 48})
    weights = random_weights(pretraining_shapes(config), seed=3)
    save_model(tmp_path / "model", config, weights, write_vocab(tmp_path / "vocab.txt"))
    model = load_model(tmp_path / "model", MADE_BY)
    assert model.config.vocab_size == 48
    for name, value in weights.items():
        assert model.weights[name].tobytes() == value.tobytes(), name


def test_a_cased_model_says_so_in_its_folder_and_another_has_no_file_for_it(tmp_path: Path) -> None:
    vocab = write_vocab(tmp_path / "vocab.txt")
    save_model(tmp_path / "cased", CONFIG, WEIGHTS, vocab, do_lower_case=False)
    assert json.loads((tmp_path / "cased/tokenizer_config.json").read_text()) == {"do_lower_case": False}
    assert not load_model(tmp_path / "cased", MADE_BY).do_lower_case
    assert load_model(save(tmp_path / "uncased"), MADE_BY).do_lower_case
    for name in ("cased", "uncased"):
        assert load_model(tmp_path / name, MADE_BY).tokenizer().do_lower_case is (name == "uncased")
    # Whoever saves a model with another's vocabulary has its casing with it.
    save_model(tmp_path / "again", CONFIG, WEIGHTS, tmp_path / "cased/vocab.txt")
    assert not load_model(tmp_path / "again", MADE_BY).do_lower_case
    # Changed by hand, or lost: as any other file of the folder.
    (tmp_path / "again/tokenizer_config.json").write_text('{\n  "do_lower_case": true \n}\n')
    with pytest.raises(StageError, match=r"tokenizer_config\.json: not what its manifest lists"):
        load_model(tmp_path / "again", MADE_BY)
    (tmp_path / "again/tokenizer_config.json").unlink()
    with pytest.raises(StageError, match=r"tokenizer_config\.json: listed in .* but missing"):
        load_model(tmp_path / "again", MADE_BY)


def test_a_model_may_lack_its_pooler_but_not_half_of_it(tmp_path: Path) -> None:
    without = {name: value for name, value in WEIGHTS.items() if not name.startswith("bert/pooler/")}
    assert load_model(save(tmp_path / "model", without), MADE_BY).weights.keys() == without.keys()
    half = without | {"bert/pooler/dense/kernel": WEIGHTS["bert/pooler/dense/kernel"]}
    with pytest.raises(StageError, match="has no weight bert/pooler/dense/bias: 1 of the 39"):
        load_model(save(tmp_path / "half", half), MADE_BY)


def test_what_is_there_is_named_where_weights_are_missing(tmp_path: Path) -> None:
    folder = save(tmp_path / "model", {"linear/kernel": np.zeros((2, 2), np.float32)})
    with pytest.raises(StageError, match=r"37 of the 37 that are expected are missing; it holds 1: linear/kernel"):
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
