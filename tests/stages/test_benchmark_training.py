"""Tests for stages/benchmark_training.py, on cells of a moment."""

from __future__ import annotations

import pytest

from bert.pipeline.errors import StageError
from stages.benchmark_training import main
from tests.project import Project
from tests.stages import finetuning
from tests.stages.command import arguments
from tests.stages.figures import COMMON, ENERGY, assert_figures
from tests.stages.finetuning import read
from tests.stages.little_memory import run_with_little_memory

CELL = "squad-tiny-16-2"
ALLREDUCE = {"allreduce_seconds_per_step", "allreduce_wait_seconds_per_step", "allreduce_share"}
KEYS = COMMON | ALLREDUCE | {"task", "accumulation", "global_batch"}


def test_a_cell_is_timed(small: Project) -> None:
    # The reference leaves out the first 100 steps: one is left.
    finetuning.write_params(small.path, benchmark_training__warmup=1, benchmark_training__steps=100)
    main(arguments("benchmark_training", item__cell=CELL))
    metrics = read(small.path / f"metrics/benchmark_training/{CELL}.json")
    assert metrics.keys() - ENERGY == KEYS
    assert (metrics["task"], metrics["accumulation"]) == ("squad", 1)
    assert_figures(metrics, warmup=1, iterations=100, rows=2, tokens=32)
    assert {metrics[name] for name in ALLREDUCE} == {0.0}, "there is one rank"
    theirs = metrics["reference_rules"]
    assert theirs.keys() == {"skipped_steps", "sequences_per_second"}
    assert theirs["skipped_steps"] == 100 and theirs["sequences_per_second"] > 0


def test_pretraining_accumulates_to_its_global_batch(small: Project) -> None:
    finetuning.write_params(
        small.path,
        benchmark_training__warmup=1,
        benchmark_training__steps=6,
        benchmark_training__global_batch={"pretrain-16": 8, "squad-16": 4},
    )
    main(arguments("benchmark_training", item__cell="pretrain-tiny-16-2"))
    metrics = read(small.path / "metrics/benchmark_training/pretrain-tiny-16-2.json")
    assert metrics.keys() - ENERGY == KEYS
    assert (metrics["task"], metrics["batch_size"]) == ("pretrain", 2)
    assert (metrics["accumulation"], metrics["global_batch"]) == (4, 8)
    assert_figures(metrics, warmup=1, iterations=6, rows=8, tokens=128)
    assert metrics["reference_rules"].keys() == {"skipped_steps", "sequences_per_second"}
    assert metrics["reference_rules"]["skipped_steps"] == 5


@pytest.mark.slow
@pytest.mark.ranks
@pytest.mark.usefixtures("horovod")
def test_several_ranks_are_held_against_one(small: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    finetuning.write_params(
        small.path,
        benchmark_training__warmup=1,
        benchmark_training__steps=3,
        benchmark_training__global_batch={"squad-16": 8},
    )
    monkeypatch.setenv("BERT_RANKS", "2")
    main(arguments("benchmark_training", item__cell=CELL))
    metrics = read(small.path / f"metrics/benchmark_training/{CELL}.json")
    assert metrics.keys() - ENERGY == KEYS | {"weak_scaling"}
    assert (metrics["ranks"], metrics["accumulation"], metrics["global_batch"]) == (2, 2, 8)
    one, two = metrics["weak_scaling"]
    assert (one["ranks"], one["speedup"], two["ranks"]) == (1, 1.0, 2)
    assert (one["global_batch"], two["global_batch"]) == (4, 8), "a rank's work is the same"
    assert two["sequences_per_second"] == metrics["sequences_per_second"]
    assert two["speedup"] == pytest.approx(two["sequences_per_second"] / one["sequences_per_second"], abs=1e-3)


@pytest.mark.slow
def test_a_cell_that_does_not_fit_is_recorded_as_such(small: Project) -> None:
    finetuning.write_params(small.path, xla=True)  # TensorFlow's own operations do not all survive such a limit
    cell = "squad-tiny-512-2000"
    run_with_little_memory(small, "benchmark_training", arguments("benchmark_training", item__cell=cell))
    assert read(small.path / f"metrics/benchmark_training/{cell}.json") == {
        **{"out_of_memory": True, "task": "squad", "sequence_length": 512, "batch_size": 2000, "precision": "fp32"},
        **{"ranks": 1, "accumulation": 1, "global_batch": 2000},
    }


@pytest.mark.parametrize(
    ("cell", "wrong"),
    [
        ("squad-tiny-1024-2", "the model has positions for 512 tokens"),
        ("tiny-128-8", "names no task: squad-tiny-128-8 times what it did so far"),
        (
            "mrpc-tiny-128-8",
            "expected <task>-<model>-<sequence length>-<batch size of a rank>, the task one of pretrain",
        ),
    ],
)
def test_a_misspelt_cell_is_an_error(small: Project, cell: str, wrong: str) -> None:
    with pytest.raises(StageError, match=wrong) as error:
        main(arguments("benchmark_training", item__cell=cell))
    assert error.value.run is not None and "benchmark_training.cells" in error.value.run
    assert not (small.path / "metrics").exists()


def test_a_global_batch_that_does_not_come_out_even_is_an_error(small: Project) -> None:
    finetuning.write_params(small.path, benchmark_training__global_batch={"squad-16": 7})
    with pytest.raises(StageError, match=r"global_batch.squad-16 is 7, no multiple of the 2 rows that 1 ranks"):
        main(arguments("benchmark_training", item__cell=CELL))
