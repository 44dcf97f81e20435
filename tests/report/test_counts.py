"""bert/report/counts.py."""

from __future__ import annotations

from bert.report.counts import drops, fold
from bert.report.inputs import Inputs

METRICS = {"pages": 206, "train": {"words": 4}, "learned": True, "dropped": {"short": 0, "redirect": 88, "list": 9}}


def test_all_counts_and_all_reasons_are_in_the_fold_of_their_stage() -> None:
    (found,) = fold(Inputs({"documents/text": METRICS}), "documents/text")
    assert (found.title, found.about) == ("documents@text", "2 counts, 2 reasons to drop something")
    counted, dropped = found.tables
    assert [row.cells for row in counted.rows] == [("pages", "206"), ("train, words", "4")]
    assert [row.cells for row in dropped.rows] == [("redirect", "88"), ("list", "9"), ("short", "0")]


def test_a_stage_without_counts_has_no_fold() -> None:
    assert fold(Inputs({"vocab": {"learned": True}}), "vocab") == fold(Inputs(), "vocab") == ()
    (only,) = fold(Inputs({"squad": METRICS}), "squad", counted=False)
    assert len(only.tables) == 1 and only.about == "2 reasons to drop something"


def test_totals_of_a_task_are_no_reasons() -> None:
    assert drops({"dropped": {"train": {"windows": 721, "windows without the answer": 14}}}) == {
        "train.windows without the answer": 14
    }
