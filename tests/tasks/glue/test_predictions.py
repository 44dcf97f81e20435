"""Tests for bert/tasks/glue/predictions.py: the files that the leaderboard takes, byte by byte."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bert.tasks.glue.examples import Example
from bert.tasks.glue.predictions import predictions, write_predictions, write_probabilities
from bert.tasks.glue.tasks import TASKS

EXAMPLES = [Example(0, "a", "b", None), Example(5, "c", "d", None), Example(6, "e", "f", None)]


@pytest.mark.parametrize(
    ("name", "logits", "expected"),
    [
        ("cola", [[1, 2], [3, 2], [0, 0]], b"index\tprediction\n0\t1\n5\t0\n6\t0\n"),
        ("stsb", [[2.5], [-0.00049], [4.99951]], b"index\tprediction\n0\t2.500\n5\t0.000\n6\t5.000\n"),
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
    write_predictions(
        tmp_path / "out.tsv", TASKS[name], EXAMPLES, predictions(TASKS[name], np.array(logits, np.float32)).tolist()
    )
    assert (tmp_path / "out.tsv").read_bytes() == expected


def test_a_prediction_too_few_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError):
        write_predictions(tmp_path / "SST-2.tsv", TASKS["sst2"], EXAMPLES, [1, 0])


def test_what_is_submitted_is_on_the_scale_and_what_was_scored_is_written_as_it_was(tmp_path: Path) -> None:
    examples = [*EXAMPLES[:2], Example(6, "e", "f", 4.0), Example(7, "g", "h", 0.0)]
    write_predictions(tmp_path / "out.tsv", TASKS["stsb"], examples, [-0.5, 5.25, 5.25, -0.5])
    lines = (tmp_path / "out.tsv").read_text().splitlines()[1:]
    assert lines == ["0\t0.000", "5\t5.000", "6\t5.250", "7\t-0.500"]


def test_each_class_has_its_probability(tmp_path: Path) -> None:
    task = replace(TASKS["sst2"].with_sets(()), labels=("bad", "so so", "good"))
    logits = np.log(np.array([[1, 2, 1], [8, 1, 1], [1000, 0.001, 0.001]], np.float32))
    write_probabilities(tmp_path / "dev.tsv", task, EXAMPLES, logits)
    assert (tmp_path / "dev.tsv").read_text().splitlines() == [
        "index\tbad\tso so\tgood",
        "0\t0.2500\t0.5000\t0.2500",
        "5\t0.8000\t0.1000\t0.1000",
        "6\t1.0000\t0.0000\t0.0000",
    ]
