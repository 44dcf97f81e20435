"""Tests for bert/tasks/glue/average.py."""

from __future__ import annotations

from statistics import fmean
from typing import Any

import pytest

from bert.tasks.glue.average import task_score
from bert.tasks.glue.tasks import TASKS

# BERT-large on https://gluebenchmark.com/leaderboard.
BERT_LARGE: dict[str, dict[str, Any]] = {
    "cola": {"mcc": 60.5},
    "sst2": {"accuracy": 94.9},
    "mrpc": {"accuracy": 85.4, "f1": 89.3},
    "stsb": {"pearson": 87.6, "spearman": 86.5},
    "qqp": {"accuracy": 89.3, "f1": 72.1},
    "mnli": {"accuracy": 86.7, "mismatched": {"accuracy": 85.9}},
    "qnli": {"accuracy": 92.7},
    "rte": {"accuracy": 70.1},
    "wnli": {"accuracy": 65.1},
}


def test_the_average_is_that_of_the_leaderboard() -> None:
    """80.5, as the abstract of Devlin et al. 2019 has it."""
    scores = [task_score(TASKS[name], metrics) for name, metrics in BERT_LARGE.items()]
    assert len(scores) == len(TASKS)
    assert fmean(score for score in scores if score is not None) == pytest.approx(80.5, abs=0.05)


def test_a_score_that_is_missing_is_no_average() -> None:
    assert task_score(TASKS["mrpc"], {"accuracy": 85.4}) is None
    assert task_score(TASKS["mnli"], {"accuracy": 86.7}) is None
    assert task_score(TASKS["cola"], {"mcc": 0.0}) == 0.0
