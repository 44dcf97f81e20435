"""Tests for bert/training/checkpoints.py."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

from bert.pipeline.errors import StageError
from bert.training.checkpoints import Checkpoint, newest, save
from bert.training.context import Resume

CODE = {"bert/training/step.py": "aaaa", "bert/model/heads.py": "bbbb"}
OTHER_CODE = CODE | {"bert/model/heads.py": "cccc"}
STATE = {"curve": ["step\tloss", "1\t0.5"], "skipped": 2, "last": {"loss": 0.1 + 0.2}}


def arrays(step: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(step)
    return {
        "bert/pooler/dense/kernel": rng.standard_normal((3, 4)).astype(np.float32),
        "m/bert/pooler/dense/kernel": rng.standard_normal((4, 3)).astype(np.float32).T,  # not contiguous
        "v/bert/pooler/dense/bias": np.array([1e-45, np.inf, -0.0], np.float32),
        "loss_scale/scale": np.array(2.0**16, np.float32),
        "updates": np.array(step, np.int64),
    }


def save_steps(folder: Path, *steps: int, code: dict[str, str] = CODE) -> None:
    for step in steps:
        save(folder, step, arrays(step), STATE, code)


def found(folder: Path, code: dict[str, str] = CODE, resume: Resume = None) -> Checkpoint:
    checkpoint = newest(folder, code, resume)
    assert checkpoint is not None
    return checkpoint


def flip_a_bit(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def test_what_is_read_is_what_was_saved_bit_for_bit(tmp_path: Path) -> None:
    save_steps(tmp_path, 7)
    checkpoint = found(tmp_path)
    assert (checkpoint.step, checkpoint.state) == (7, STATE)
    assert checkpoint.tensors.keys() == arrays(7).keys()
    for name, value in arrays(7).items():
        read = checkpoint.tensors[name]
        assert (read.dtype, read.shape) == (value.dtype, value.shape), name
        assert read.tobytes() == value.tobytes(), name


def test_no_checkpoint_is_no_error(tmp_path: Path) -> None:
    assert newest(tmp_path / "checkpoints", CODE) is None


def test_the_newest_two_are_kept_and_nothing_else(tmp_path: Path) -> None:
    save_steps(tmp_path, 5, 99, 100)
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "step-00000099.json",
        "step-00000099.safetensors",
        "step-00000100.json",
        "step-00000100.safetensors",
    ]
    assert found(tmp_path).step == 100


def test_a_damaged_checkpoint_is_named_and_the_one_before_it_taken(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    save_steps(tmp_path, 10, 20)
    flip_a_bit(tmp_path / "step-00000020.safetensors")
    with caplog.at_level(logging.WARNING):
        checkpoint = found(tmp_path)
    assert checkpoint.step == 10
    np.testing.assert_array_equal(checkpoint.tensors["updates"], 10)
    assert "step-00000020.safetensors: damaged (does not match its sha256)" in caplog.text


@pytest.mark.parametrize("left", ["", "{", "{}", '{"step": 20}'], ids=["empty", "cut", "nothing", "no sum"])
def test_a_damaged_mark_is_passed_over_too(tmp_path: Path, left: str) -> None:
    save_steps(tmp_path, 10, 20)
    (tmp_path / "step-00000020.json").write_text(left)
    assert found(tmp_path).step == 10


def test_a_checkpoint_without_its_data_is_passed_over(tmp_path: Path) -> None:
    save_steps(tmp_path, 10, 20)
    (tmp_path / "step-00000020.safetensors").unlink()
    assert found(tmp_path).step == 10


def test_if_all_are_damaged_training_starts_again(tmp_path: Path) -> None:
    save_steps(tmp_path, 10, 20)
    for path in tmp_path.glob("*.safetensors"):
        flip_a_bit(path)
    assert newest(tmp_path, CODE) is None


def test_what_a_kill_left_half_written_does_not_count(tmp_path: Path) -> None:
    save_steps(tmp_path, 10)
    whole = (tmp_path / "step-00000010.safetensors").read_bytes()
    (tmp_path / "step-00000020.tmp").write_bytes(whole[:100])  # killed while it wrote the data
    (tmp_path / "step-00000030.safetensors").write_bytes(whole)  # or between data and mark
    (tmp_path / ".step-00000040.json.123.tmp").write_text("{")  # or while it wrote the mark
    assert found(tmp_path).step == 10


def test_the_next_save_clears_what_a_kill_left(tmp_path: Path) -> None:
    # A BERT-large with its moments is 4 GB: each kill would cost that much disk until training ends.
    save_steps(tmp_path, 10)
    (tmp_path / "step-00000020.tmp").write_bytes(b"half")
    (tmp_path / "step-00000030.safetensors").write_bytes(b"whole, but without its mark")
    save_steps(tmp_path, 40)
    assert {p.stem for p in tmp_path.iterdir()} == {"step-00000010", "step-00000040"}


def test_other_code_stops_training_and_names_the_files_and_the_choice(tmp_path: Path) -> None:
    save_steps(tmp_path, 10)
    with pytest.raises(StageError, match=r"changed since: bert/model/heads\.py\n") as error:
        newest(tmp_path, OTHER_CODE)
    assert "BERT_RESUME=accept" in str(error.value) and "BERT_RESUME=fresh" in str(error.value)


def test_a_file_that_came_or_went_is_other_code_too(tmp_path: Path) -> None:
    save_steps(tmp_path, 10)
    with pytest.raises(StageError, match=r"changed since: bert/model/new\.py, bert/training/step\.py"):
        newest(tmp_path, {"bert/model/heads.py": "bbbb", "bert/model/new.py": "dddd"})


def test_accept_goes_on_in_spite_of_other_code_and_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    save_steps(tmp_path, 10)
    with caplog.at_level(logging.INFO):
        assert found(tmp_path, OTHER_CODE, "accept").step == 10
    assert "bert/model/heads.py" in caplog.text


def test_fresh_starts_again(tmp_path: Path) -> None:
    save_steps(tmp_path, 10)
    assert newest(tmp_path, OTHER_CODE, "fresh") is None
    assert found(tmp_path, CODE, "fresh").step == 10, "what fits is not thrown away"


def test_after_a_fresh_start_the_new_checkpoints_count(tmp_path: Path) -> None:
    # The old ones are further on. If they outlived the new ones, a second kill would start again once more.
    save_steps(tmp_path, 300, 400)
    assert newest(tmp_path, OTHER_CODE, "fresh") is None
    save_steps(tmp_path, 5, code=OTHER_CODE)
    assert found(tmp_path, OTHER_CODE).step == 5
