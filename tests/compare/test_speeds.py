"""bert/compare/speeds.py: what is divided by what, and what was published of the same work."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bert.compare.contents import Contents
from bert.compare.machines import Labels, machine
from bert.compare.speeds import section
from bert.report.published import INFERENCE, PRETRAINING, SQUAD_TRAINING
from bert.report.tables import Section
from tests.compare.made import CPU, GPU, captions, cells, column, contents, table

BESIDE = "Beside published figures"
TRAIN, INFER = "benchmark_training/squad-tiny-128-8", "benchmark_inference/tiny-128-8"
HARDWARE = st.fixed_dictionaries(
    {
        "accelerator": st.sampled_from(["none", "NVIDIA A100", "NVIDIA A100, NVIDIA A100"]),
        "cpu": st.sampled_from(["EPYC", "Xeon"]),
        "cores": st.integers(1, 2),
        "memory_gb": st.sampled_from([15.5, 31.0]),
    }
)


def timed(name: str, speed: float, where: dict[str, Any] | None = CPU, key: str = INFER, **more: Any) -> Contents:
    """A revision with one benchmark."""
    figures = {"sequences_per_second": speed, "precision": "fp32", "ranks": 1} | more
    return contents(name, {key: figures}, where)


def compared(*revisions: Contents) -> Section:
    return section(revisions, Labels())


def speedups(*revisions: Contents, caption: str = "Inference benchmark") -> list[str]:
    return column(table(compared(*revisions), caption), "speed-up")


@settings(deadline=None)  # on a busy machine
@given(HARDWARE, HARDWARE)
def test_only_speeds_of_one_machine_are_divided(first: dict[str, Any], second: dict[str, Any]) -> None:
    found = speedups(timed("HEAD", 100.0, first), timed("other", 150.0, second))
    assert found == ["–", "1.50" if first == second else "other machine"]


def test_a_speed_of_a_machine_that_is_not_known_is_divided_by_none() -> None:
    assert speedups(timed("HEAD", 100.0), timed("other", 150.0, None)) == ["–", "?"]
    assert speedups(timed("HEAD", 100.0, None), timed("other", 150.0, None)) == ["–", "?"]
    text = " ".join(compared(timed("HEAD", 100.0), timed("other", 150.0, None)).text)
    assert "(other)" in text and "dvc fetch --all-commits" in text


def test_versions_make_no_other_machine() -> None:
    first, second = timed("HEAD", 100.0), timed("other", 80.0)
    second.inputs.provenance[INFER]["versions"] = {"tensorflow": "3.0"}
    assert machine(first, INFER) == machine(second, INFER)
    assert speedups(first, second) == ["–", "0.80"]


@pytest.mark.parametrize("speed", [None, 0, True, "fast"])
def test_what_is_no_speed_is_divided_by_nothing(speed: Any) -> None:
    assert speedups(timed("HEAD", speed), timed("a", 2.0)) == ["–", "–"]


def test_machines_are_labelled_in_the_order_of_the_tables() -> None:
    labels = Labels()
    found = section([timed("HEAD", 1.0, GPU), timed("a", 2.0, CPU), timed("b", 3.0, GPU)], labels)
    assert column(table(found, "Inference benchmark"), "on") == ["A", "B", "A"]
    assert column(labels.table(), "accelerator") == ["NVIDIA A100", "none"]


def test_other_work_is_a_row_of_its_own_without_a_speedup() -> None:
    found = table(
        compared(timed("HEAD", 100.0, key=TRAIN), timed("ranks", 400.0, key=TRAIN, ranks=4)), "Training benchmark"
    )
    assert cells(found, "revision", "ranks", "speed-up") == [("HEAD", "1", "–"), ("ranks", "4", "–")]


def test_without_a_speed_in_the_first_revision_there_is_no_speedup() -> None:
    assert speedups(contents("HEAD", {}), timed("a", 100.0), timed("b", 150.0)) == ["–", "–"]


def test_a_cell_of_an_older_revision_has_no_task_in_its_name_and_is_of_squad() -> None:
    old = timed("old", 100.0, key="benchmark_training/tiny-128-8", sequence_length=128, batch_size=8)
    more: dict[str, Any] = {"task": "squad", "accumulation": 1, "global_batch": 8}
    new = timed("new", 150.0, key=TRAIN, sequence_length=128, batch_size=8, **more)
    assert speedups(old, new, caption="Training benchmark") == ["–", "1.50"]
    pretraining = timed("new", 150.0, key="benchmark_training/pretrain-tiny-128-8", **more | {"task": "pretrain"})
    assert speedups(old, pretraining, caption="Training benchmark") == ["–", "–"]


def test_what_did_not_fit_is_said_so_and_the_others_are_compared() -> None:
    full = timed("fp32", 0.0)
    full.inputs.metrics[INFER] = {"out_of_memory": True, "precision": "fp32", "ranks": 1}
    found = table(compared(timed("HEAD", 100.0), full, timed("bf16", 300.0)), "Inference benchmark")
    assert cells(found, "seq / s", "speed-up") == [("100.0", "–"), ("out of memory", "–"), ("300.0", "3.00")]


def test_engines_are_compared_and_named() -> None:
    found = table(
        compared(timed("HEAD", 100.0, engine="tensorflow"), timed("ov", 250.0, engine="openvino")),
        "Inference benchmark",
    )
    assert cells(found, "precision", "speed-up") == [("fp32", "–"), ("fp32, openvino", "2.50")]


def test_percentiles_and_weak_scaling_are_tables() -> None:
    scaling = [{"ranks": 1, "sequences_per_second": 10.0, "speedup": 1.0}]
    scaling += [{"ranks": 8, "sequences_per_second": 72.0, "speedup": 7.2}]
    latency = {"mean": 8.5, "p50": 8.0, "p90": 9.0, "p95": 9.5, "p99": 11.0, "p100": 20.0}
    revision = timed("HEAD", 72.0, key=TRAIN, ranks=8, weak_scaling=scaling, latency_ms=latency)
    found = compared(revision)
    assert cells(table(found, "Weak scaling"), "ranks", "weak scaling") == [("1", "1.00"), ("8", "7.20")]
    assert table(found, "Training benchmark: ms a step").rows[0].cells[-1] == "20.00"
    assert "Weak scaling" not in captions(compared(timed("HEAD", 1.0, key=TRAIN)))


def test_trainings_of_the_pipeline_are_compared_where_length_batch_and_ranks_are_the_same() -> None:
    def trained(name: str, speed: float, batch: int) -> Contents:
        figures = {"sequences_per_second": speed, "global_batch": batch, "ranks": 1, "precision": "fp32"}
        return contents(name, {"pretrain_phase1": figures})

    found = table(
        compared(trained("HEAD", 10, 8), trained("a", 20, 8), trained("b", 30, 16)), "Trainings of the pipeline"
    )
    assert cells(found, "revision", "length", "batch", "speed-up") == [
        ("HEAD", "128", "8", "–"),
        ("a", "128", "8", "2.00"),
        ("b", "128", "16", "–"),
    ]


def inference(model: str, length: int, batch: int, precision: str, **more: Any) -> Contents:
    latency = {"mean": 9.25, "p90": 8.0, "p95": 8.5, "p99": 8.75}
    figures: dict[str, Any] = {"sequence_length": length, "batch_size": batch, "precision": precision}
    figures |= {"reference_rules": {"sequences_per_second": 1.5, "latency_ms": latency}} | more
    return timed("HEAD", 1.0, key=f"benchmark_inference/{model}-{length}-{batch}", **figures)


@pytest.mark.parametrize("work", INFERENCE)
def test_published_inference_stands_beside_the_same_work_by_the_same_rules(work: tuple[str, int, int, str]) -> None:
    ours, theirs = table(compared(inference(*work)), BESIDE).rows
    assert ours.cells[4:] == ("1.50", "9.25", "8.00", "8.50", "8.75")
    assert theirs.cells[1:3] == ("published", work[3])
    assert theirs.cells[4] == f"{INFERENCE[work].sequences_per_second:,.2f}"


OTHERS = {"model": "tiny", "length": 129, "batch": 3, "precision": "bf16"}


@settings(deadline=None)  # on a busy machine
@given(st.sampled_from(sorted(INFERENCE)), st.sampled_from(sorted(OTHERS)))
def test_published_inference_does_not_stand_beside_other_work(work: tuple[str, int, int, str], changed: str) -> None:
    same: dict[str, Any] = dict(zip(OTHERS, work, strict=True))
    assert BESIDE in captions(compared(inference(**same)))
    assert BESIDE not in captions(compared(inference(**same | {changed: OTHERS[changed]})))
    assert BESIDE not in captions(compared(inference(**same, ranks=2)))
    assert BESIDE not in captions(compared(inference(**same, precision_effective="bf16")))


@pytest.mark.parametrize("work", SQUAD_TRAINING)
def test_published_fine_tuning_stands_beside_the_same_work(work: tuple[int, int, int, str]) -> None:
    length, batch, ranks, precision = work

    def benchmark(task: str, length: int, batch: int, ranks: int, precision: str, model: str = "large") -> Contents:
        shape = {"sequence_length": length, "batch_size": batch, "ranks": ranks}
        more: dict[str, Any] = shape | {"precision": precision, "task": task}
        key = f"benchmark_training/{task}-{model}-{length}-{batch}"
        return timed("HEAD", 1.0, key=key, reference_rules={"sequences_per_second": 2.5}, **more)

    ours, theirs = table(compared(benchmark("squad", *work)), BESIDE).rows
    assert ours.cells[4] == "2.50" and theirs.cells[4] == f"{SQUAD_TRAINING[work].sequences_per_second:,.2f}"
    for other in [
        benchmark("pretrain", *work),
        benchmark("mrpc", *work),
        benchmark("squad", length + 1, batch, ranks, precision),
        benchmark("squad", length, batch + 100, ranks, precision),
        benchmark("squad", length, batch, ranks + 100, precision),
        benchmark("squad", length, batch, ranks, "bf16"),
        benchmark("squad", *work, model="base"),
    ]:
        assert BESIDE not in captions(compared(other))


@pytest.mark.parametrize("work", PRETRAINING)
def test_published_pretraining_stands_beside_the_benchmark_and_the_training_itself(
    work: tuple[int, int, int, int, str],
) -> None:
    length, micro_batch, update, ranks, precision = work
    accumulation = update // (ranks * micro_batch)
    ran: dict[str, Any] = {"global_batch": update, "ranks": ranks, "accumulation": accumulation, "precision": precision}
    cell: dict[str, Any] = {"sequence_length": length, "batch_size": micro_batch, "task": "pretrain"}
    key = f"benchmark_training/pretrain-large-{length}-{micro_batch}"
    phase = "pretrain_phase1" if length == 128 else "pretrain_phase2"
    for revision in (timed("HEAD", 1.0, key=key, **cell, **ran), timed("HEAD", 1.0, key=phase, **ran)):
        assert len(table(compared(revision), BESIDE).rows) == 2
        metrics = revision.inputs.metrics[next(iter(revision.inputs.metrics))]
        metrics["accumulation"] = 5 * accumulation  # so small a micro-batch was nowhere published
        assert BESIDE not in captions(compared(revision)), "another micro-batch"
        metrics |= {"accumulation": accumulation, "global_batch": update + 1}
        assert BESIDE not in captions(compared(revision))


def test_one_published_row_stands_below_all_revisions_of_its_work() -> None:
    work = ("large", 384, 8, "fp32")
    second = inference(*work, reference_rules={"sequences_per_second": 2.5})
    found = table(compared(inference(*work), second), BESIDE)
    assert column(found, "revision") == ["HEAD", "HEAD", "published"]
    assert "speed-up" not in found.header, "their machine is another one"


@pytest.mark.parametrize("phase", ["phase1", "phase2"])
def test_tokens_a_second_are_without_the_padding_of_the_phases_own_rows(phase: str) -> None:
    figures = {"sequences_per_second": 39.22, "tokens_per_second": 20000.0, "precision": "fp32"}
    other = "phase2" if phase == "phase1" else "phase1"
    records = {f"tfrecords/{phase}": {"train": {"padding": 0.25}, "test": {"padding": 0.5}}}
    unlike = {f"tfrecords/{other}": {"train": {"padding": 0.75}}}
    known = contents("HEAD", {f"pretrain_{phase}": figures} | records | unlike)
    found = table(compared(known, contents("a", {f"pretrain_{phase}": figures} | unlike)), "Trainings of the pipeline")
    assert column(found, "real tokens / s") == ["15,000", "–"]


@pytest.mark.parametrize("key", [TRAIN, INFER])
def test_the_rows_of_a_benchmark_have_no_padding(key: str) -> None:
    found = compared(timed("HEAD", 10.0, key=key, tokens_per_second=1280.0)).tables[0]
    assert column(found, "tokens / s") == ["1,280"]
