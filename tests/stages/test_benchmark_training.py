"""Tests for stages/benchmark_training.py, on a cell of a moment."""

from __future__ import annotations

import pytest

from bert.pipeline.errors import StageError
from stages.benchmark_training import main
from tests.project import Project
from tests.stages import finetuning
from tests.stages.command import arguments
from tests.stages.figures import COMMON, assert_figures
from tests.stages.finetuning import read

CELL = "tiny-16-2"
ALLREDUCE = {"allreduce_seconds_per_step", "allreduce_wait_seconds_per_step", "allreduce_share"}


def test_a_cell_is_timed(small: Project) -> None:
    # The reference leaves out the first 100 steps: one is left.
    finetuning.write_params(small.path, benchmark_training__warmup=1, benchmark_training__steps=100)
    main(arguments("benchmark_training", item__cell=CELL))
    metrics = read(small.path / f"metrics/benchmark_training/{CELL}.json")
    assert metrics.keys() == COMMON | ALLREDUCE
    assert_figures(metrics, warmup=1, iterations=100, rows=2, tokens=32)
    assert {metrics[name] for name in ALLREDUCE} == {0.0}, "there is one rank"
    theirs = metrics["reference_rules"]
    assert theirs.keys() == {"skipped_steps", "sequences_per_second"}
    assert theirs["skipped_steps"] == 100 and theirs["sequences_per_second"] > 0


def test_a_misspelt_cell_is_an_error(small: Project) -> None:
    with pytest.raises(StageError, match="benchmark cell 'tiny-1024-2': the model has positions for 512 tokens"):
        main(arguments("benchmark_training", item__cell="tiny-1024-2"))
    assert not (small.path / "metrics").exists()
