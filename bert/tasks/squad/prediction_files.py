"""Anybody's prediction files, as SQuAD's official scorers read them: {question id: text}, {question id: null odds}."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf
from pathlib import Path
from typing import Any

from bert.pipeline.errors import StageError
from bert.pipeline.files import read_json
from bert.tasks.squad.data import Question

KINDS = {str: "text", list: "list", dict: "object", bool: "bool", int: "number", float: "number", type(None): "null"}


def read_predictions(path: Path, questions: Sequence[Question], run: str) -> dict[str, str]:
    """The texts of predictions.json.

    Args:
        run: the command that a StageError names.

    Raises:
        StageError: no such file, no JSON, no object of texts, or none of its texts is for one of the questions.
    """
    predictions = _object(path, "{question id: text of the answer}", run)
    for name, text in predictions.items():
        if not isinstance(text, str):
            raise StageError(f"{path}: {_got(name, text)}, expected a text: is it nbest or null odds?", run=run)
    _check_ids(path, predictions, questions, run)
    return predictions


def read_null_odds(
    path: Path, predictions: Mapping[str, str], questions: Sequence[Question], run: str
) -> dict[str, float]:
    """The numbers of null_odds.json, of at least all questions that have a prediction.

    Raises:
        StageError: no such file, no JSON, no object of finite numbers, or one of those questions is missing.
    """
    odds = _object(path, "{question id: how sure it is that there is no answer}", run)
    for name, value in odds.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not -inf < value < inf:
            raise StageError(f"{path}: {_got(name, value)}, expected a finite number", run=run)
    missing = [question.id for question in questions if question.id in predictions and question.id not in odds]
    if missing:
        raise StageError(
            f"{path}: no number for {len(missing)} questions that have a prediction, the first is {missing[0]}", run=run
        )
    return odds


def _object(path: Path, expected: str, run: str) -> dict[str, Any]:
    found = read_json(path, run)
    if not isinstance(found, dict):
        raise StageError(f"{path}: expected a JSON object {expected}, got {KINDS[type(found)]}", run=run)
    if "data" in found and isinstance(found["data"], list):
        raise StageError(f"{path}: expected a JSON object {expected}, got SQuAD's questions", run=run)
    return found


def _got(name: str, value: Any) -> str:
    shown = f"{value} " if isinstance(value, int | float) else ""
    return f"{name!r} has {shown}({KINDS[type(value)]})"


def _check_ids(path: Path, predictions: Mapping[str, str], questions: Sequence[Question], run: str) -> None:
    if predictions and not any(question.id in predictions for question in questions):
        raise StageError(
            f"{path}: none of its {len(predictions)} predictions is for one of the {len(questions)} questions; its "
            f"first id is {next(iter(predictions))!r}, theirs {questions[0].id!r}",
            run=run,
        )
