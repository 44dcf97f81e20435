"""bert/benchmark/settings.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from bert.benchmark.settings import BenchmarkInferenceSettings, BenchmarkTrainingSettings, Cell, TrainingCell
from bert.pipeline.errors import StageError
from bert.pipeline.params import section
from bert.training.world import Split

PARAMS = """
benchmark_training:
  cells: [pretrain-large-128-8]
  warmup: 5
  steps: 20
  global_batch: {pretrain-128: 65536, pretrain-512: null}
benchmark_inference: {cells: [], warmup: 0, iterations: 20}
"""


@pytest.fixture
def params(tmp_path: Path) -> Path:
    path = tmp_path / "params.yaml"
    path.write_text(PARAMS)
    return path


def test_a_cell_names_its_metric_file(params: Path) -> None:
    settings = section(BenchmarkTrainingSettings, "benchmark_training", params)
    (cell,) = map(TrainingCell.parse, settings.cells)
    assert cell == TrainingCell(task="pretrain", model="large", sequence_length=128, batch_size=8)
    assert cell.name == "pretrain-large-128-8"
    assert (settings.warmup, settings.steps) == (5, 20)
    assert Cell.parse("large-384-8").name == "large-384-8"


def test_ranks_accumulate_to_the_published_global_batch(params: Path) -> None:
    """Of the published table: eight DGX A100 GPUs with micro-batches of 64 accumulate 128 of them."""
    settings = section(BenchmarkTrainingSettings, "benchmark_training", params)
    assert settings.split(TrainingCell.parse("pretrain-large-128-64"), 8) == Split(8, 128, 64)
    assert settings.split(TrainingCell.parse("pretrain-large-512-16"), 8) == Split(8, 1, 16)
    assert settings.split(TrainingCell.parse("squad-large-384-32"), 4) == Split(4, 1, 32)
    with pytest.raises(StageError, match=r"pretrain-128 is 65536, no multiple of the 48 rows that 3 ranks hold"):
        settings.split(TrainingCell.parse("pretrain-large-128-16"), 3)


def test_a_global_batch_is_of_a_task_and_a_length(params: Path) -> None:
    params.write_text(PARAMS.replace("pretrain-512", "phase2"))
    with pytest.raises(StageError, match="'phase2' is no task and sequence length, such as pretrain-128"):
        section(BenchmarkTrainingSettings, "benchmark_training", params)


@pytest.mark.parametrize("name", ["large-384", "large-384-0", "large-384-8-1", "large-384-x", "-384-8", "large"])
def test_a_name_of_another_form_is_refused(name: str) -> None:
    with pytest.raises(StageError, match=f"benchmark cell '{name}': expected <model>-<sequence length>-<batch size>"):
        Cell.parse(name)
    with pytest.raises(StageError, match=f"benchmark cell 'squad-{name}': expected <task>-<model>-<sequence length>-"):
        TrainingCell.parse(f"squad-{name}")


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
    with pytest.raises(StageError, match=f"benchmark cell 'pretrain-{name}': {wrong}"):
        TrainingCell.parse(f"pretrain-{name}")


def test_no_warm_up_is_refused_since_the_first_call_compiles(params: Path) -> None:
    with pytest.raises(StageError, match=r"benchmark_inference\.warmup"):
        section(BenchmarkInferenceSettings, "benchmark_inference", params)
