"""stages/pretrain.py: its evaluations on held-out records, and the best weights by them."""

from __future__ import annotations

from pathlib import Path

import pytest

from bert.pipeline.errors import StageError
from stages.pretrain import main
from tests.training import stage
from tests.training.stage import metrics_of


def test_the_held_out_curve_is_of_the_weights_in_between(pretrained: Path) -> None:
    rows = stage.curve(pretrained, "phase1_held_out")
    assert [row["step"] for row in rows] == [20, 40]
    assert rows[0].keys() == {"step", "mlm_loss", "mlm_accuracy", "nsp_loss", "nsp_accuracy"}
    metrics = metrics_of(pretrained, "phase1")
    best = min(rows, key=lambda row: row["mlm_loss"])
    assert (metrics["best_step"], metrics["kept_step"]) == (best["step"], 40)
    assert metrics["best_mlm_loss"] == pytest.approx(best["mlm_loss"], rel=1e-5)
    assert [row["step"] for row in stage.curve(pretrained, "phase2_held_out")] == [4], "the last step in any case"


def test_the_best_weights_are_the_result_where_they_are_to_be_kept(here: Path) -> None:
    every = {"steps": 12, "learning_rate": 0.5, "warmup_steps": 0, "eval_every": 2, "eval_rows": 13}
    stage.write_params(here, phase1=every, pretrain={"keep": "best"})
    main(stage.arguments())
    stage.write_params(here, phase1=every)
    main(stage.arguments(out="last"))
    best, last = metrics_of(here, "phase1"), metrics_of(here, "last")
    rows = stage.curve(here, "phase1_held_out")
    assert rows == stage.curve(here, "last_held_out")
    assert best["best_step"] == last["best_step"] == min(rows, key=lambda row: row["mlm_loss"])["step"]
    assert best["best_step"] < 12, "or this test tells nothing"
    assert (best["kept_step"], last["kept_step"]) == (best["best_step"], 12)
    # All 13 held-out rows each time: the evaluation at the end is of the very weights that are kept.
    assert best["mlm_loss"] == pytest.approx(best["best_mlm_loss"], rel=1e-6)
    assert last["mlm_loss"] == pytest.approx(rows[-1]["mlm_loss"], rel=1e-5)


def test_without_evaluations_in_between_the_held_out_curve_is_the_end(here: Path) -> None:
    stage.write_params(here, phase1={"steps": 3, "eval_every": None})
    main(stage.arguments())
    metrics = metrics_of(here, "phase1")
    (row,) = stage.curve(here, "phase1_held_out")
    assert (row["step"], metrics["best_step"], metrics["kept_step"]) == (3, 3, 3)
    assert row["mlm_loss"] == pytest.approx(metrics["mlm_loss"], rel=1e-5)
    assert metrics["best_mlm_loss"] == metrics["mlm_loss"]


def test_the_best_of_no_evaluations_cannot_be_kept(here: Path) -> None:
    stage.write_params(here, phase1={"eval_every": None}, pretrain={"keep": "best"})
    with pytest.raises(StageError, match=r"pretrain\.keep is best, but pretrain\.phase1\.eval_every is null"):
        main(stage.arguments())
