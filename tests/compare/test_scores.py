"""bert/compare/scores.py: which differences are shown, and beside which published figures."""

from __future__ import annotations

from typing import Any

import pytest

from bert.compare.contents import Contents
from bert.compare.scores import section
from tests.compare.made import PARAMS, captions, cells, column, contents, seeds, table

FP32 = [80.0, 81.0, 82.0]


def tuned(name: str, values: list[float], precision: str = "fp32", count: int = 100, **params: Any) -> Contents:
    """A revision with SQuAD fine-tuned under as many seeds; the first is the result."""
    metrics: dict[str, Any] = {"squad": {"f1": values[0], "count": count, "precision": precision}}
    if len(values) > 1:
        metrics["stability"] = {"squad": {precision: seeds("f1", values)}}
    return contents(name, metrics, params=PARAMS | params)


def differences(*revisions: Contents) -> list[tuple[str, ...]]:
    return cells(table(section(revisions), "SQuAD"), "revision", "runs", "difference")


def test_a_difference_within_the_spread_is_none_and_one_beyond_it_is_shown() -> None:
    near, far = [value + 0.9 for value in FP32], [value - 9 for value in FP32]
    assert differences(tuned("HEAD", FP32), tuned("near", near), tuned("far", far)) == [
        ("HEAD", "3", "–"),
        ("near", "3", "none"),
        ("far", "3", "-9.00"),
    ]


def test_single_runs_have_a_difference_that_may_be_chance() -> None:
    found = table(section([tuned("HEAD", [80.0]), tuned("one", [80.5]), tuned("same", [80.0])]), "SQuAD")
    assert cells(found, "std", "difference", "by chance") == [("–", "–", "–"), ("–", "+0.50", "?"), ("–", "same", "–")]


def test_mean_and_std_are_of_the_seeds() -> None:
    assert cells(table(section([tuned("HEAD", FP32)]), "SQuAD"), "mean", "std") == [("81.00", "1.00")]


def test_seeds_of_an_older_result_are_not_taken_for_those_of_this_one() -> None:
    """As after `dvc exp run squad`: stability.json is still that of the run before."""
    revision = tuned("HEAD", FP32)
    revision.inputs.metrics["squad"]["f1"] = 70.0
    assert cells(table(section([revision]), "SQuAD"), "runs", "mean") == [("1", "70.00")]
    other = tuned("HEAD", FP32)
    other.inputs.metrics["squad"]["precision"] = "bf16"
    assert cells(table(section([other]), "SQuAD"), "precision", "runs") == [("bf16", "1")]


def test_each_precision_of_the_seeds_is_a_row_and_says_what_ran() -> None:
    revision = tuned("HEAD", FP32)
    revision.inputs.metrics["stability"]["squad"]["tf32"] = seeds("f1", [70.0, 71.0]) | {"ran_as": "fp32"}
    found = table(section([revision]), "SQuAD")
    assert column(found, "precision") == ["fp32", "tf32, ran as fp32"]
    assert column(found, "difference")[1] == "-10.50"


def test_scores_of_other_examples_have_no_difference() -> None:
    found = differences(
        tuned("HEAD", FP32),
        tuned("fewer", FP32, count=99),
        tuned("cloze", FP32, squad={"data": "cloze", "max_seq_length": 384}),
    )
    assert [cell[2] for cell in found] == ["–", "other data", "other data"]


def test_examples_made_here_are_the_same_by_their_hash() -> None:
    params = PARAMS | {"squad": {"data": "cloze"}}
    metrics = {"squad": {"f1": 80.0, "count": 100, "precision": "fp32"}}
    first, same, other, moved = (
        contents(name, metrics, params=params, hashes={"squad": {path: md5}})
        for name, path, md5 in [
            ("HEAD", "data/cloze/squad", "a"),
            ("same", "data/cloze/squad", "a"),
            ("other", "data/cloze/squad", "b"),
            ("moved", "data/cloze", "c"),  # an older pipeline: nothing is known
        ]
    )
    found = table(section([first, same, other, moved]), "SQuAD")
    assert column(found, "difference") == ["–", "same", "other data", "same"]


def test_losses_of_other_held_out_text_have_no_difference() -> None:
    def pretrained(name: str, predictions: int) -> Contents:
        losses = {"mlm_loss": 5.5, "train_mlm_loss": 5.0, "train_nsp_loss": 0.5, "precision": "fp32"}
        return contents(name, {"pretrain_phase1": losses | {"held_out_predictions": predictions}})

    found = table(section([pretrained("HEAD", 10), pretrained("more", 11)]), "Pretraining, losses")
    assert cells(found, "score", "mean", "difference")[:2] == [
        ("phase 1: final loss, nats", "5.5000", "–"),
        ("phase 1: final loss, nats", "5.5000", "other data"),
    ]


def test_without_a_figure_in_the_first_revision_there_is_no_difference() -> None:
    first, second = contents("HEAD", {"vocab": {"size": 9}}), tuned("tuned", FP32)
    third = tuned("other", [value + 9 for value in FP32])
    assert differences(first, second, third) == [("tuned", "3", "–"), ("other", "3", "–")]
    assert captions(section([first, second])) == ["SQuAD"]
    assert section([first]).text == ("None of the revisions has losses or scores.",)


def test_published_seeds_stand_beside_the_same_work() -> None:
    found = table(section([tuned("HEAD", [91.0, 92.0], "tf32", count=10570)]), "SQuAD")
    assert cells(found, "revision", "precision", "runs", "mean")[1] == ("published", "tf32", "5", "91.52")
    assert column(found, "difference")[1] == "none"


@pytest.mark.parametrize(
    "other",
    [
        {"precision": "bf16"},
        {"count": 10569},
        {"squad": {"data": "cloze", "max_seq_length": 384}},
        {"squad": {"data": "download", "max_seq_length": 320}},
        {"model": "base"},
        {"finetune": {"init": "imported"}},
    ],
)
def test_published_seeds_do_not_stand_beside_other_work(other: dict[str, Any]) -> None:
    work: dict[str, Any] = {"precision": "tf32", "count": 10570}
    revision = tuned("HEAD", [91.0, 92.0], **work | other)
    assert "published" not in column(table(section([revision]), "SQuAD"), "revision")


def test_tasks_have_each_of_their_scores_the_main_one_first() -> None:
    metrics = {"glue/mrpc": {"f1": 80.0, "accuracy": 75.0, "count": 9, "precision": "fp32", "steps": 3}}
    found = table(section([contents("HEAD", metrics)]), "GLUE and tasks of one's own")
    assert column(found, "score") == ["mrpc: F1, %", "mrpc: accuracy, %"]
