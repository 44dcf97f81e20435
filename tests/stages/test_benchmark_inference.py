"""Tests for stages/benchmark_inference.py, on a cell of a moment."""

from __future__ import annotations

import re
import signal

import pytest

from bert.pipeline.errors import StageError
from stages.benchmark_inference import main
from tests.project import Project
from tests.stages import finetuning
from tests.stages.command import arguments
from tests.stages.figures import COMMON, ENERGY, assert_figures
from tests.stages.finetuning import read
from tests.stages.little_memory import run_with_little_memory

CELL, TOO_LARGE = "tiny-16-2", "tiny-512-20000"


def test_a_cell_is_timed(small: Project) -> None:
    finetuning.write_params(small.path, benchmark_inference__warmup=2, benchmark_inference__iterations=9)
    main(arguments("benchmark_inference", item__cell=CELL))
    metrics = read(small.path / f"metrics/benchmark_inference/{CELL}.json")
    assert metrics.keys() - ENERGY == COMMON | {"engine"}
    assert metrics["engine"] == "tensorflow"
    assert_figures(metrics, warmup=2, iterations=9, rows=2, tokens=32)
    # The reference's rules: all calls, among them the first one, which compiles.
    theirs = metrics["reference_rules"]
    assert theirs.keys() == {"sequences_per_second", "latency_ms"}
    assert theirs["latency_ms"]["p100"] == pytest.approx(1000 * metrics["first_call_seconds"], abs=0.1)
    assert theirs["sequences_per_second"] > 0


@pytest.mark.slow
def test_openvino_is_timed_where_it_is_asked_for(small: Project) -> None:
    pytest.importorskip("openvino", reason="the extra `openvino` is not installed")
    finetuning.write_params(small.path, inference__engine="openvino")
    main(arguments("benchmark_inference", item__cell=CELL))
    assert read(small.path / f"metrics/benchmark_inference/{CELL}.json")["engine"] == "openvino"


@pytest.mark.slow
def test_a_cell_that_does_not_fit_is_recorded_as_such(small: Project) -> None:
    finetuning.write_params(small.path, xla=True)  # TensorFlow's own operations do not all survive such a limit
    said = run_with_little_memory(small, "benchmark_inference", arguments("benchmark_inference", item__cell=TOO_LARGE))
    assert "out of memory: Out of memory while trying to allocate" in said
    assert read(small.path / f"metrics/benchmark_inference/{TOO_LARGE}.json") == {
        **{"out_of_memory": True, "sequence_length": 512, "batch_size": 20000, "ranks": 1},
        **{"precision": "fp32", "engine": "tensorflow"},
    }


@pytest.mark.slow
def test_it_ends_when_it_is_asked_to(small: Project) -> None:
    finetuning.write_params(small.path, benchmark_inference__iterations=10**5)
    with small.start("benchmark_inference", *arguments("benchmark_inference", item__cell=CELL)) as process:
        assert process.stderr is not None
        for line in process.stderr:  # one every few seconds, on a busy machine behind lines that it is at work
            if re.search(rf"{CELL}: \d+/\d+ ", line):
                break
        process.send_signal(signal.SIGINT)
        said = process.stderr.read()
    assert process.returncode == 1 and f"error: benchmark_inference@{CELL}: stopped as asked" in said
    assert not (small.path / "metrics").exists()


@pytest.mark.parametrize(
    ("cell", "wrong"),
    [("tiny-16", "expected <model>-<sequence length>-<batch size>"), ("tinny-16-2", "tinny is none of tiny, mini")],
)
def test_a_misspelt_cell_is_an_error(small: Project, cell: str, wrong: str) -> None:
    with pytest.raises(StageError, match=f"benchmark cell '{cell}': {wrong}") as error:
        main(arguments("benchmark_inference", item__cell=cell))
    assert error.value.run is not None and "benchmark_inference.cells" in error.value.run
    assert not (small.path / "metrics").exists()
