"""Tests for bert/tasks/squad/cached_windows.py."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bert.checkpoints.folder import Model
from bert.tasks.settings import SquadSettings
from bert.tasks.squad.cached_windows import make_entries, window_cache
from bert.tasks.squad.features import Windows
from bert.tasks.squad.splits import read_splits
from tests.stages import finetuning
from tests.tasks.conftest import PIECES
from tests.tasks.test_settings import SQUAD

CODE = {"bert/tasks/squad/features.py": "1", "bert/tokens/tokenizer.py": "1", "bert/training/step.py": "1"}
SETTINGS = SQUAD | {"max_seq_length": 32, "doc_stride": 8, "max_query_length": 8, "limit_dev": None}


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "vocab.txt").write_text("\n".join(PIECES) + "\n", encoding="utf-8")
    for split in ("train", "dev"):
        document = {"data": [{"paragraphs": finetuning.questions()}]}
        (tmp_path / f"{split}.json").write_text(json.dumps(document), encoding="utf-8")
    return tmp_path


def entries(folder: Path, code: dict[str, str] | None = None, lower: bool = True, **changes: Any) -> tuple[str, str]:
    settings = SquadSettings.model_validate(SETTINGS | changes)
    model = Model(finetuning.CONFIG, {}, folder / "vocab.txt", lower)
    return make_entries(window_cache(CODE | (code or {})), folder, read_splits(folder, settings), settings, model)


def test_both_splits_are_in_the_scratch_of_the_repository(data: Path) -> None:
    train, dev = entries(data, limit_dev=3)
    assert sorted(path.name for path in (data / ".scratch/features").iterdir()) == sorted(["lock", train, dev])
    for name, count in ((train, 20), (dev, 3)):
        windows = window_cache(CODE).read(name, Windows)
        assert len(set(windows.question_index.tolist())) == count
        assert windows.counts["windows"] == len(windows)


@pytest.mark.parametrize(
    "changes",
    [
        {"max_seq_length": 33},
        {"doc_stride": 9},
        {"max_query_length": 7},
        {"limit_train": 19},
        {"data": "download"},
        {"lower": False},
        {"code": {"bert/tasks/squad/features.py": "2"}},
        {"code": {"bert/tokens/tokenizer.py": "2"}},
    ],
)
def test_what_the_windows_depend_on_makes_others(data: Path, changes: dict[str, Any]) -> None:
    assert entries(data)[0] != entries(data, **changes)[0]


@pytest.mark.parametrize("name", ["train.json", "vocab.txt"])
def test_other_contents_of_a_file_make_others(data: Path, name: str) -> None:
    before = entries(data)[0]
    with open(data / name, "a") as f:
        f.write("\n")
    assert entries(data)[0] != before


@pytest.mark.parametrize(
    "changes",
    [{"learning_rate": 1.0, "epochs": 9, "n_best_size": 5}, {"code": {"bert/training/step.py": "2"}}, {"limit_dev": 9}],
)
def test_what_they_do_not_depend_on_makes_none(data: Path, changes: dict[str, Any]) -> None:
    assert entries(data)[0] == entries(data, **changes)[0]
