"""Tests for bert/tasks/glue/predictions.py: the files that the leaderboard takes, byte by byte."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bert.tasks.glue.examples import Example
from bert.tasks.glue.predictions import predictions, write_predictions
from bert.tasks.glue.tasks import TASKS

EXAMPLES = [Example(0, "a", "b", None), Example(5, "c", "d", None), Example(6, "e", "f", None)]


@pytest.mark.parametrize(
    ("name", "logits", "expected"),
    [
        ("cola", [[1, 2], [3, 2], [0, 0]], b"index\tprediction\n0\t1\n5\t0\n6\t0\n"),
        ("stsb", [[2.5], [-0.1], [4.99951]], b"index\tprediction\n0\t2.500\n5\t0.000\n6\t5.000\n"),
        (
            "mnli",
            [[1, 2, 0], [3, 2, 0], [0, 0, 1]],
            b"index\tprediction\n0\tentailment\n5\tcontradiction\n6\tneutral\n",
        ),
        ("rte", [[1, 0], [0, 1], [0, 1]], b"index\tprediction\n0\tentailment\n5\tnot_entailment\n6\tnot_entailment\n"),
        ("qnli", [[1, 0], [0, 1], [0, 1]], b"index\tprediction\n0\tentailment\n5\tnot_entailment\n6\tnot_entailment\n"),
        ("wnli", [[1, 0], [0, 1], [0, 1]], b"index\tprediction\n0\t0\n5\t1\n6\t1\n"),
    ],
)
def test_labels_and_numbers_stand_as_the_leaderboard_wants_them(
    tmp_path: Path, name: str, logits: list[list[float]], expected: bytes
) -> None:
    write_predictions(tmp_path / "out.tsv", TASKS[name], EXAMPLES, np.array(logits, np.float32))
    assert (tmp_path / "out.tsv").read_bytes() == expected


def test_a_prediction_too_few_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError):
        write_predictions(tmp_path / "SST-2.tsv", TASKS["sst2"], EXAMPLES, np.zeros((2, 2), np.float32))


def test_what_is_scored_is_on_the_scale_as_what_is_written_is() -> None:
    logits = np.array([[-0.5], [2.25], [5.5]], np.float32)
    assert predictions(TASKS["stsb"], logits).tolist() == [0.0, 2.25, 5.0]


def test_of_a_task_of_ones_own_each_class_has_its_probability(tmp_path: Path) -> None:
    task = replace(TASKS["sst2"].with_sets(()), labels=("bad", "so so", "good"), is_own=True)
    logits = np.log(np.array([[1, 2, 1], [8, 1, 1], [1000, 0.001, 0.001]], np.float32))
    write_predictions(tmp_path / "dev.tsv", task, EXAMPLES, logits)
    assert (tmp_path / "dev.tsv").read_text().splitlines() == [
        "index\tprediction\tp(bad)\tp(so so)\tp(good)",
        "0\tso so\t0.2500\t0.5000\t0.2500",
        "5\tbad\t0.8000\t0.1000\t0.1000",
        "6\tbad\t1.0000\t0.0000\t0.0000",
    ]
    numbers = replace(task, labels=(), scale=(1.0, 5.0))
    write_predictions(tmp_path / "dev.tsv", numbers, EXAMPLES, np.array([[0.5], [3], [4.5]], np.float32))
    assert (tmp_path / "dev.tsv").read_text() == "index\tprediction\n0\t1.000\n5\t3.000\n6\t4.500\n"
