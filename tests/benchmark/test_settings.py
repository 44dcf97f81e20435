"""bert/benchmark/settings.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from bert.benchmark.settings import BenchmarkInferenceSettings, BenchmarkTrainingSettings, Cell
from bert.pipeline.errors import StageError
from bert.pipeline.params import section

PARAMS = """
benchmark_training:
  cells: [large-384-8]
  warmup: 5
  steps: 20
benchmark_inference: {cells: [], warmup: 0, iterations: 20}
"""


@pytest.fixture
def params(tmp_path: Path) -> Path:
    path = tmp_path / "params.yaml"
    path.write_text(PARAMS)
    return path


def test_a_cell_names_its_metric_file(params: Path) -> None:
    settings = section(BenchmarkTrainingSettings, "benchmark_training", params)
    (cell,) = map(Cell.parse, settings.cells)
    assert cell == Cell(model="large", sequence_length=384, batch_size=8)
    assert cell.name == "large-384-8"
    assert (settings.warmup, settings.steps) == (5, 20)


@pytest.mark.parametrize("name", ["large-384", "large-384-0", "large-384-8-1", "large-384-x", "-384-8", "large"])
def test_a_name_of_another_form_is_refused(name: str) -> None:
    with pytest.raises(StageError, match=f"benchmark cell '{name}': expected <model>-<sequence length>-<batch size>"):
        Cell.parse(name)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("lagre-384-8", "lagre is none of tiny, mini, small, medium, base, large"),
        ("tiny-513-8", "the model has positions for 512 tokens"),
    ],
)
def test_what_no_model_can_do_is_refused(name: str, wrong: str) -> None:
    with pytest.raises(StageError, match=f"benchmark cell '{name}': {wrong}"):
        Cell.parse(name)


def test_no_warm_up_is_refused_since_the_first_call_compiles(params: Path) -> None:
    with pytest.raises(StageError, match=r"benchmark_inference\.warmup"):
        section(BenchmarkInferenceSettings, "benchmark_inference", params)
