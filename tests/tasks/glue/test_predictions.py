"""Tests for bert/tasks/glue/predictions.py: the files that the leaderboard takes, byte by byte."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bert.tasks.glue.data import Example
from bert.tasks.glue.predictions import predictions, write_predictions
from bert.tasks.glue.tasks import TASKS

EXAMPLES = [Example(0, "a", "b", None), Example(5, "c", "d", None), Example(6, "e", "f", None)]


@pytest.mark.parametrize(
    ("name", "logits", "expected"),
    [
        ("cola", [[1, 2], [3, 2], [0, 0]], b"index\tprediction\n0\t1\n5\t0\n6\t0\n"),
        ("stsb", [[2.5], [-0.00049], [4.99951]], b"index\tprediction\n0\t2.500\n5\t-0.000\n6\t5.000\n"),
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
    predicted = predictions(TASKS[name], np.array(logits, np.float32))
    write_predictions(tmp_path / "out.tsv", TASKS[name], EXAMPLES, predicted.tolist())
    assert (tmp_path / "out.tsv").read_bytes() == expected


def test_a_prediction_too_few_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError):
        write_predictions(tmp_path / "SST-2.tsv", TASKS["sst2"], EXAMPLES, [1, 0])
