"""Tests for bert/tasks/settings.py."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from bert.pipeline.errors import StageError
from bert.pipeline.params import section
from bert.tasks.settings import GlueTaskSettings, SquadSettings

FINE_TUNE: dict[str, Any] = {
    "max_seq_length": 128,
    "epochs": 2.5,
    "batch_size": 32,
    "learning_rate": 1e-05,
    "warmup_proportion": 0.1,
    "reinit_layers": 0,
}
SQUAD: dict[str, Any] = FINE_TUNE | {
    "data": "cloze",
    "train_file": "train.json",
    "dev_file": "dev.json",
    "version": "auto",
    "null_score_diff_threshold": 0.0,
    "limit_train": None,
    "limit_dev": 100,
    "doc_stride": 64,
    "max_query_length": 64,
    "n_best_size": 20,
    "max_answer_length": 30,
    "predict_batch_size": 32,
}


def read(tmp_path: Path, kind: Any, values: dict[str, Any]) -> Any:
    path = tmp_path / "params.yaml"
    YAML(typ="safe", pure=True).dump({"squad": values}, path)
    return section(kind, "squad", path)


def test_settings_are_read_as_written(tmp_path: Path) -> None:
    assert read(tmp_path, SquadSettings, SQUAD).model_dump() == SQUAD
    assert read(tmp_path, GlueTaskSettings, FINE_TUNE).model_dump() == FINE_TUNE


@pytest.mark.parametrize("name", SQUAD)
def test_no_setting_has_a_default_in_the_code(tmp_path: Path, name: str) -> None:
    with pytest.raises(StageError, match=rf"squad\.{name}: is missing"):
        read(tmp_path, SquadSettings, {key: value for key, value in SQUAD.items() if key != name})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("data", "squad"), ("epochs", 0), ("batch_size", 0), ("learning_rate", -1e-5), ("warmup_proportion", 1.1),
        ("limit_train", 0), ("doc_stride", 0), ("predict_batch_size", 1.5), ("reinit_layers", -1), ("lr", 1e-5),
        ("version", 3), ("version", 1.2), ("version", True), ("version", "v2.0"), ("version", None),
        ("null_score_diff_threshold", "best"), ("null_score_diff_threshold", float("nan")),
        ("null_score_diff_threshold", float("inf")),
    ],
)  # fmt: skip
def test_a_value_out_of_range_is_named(tmp_path: Path, name: str, value: Any) -> None:
    with pytest.raises(StageError, match=rf"squad\.{name}: "):
        read(tmp_path, SquadSettings, SQUAD | {name: value})


@pytest.mark.parametrize(("written", "meant"), [(1.1, "1.1"), ("1.1", "1.1"), (2.0, "2.0"), (2, "2.0"), ("2.0", "2.0")])
def test_a_version_may_be_written_as_a_number(tmp_path: Path, written: Any, meant: str) -> None:
    assert read(tmp_path, SquadSettings, SQUAD | {"version": written}).version == meant


def test_windows_need_room_for_context(tmp_path: Path) -> None:
    with pytest.raises(StageError, match=r"max_seq_length is 67; max_query_length 64, .* at least 68"):
        read(tmp_path, SquadSettings, SQUAD | {"max_seq_length": 67})
    assert read(tmp_path, SquadSettings, SQUAD | {"max_seq_length": 68}).max_seq_length == 68
