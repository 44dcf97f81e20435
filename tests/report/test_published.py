"""bert/report/published.py: spot checks against the published tables, and what counts as the same work."""

from __future__ import annotations

from statistics import fmean

import pytest

from bert.pipeline.code import ROOT
from bert.pipeline.params import load
from bert.report import published
from stages.preset import read_preset


def test_the_inference_table_is_whole_and_its_latencies_rise() -> None:
    assert len(published.INFERENCE) == 2 * 2 * 4 * 3
    for (_, _, batch, _), speed in published.INFERENCE.items():
        mean, *tail = speed.latency_ms
        assert tail == sorted(tail) and mean > tail[0]  # compilation is in the mean
        # Sequential batches: the throughput follows from the latency, but for the slowest calls.
        assert speed.sequences_per_second == pytest.approx(batch * 1000 / tail[0], rel=0.2)


@pytest.mark.parametrize(
    ("work", "expected"),
    [
        (("large", 384, 8, "fp16"), (182.13, 61.04, 44.32, 44.61, 45.23)),
        (("large", 384, 8, "fp32"), (58.38, 147.63, 137.43, 137.82, 138.3)),
        (("base", 128, 1, "tf32"), (223.38, 6.94, 4.73, 4.86, 5.04)),
    ],
)
def test_inference_figures(work: tuple[str, int, int, str], expected: tuple[float, ...]) -> None:
    speed = published.inference(*work)
    assert speed is not None
    assert (speed.sequences_per_second, *speed.latency_ms) == expected


def test_other_work_has_no_published_figure() -> None:
    assert published.inference("large", 384, 16, "fp16") is None
    assert published.inference("large", 384, 8, "bf16") is None
    assert published.inference("tiny", 384, 8, "fp16") is None
    assert published.squad_training("large", 384, 32, 1, "fp16") is not None
    assert published.squad_training("base", 384, 32, 1, "fp16") is None
    assert published.pretraining("large", 128, 64, 65536, 8, "tf32") is not None
    assert published.pretraining("large", 128, 32, 65536, 8, "tf32") is None
    assert published.pretraining("large", 128, 64, 32768, 8, "tf32") is None
    assert published.pretraining("tiny", 128, 64, 65536, 8, "tf32") is None


@pytest.mark.parametrize("work", published.PRETRAINING)
def test_published_pretraining_accumulates_to_the_batch_of_its_phase(work: tuple[int, int, int, int, str]) -> None:
    length, micro_batch, global_batch, devices, _ = work
    assert global_batch == {128: 65536, 512: 32768}[length]
    assert global_batch % (micro_batch * devices) == 0


def test_a_pretraining_stands_under_the_micro_batch_that_it_was_measured_at() -> None:
    """As the page's tables have them: "batch size / GPU" of either precision, on one GPU."""
    found = {
        (speed.hardware.partition(" x ")[2], length, precision): micro_batch
        for (length, micro_batch, _, devices, precision), speed in published.PRETRAINING.items()
        if devices == 1
    }
    assert found == {
        **{(published.A100, 128, "fp16"): 64, (published.A100, 128, "tf32"): 64},
        **{(published.A100, 512, "fp16"): 16, (published.A100, 512, "tf32"): 8},
        **{(published.V100, 128, "fp32"): 32, (published.V100, 512, "fp16"): 8, (published.V100, 512, "fp32"): 8},
        **{(published.V100_16, 128, "fp16"): 16, (published.V100_16, 128, "fp32"): 8},
        **{(published.V100_16, 512, "fp16"): 4, (published.V100_16, 512, "fp32"): 2},
    }


@pytest.mark.parametrize("ranks", [1, 8])
def test_each_cell_of_the_preset_repeats_a_published_pretraining(ranks: int) -> None:
    preset = read_preset("published_pretraining", load(ROOT / "params.yaml")).params
    for cell in preset["benchmark_training.cells"]:
        task, model, length, batch = cell.split("-")
        update = preset[f"benchmark_training.global_batch.{task}-{length}"]
        assert published.trainings(task, model, int(length), int(batch), update, ranks), cell


def test_scores_are_of_the_same_development_set() -> None:
    assert [s.figures for s in published.scores("squad", "large", 10570)] == [{"f1": 91.41}, {"f1": 91.52}]
    assert published.scores("squad", "large", 410) == ()
    assert published.scores("squad", "tiny", 10570) == ()
    assert published.scores("glue/mrpc", "large", None) == ()


@pytest.mark.parametrize("work", published.SEEDS)
def test_the_published_means_are_those_of_the_published_seeds(work: tuple[str, str, int]) -> None:
    found = published.seeds(*work)
    assert found is not None and published.seeds(work[0], "base", work[2]) is None
    score, by_precision = found
    means = {s.precision.partition(",")[0]: s.figures[score] for s in published.scores(*work)}
    assert means.keys() == by_precision.keys()
    for precision, values in by_precision.items():
        assert fmean(values) == pytest.approx(means[precision], abs=0.0101), precision
        assert means[precision] == pytest.approx(fmean(values), abs=0.0101)


def test_the_same_work_in_any_precision_is_listed_by_its_hardware() -> None:
    found = published.trainings("squad", "large", 384, 32, 32, 1)
    assert {hardware: set(speeds) for hardware, speeds in found.items()} == {"1 x NVIDIA A100 40GB": {"fp16"}}
    both = published.trainings("pretrain", "large", 128, 64, 65536, 1)["1 x NVIDIA A100 40GB"]
    assert {name: speed.sequences_per_second for name, speed in both.items()} == {"fp16": 356.845, "tf32": 238.10}
    assert {of: set(speeds) for of, speeds in published.trainings("pretrain", "large", 512, 8, 32768, 8).items()} == {
        **{"8 x NVIDIA A100 40GB": {"tf32"}, "8 x NVIDIA V100 32GB (DGX-1)": {"fp16", "fp32"}}
    }
    assert published.trainings("pretrain", "large", 128, 24, 65536, 1) == {}
    assert published.trainings("pretrain", "base", 128, 64, 65536, 1) == {}
    assert published.trainings("pretrain", "large", 128, 64, 32768, 1) == {}
    assert set(published.inferences("base", 128, 8)["1 x NVIDIA A100 40GB"]) == {"fp16", "tf32", "fp32"}
    assert published.inferences("large", 128, 16) == {}


def test_weak_scaling_is_of_one_device_and_several_of_the_same_kind() -> None:
    found = published.weak_scaling("squad", "large", 384, 10, 10, "fp32")
    assert {card: list(speeds) for card, speeds in found.items()} == {"NVIDIA V100 32GB (DGX-1)": [1, 8]}
    pretraining = published.weak_scaling("pretrain", "large", 512, 8, 32768, "fp32")
    assert {card: list(speeds) for card, speeds in pretraining.items()} == {"NVIDIA V100 32GB (DGX-1)": [1, 8]}
    assert published.weak_scaling("pretrain", "large", 128, 64, 65536, "fp32") == {}, "at 32 and 8 only"
    assert published.weak_scaling("squad", "base", 384, 10, 10, "fp32") == {}
