"""Tests for bert/checkpoints/choice.py, on files without contents."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bert.checkpoints.choice import beside, choose_weights
from bert.pipeline.errors import StageError


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def tensorflow(*steps: int, stem: str = "model.ckpt-") -> list[str]:
    return [f"{stem}{n}{ending}" for n in steps for ending in (".index", ".data-00000-of-00001", ".meta")]


def name_newest(folder: Path, path: str) -> None:
    lines = f'model_checkpoint_path: "{path}"\nall_model_checkpoint_paths: "model.ckpt-0"\n'
    (folder / "checkpoint").write_text(lines)


@pytest.mark.parametrize("path", ["model.ckpt-900", "/raid/results/model.ckpt-900", r"C:\results\model.ckpt-900"])
def test_of_several_the_one_counts_that_tensorflows_file_names(tmp_path: Path, path: str) -> None:
    touch(tmp_path, *tensorflow(0, 900, 1000, 2000))
    name_newest(tmp_path, path)
    chosen = choose_weights(tmp_path)
    assert (chosen.name, chosen.path.name, chosen.is_tensorflow) == ("model.ckpt-900", "model.ckpt-900.index", True)


def test_it_may_name_a_path_below_it(tmp_path: Path) -> None:
    touch(tmp_path, *tensorflow(1, 2), *tensorflow(1, 2, stem="best/model.ckpt-"))
    name_newest(tmp_path, "best/model.ckpt-1")
    assert choose_weights(tmp_path).name == "best/model.ckpt-1"


def test_several_that_nothing_tells_apart_are_listed(tmp_path: Path) -> None:
    touch(tmp_path, *tensorflow(0, 1000))
    with pytest.raises(StageError, match=r"there are 2: model\.ckpt-0, model\.ckpt-1000") as error:
        choose_weights(tmp_path)
    assert error.value.run is not None and "set import_checkpoint.weights" in error.value.run


def test_a_name_that_is_not_there_is_not_replaced_by_another(tmp_path: Path) -> None:
    touch(tmp_path, *tensorflow(0))
    name_newest(tmp_path, "model.ckpt-2000")
    with pytest.raises(StageError, match=r"checkpoint: names model\.ckpt-2000, which is not there; there are model"):
        choose_weights(tmp_path)


@pytest.mark.parametrize(
    "names",
    [
        ["model.safetensors", *tensorflow(5)],
        ["model.safetensors", "checkpoint-500/model.safetensors"],
        ["model.safetensors", "adapter_model.safetensors"],
        ["a-00001-of-00001.safetensors", "b-00001-of-00001.safetensors"],
        ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors", "model.ckpt.index"],
    ],
)
def test_kinds_and_folders_are_no_order_of_preference(tmp_path: Path, names: list[str]) -> None:
    touch(tmp_path, *names)
    with pytest.raises(StageError, match="expected one checkpoint, there are 2: "):
        choose_weights(tmp_path)


@pytest.mark.parametrize("wanted", ["model.ckpt-0", "model.ckpt-0.index", "model.safetensors", "model"])
def test_a_parameter_says_which(tmp_path: Path, wanted: str) -> None:
    touch(tmp_path, *tensorflow(0, 7), "model.safetensors")
    name_newest(tmp_path, "model.ckpt-7")
    expected = "model.safetensors" if wanted == "model" else wanted.removesuffix(".index")
    assert choose_weights(tmp_path, wanted).name == expected
    with pytest.raises(
        StageError, match=r"weights is 'model\.ckpt', expected one of: model\.safetensors, model\.ckpt-0"
    ):
        choose_weights(tmp_path, "model.ckpt")


def test_shards_are_one_checkpoint(tmp_path: Path) -> None:
    names = [f"model-0000{n}-of-00003.safetensors" for n in (1, 2, 3)]
    touch(tmp_path, *names)
    by_name = choose_weights(tmp_path)
    assert (by_name.name, [file.name for file in by_name.files]) == ("model.safetensors", names)
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"a": names[2], "b": names[0], "c": names[0], "d": names[1]}}))
    by_index = choose_weights(tmp_path)
    assert (by_index.name, [file.name for file in by_index.files]) == (index.name, names)
    (tmp_path / names[1]).unlink()
    with pytest.raises(StageError, match=r"index\.json: lists model-00002-of-00003\.safetensors, which the files lack"):
        choose_weights(tmp_path)
    index.unlink()
    with pytest.raises(StageError, match=r"in 3 shards, of which model-00002-of-00003\.safetensors is not there"):
        choose_weights(tmp_path)
    index.write_text("{}")
    with pytest.raises(StageError, match=r"index\.json: expected a weight_map"):
        choose_weights(tmp_path)


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("pytorch_model.bin", "PyTorch's pickled weights"),
        ("pytorch_model-00001-of-00002.bin", "PyTorch's pickled weights"),
        ("tf_model.h5", "Keras' weights"),
        ("flax_model.msgpack", "Flax' weights"),
        ("onnx/model.onnx", "an ONNX graph"),
        ("bert_model.ckpt.data-00000-of-00001", r"without its \.index"),
    ],
)
def test_weights_in_another_format_are_said_to_be_that(tmp_path: Path, name: str, what: str) -> None:
    touch(tmp_path, name, "config.json")
    with pytest.raises(StageError, match=rf"{name}: .*{what}(.|\n)*next: .*import_checkpoint\.source"):
        choose_weights(tmp_path)
    # Beside weights that can be read they are copies of these.
    touch(tmp_path, "model.safetensors")
    assert choose_weights(tmp_path).name == "model.safetensors"


def test_a_folder_without_weights_and_an_index_without_its_data_are_errors(tmp_path: Path) -> None:
    with pytest.raises(StageError, match=r"no \*\.safetensors or \*\.index among the checkpoint's files"):
        choose_weights(touch(tmp_path, "config.json"))
    touch(tmp_path, "bert_model.ckpt.index")
    with pytest.raises(StageError, match=r"its data, bert_model\.ckpt\.data-00000-of-00001, is not there"):
        choose_weights(tmp_path)


def test_the_nearest_configuration_goes_with_the_weights(tmp_path: Path) -> None:
    touch(tmp_path, "0/model.safetensors", "0/config.json", "config.json", "1_Pooling/config.json", "vocab.txt")
    weights = choose_weights(tmp_path)
    assert beside(tmp_path, weights, "config.json") == tmp_path / "0/config.json"
    assert beside(tmp_path, weights, "vocab.txt") == tmp_path / "vocab.txt"
    # The names in their order, where both are there.
    touch(tmp_path, "0/bert_config.json")
    assert beside(tmp_path, weights, "bert_config.json", "config.json") == tmp_path / "0/bert_config.json"


def test_one_that_lies_aside_counts_if_it_is_the_only_one(tmp_path: Path) -> None:
    touch(tmp_path, "variables/variables.index", "variables/variables.data-00000-of-00001", "assets/vocab.txt")
    weights = choose_weights(tmp_path)
    assert beside(tmp_path, weights, "vocab.txt") == tmp_path / "assets/vocab.txt"
    touch(tmp_path, "other/vocab.txt")
    with pytest.raises(StageError, match=r"elsewhere are assets/vocab\.txt, other/vocab\.txt"):
        beside(tmp_path, weights, "vocab.txt")
