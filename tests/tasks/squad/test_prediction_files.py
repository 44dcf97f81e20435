"""Tests for bert/tasks/squad/prediction_files.py."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bert.pipeline.errors import StageError
from bert.tasks.squad.data import Question
from bert.tasks.squad.prediction_files import read_null_odds, read_predictions

QUESTIONS = [Question("a", "?", "cat", (("cat", 0),)), Question("b", "?", "cat", ())]


def write(folder: Path, content: Any) -> Path:
    path = folder / "given.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "not valid JSON"),
        ("[" * 100_000, "not valid JSON"),
        ('{"a": ' + "9" * 5000 + "}", "not valid JSON"),
        ([{"id": "a", "answer": "cat"}], "expected a JSON object .*, got list"),
        ("null", "expected a JSON object .*, got null"),
        ({"a": [{"text": "cat", "probability": 1}]}, r"'a' has \(list\), expected a text: is it nbest"),
        ({"a": "cat", "b": 0.5}, r"'b' has 0\.5 \(number\), expected a text"),
        ({"a": None}, r"'a' has \(null\), expected a text"),
        ({"version": "1.1", "data": []}, "got SQuAD's questions"),
        ({"x": "cat", "y": "dog"}, "none of its 2 predictions is for one of the 2 questions; its first id is 'x'"),
    ],
)  # fmt: skip
def test_what_holds_no_predictions_is_told(tmp_path: Path, content: Any, message: str) -> None:
    path = write(tmp_path, content)
    with pytest.raises(StageError, match=message) as error:
        read_predictions(path, QUESTIONS, "the help")
    assert str(path) in str(error.value) and error.value.run == "the help"


@pytest.mark.parametrize("name", ["missing.json", "."])
def test_no_file_of_predictions_is_told(tmp_path: Path, name: str) -> None:
    with pytest.raises(StageError, match=r"no such file|expected a file of JSON, but: Is a directory"):
        read_predictions(tmp_path / name, QUESTIONS, "the help")


def test_predictions_may_be_fewer_or_more_than_the_questions(tmp_path: Path) -> None:
    assert read_predictions(write(tmp_path, {}), QUESTIONS, "x") == {}
    some = {"a": "", "c": "more"}
    assert read_predictions(write(tmp_path, "\ufeff" + json.dumps(some)), QUESTIONS, "x") == some


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"a": "cat", "b": 1.0}, r"'a' has \(text\), expected a finite number"),
        ('{"a": NaN, "b": 1}', r"'a' has nan \(number\), expected a finite number"),
        ('{"a": 1e999, "b": 1}', r"'a' has inf"),
        ({"a": True, "b": 1}, r"'a' has True \(bool\)"),
        ({"a": 1.0}, "no number for 1 questions that have a prediction, the first is b"),
    ],
)
def test_what_holds_no_null_odds_is_told(tmp_path: Path, content: Any, message: str) -> None:
    with pytest.raises(StageError, match=message):
        read_null_odds(write(tmp_path, content), {"a": "cat", "b": ""}, QUESTIONS, "the help")


def test_null_odds_are_needed_of_predictions_alone(tmp_path: Path) -> None:
    assert read_null_odds(write(tmp_path, {"a": -3, "z": 1.5}), {"a": "cat", "z": "x"}, QUESTIONS, "x") == {
        "a": -3,
        "z": 1.5,
    }
