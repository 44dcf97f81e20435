"""Tests for bert/launch/stage.py: what a rank is handed, and who writes; whole stages are in tests/stages."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from bert.launch import stage as module
from bert.launch.stage import FINISHED, METRICS, RECORD, TrainingStage
from bert.launch.stopping import ASKED
from bert.pipeline.machine import MachineSettings
from bert.training.context import Context, Nobody, Outcome
from bert.training.world import Split, World
from bert.watch.watcher import LiveWatcher

STAGE = TrainingStage("squad", "stages.squad", {}, [], {}, lambda ranks: Split(ranks, 2, 4))
MACHINE = MachineSettings(save_seconds=7, resume="accept", recompute=True, tensorboard="boards")


def handed(folder: Path, rank: int, stage: TrainingStage = STAGE) -> Context:
    """The context of a rank, which has worked, with metrics on each."""
    contexts: list[Context] = []

    def work(context: Context) -> Outcome:
        contexts.append(context)
        return Outcome({"loss": 1.5}, {"resumed_from_step": 3})

    module._work(stage, work, folder, World(rank, 2), MACHINE)
    return contexts[0]


@pytest.mark.parametrize("rank", [0, 1])
def test_a_rank_is_handed_what_the_machine_says(tmp_path: Path, rank: int) -> None:
    context = handed(tmp_path, rank)
    assert (context.scratch, context.world, context.split) == (tmp_path, World(rank, 2), Split(2, 2, 4))
    assert (context.save_seconds, context.resume, context.recompute) == (7, "accept", True)
    assert "bert/training/step.py" in context.code


def test_a_model_is_made_where_one_is_a_result(tmp_path: Path) -> None:
    assert not handed(tmp_path, 0).keep_model
    assert handed(tmp_path, 0, replace(STAGE, outs={"model": tmp_path / "out"})).keep_model


def test_a_finished_run_is_used_where_it_has_what_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / FINISHED).write_text("{}")
    assert module._finished(tmp_path, [], {}, "dvc repro", None)
    assert not module._finished(tmp_path, ["model"], {}, "dvc repro", None)
    (tmp_path / "model").mkdir()
    assert module._finished(tmp_path, ["model"], {}, "dvc repro", None)


def test_only_the_first_rank_shows_figures_and_writes(tmp_path: Path) -> None:
    assert isinstance(handed(tmp_path, 1).watcher, Nobody)
    assert list(tmp_path.iterdir()) == []
    watcher = handed(tmp_path, 0).watcher
    assert isinstance(watcher, LiveWatcher) and watcher.tensorboard_folder("squad") is not None
    assert json.loads((tmp_path / RECORD).read_text()) == {"resumed_from_step": 3}


def test_the_first_rank_hears_the_wish_to_stop_wherever_its_training_saves(tmp_path: Path) -> None:
    """Fine-tuning saves in folders of its own below the scratch; the wish is left in the scratch itself."""
    context = handed(tmp_path, 0)
    with replace(context, scratch=tmp_path / "tuned").stop() as stop:
        assert not stop.asked
        (tmp_path / ASKED).touch()
        assert stop.asked


def test_the_metrics_have_the_memory_beside_them(tmp_path: Path) -> None:
    handed(tmp_path, 0)
    metrics = json.loads((tmp_path / METRICS).read_text())
    assert metrics["loss"] == 1.5 and metrics["peak_rss_mb"] > 10
