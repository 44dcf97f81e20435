"""bert/benchmark/estimate.py."""

from __future__ import annotations

from typing import Any

import pytest

from bert.benchmark.estimate import (
    Planned,
    doubt,
    in_words,
    planned_inference,
    planned_training,
    seconds,
    share,
    table,
)
from bert.benchmark.settings import BenchmarkInferenceSettings, BenchmarkTrainingSettings


def test_the_published_grid_costs_its_sequences() -> None:
    settings = BenchmarkTrainingSettings(
        cells=("pretrain-large-128-64", "squad-large-384-4"), warmup=1, steps=7, global_batch={"pretrain-128": 65536}
    )
    pretraining, squad = planned_training(settings, ranks=8)
    # 8 updates of 65,536 sequences, 240.6 GFLOP each (tests/benchmark/test_flops.py), on however many ranks.
    assert pretraining == Planned("benchmark_training", "pretrain-large-128-64", 8, 8 * 65536 * 240_642_748_416, True)
    assert squad.operations % (8 * 4 * 8) == 0 and squad.operations < pretraining.operations / 500


def test_an_inference_cell_costs_its_calls() -> None:
    settings = BenchmarkInferenceSettings(cells=("base-128-1", "base-128-8"), warmup=5, iterations=1024)
    one, eight = planned_inference(settings)
    assert (one.calls, eight.operations) == (1029, 8 * one.operations)


MEASURED: dict[str, dict[str, Any]] = {
    "benchmark_training/a": {"roofline": {"peak_fraction": 0.5}},
    "benchmark_training/b": {"roofline": {"peak_fraction": 0.2}},
    "benchmark_training/large": {"out_of_memory": True},
}


@pytest.mark.parametrize(
    ("stage", "cell", "expected"),
    [
        ("benchmark_training", "a", 0.5),  # its own
        ("benchmark_training", "large", 0.35),  # the others'
        ("benchmark_inference", "a", 0.3),  # nothing is known
    ],
)
def test_the_share_is_what_was_measured_where_it_was(stage: str, cell: str, expected: float) -> None:
    assert share(Planned(stage, cell, 1, 1), MEASURED) == pytest.approx(expected)


def test_seconds_are_operations_over_the_share_of_the_peak() -> None:
    plan = Planned("benchmark_training", "a", 10, 3_000_000_000_000)
    assert seconds(plan, peak=1e11, of_peak=0.5) == 80.0  # 60, and 20 to start
    lines = list(table([plan, plan], 1e11, MEASURED))
    assert lines[1].split() == ["benchmark_training@a", "10", "3.0", "50%", "80", "s"]
    assert lines[3] == "2 cells, all together about 3 min"
    assert lines[4:] == ["Cells that an interrupted run has finished are counted too, but not measured again."]


def test_a_cell_of_several_ranks_is_measured_on_one_too() -> None:
    """By stages/benchmark_training.py, with the accumulation that all ranks have."""
    settings = BenchmarkTrainingSettings(
        cells=("pretrain-tiny-128-8",), warmup=1, steps=9, global_batch={"pretrain-128": 64}
    )
    (alone,), (shared,) = planned_training(settings, ranks=1), planned_training(settings, ranks=2)
    assert alone.operations == shared.operations, "a global batch, however many share it"
    assert seconds(shared, 1e11, 0.5) == 2 * seconds(alone, 1e11, 0.5)
    assert not any("on one" in line for line in table([alone], 1e11, {}))
    assert any("on all ranks and on one" in line for line in table([shared], 1e11, {}))


@pytest.mark.parametrize(
    ("value", "expected"), [(40.2, "40 s"), (720, "12 min"), (12600, "3.5 h"), (86400 * 80, "80 days")]
)
def test_seconds_in_words(value: float, expected: str) -> None:
    assert in_words(value) == expected


def test_a_peak_far_below_what_cells_reached_is_doubted() -> None:
    def cell(peak: float, **conditions: object) -> dict[str, Any]:
        return {"roofline": {"matmul_peak_gflops_per_second": peak}, "precision": "fp32", **conditions}

    cells = {"a": cell(200.0, ranks=1), "b": cell(180.0), "large": {"out_of_memory": True, "precision": "fp32"}}
    said = doubt(40e9, "fp32", cells)
    assert said is not None and "a peak of 200 GFLOP/s" in said
    assert doubt(101e9, "fp32", cells) is None
    assert doubt(40e9, "bf16", cells) is None, "of another precision"
    assert doubt(40e9, "fp32", {"a": cell(200.0, ranks=8)}) is None, "of several ranks that share a machine"
    assert doubt(40e9, "fp32", {}) is None
