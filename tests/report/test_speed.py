"""bert/report/speed.py: benchmarks in the published layout, beside published figures of the same work."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bert.report.inputs import Inputs
from bert.report.page import render
from bert.report.tables import NONE
from tests.report.pages import XLA, page_of
from tests.report.parsed import Parsed
from tests.report.sample import GPU, PRETRAINED, benchmark, write


def test_the_clean_figures_stand_in_the_benchmark_tables(whole: str) -> None:
    page, ran_on = Parsed(whole), ["fp16", "B"]
    name = "squad-tiny-128-8"
    times = ["111.5", "14,272", "8.97", "8.50", "9.90", "10.10", "12.30", "13.70"]
    assert page.row(name, "111.5") == [name, *times, *ran_on]
    assert page.row(name, "128") == [name, *("128", "8", "1", "1", "30", "5.2", "6.1", XLA), *ran_on]
    assert page.row(name, "90") == [name, "90", "43.5 %", *ran_on]


def test_figures_by_the_published_rules_stand_in_the_published_layout(whole: str) -> None:
    page = Parsed(whole)
    figures = ["222.75", "31.25", "9.50", "9.75", "11.50"]
    here = "here, A: 2 cores of Xeon 8581C"
    assert page.row("tiny-128-8", *figures) == ["tiny-128-8", *figures, "128", "8", "fp16", here]
    assert page.row("squad-tiny-128-8", "222.75")[1:] == ["222.75", "128", "8", "8", "1", "here, B: 2 x NVIDIA H100"]


def test_a_cell_that_did_not_fit_into_memory_says_so_where_its_speed_would_stand(whole: str) -> None:
    page = Parsed(whole)
    throughput, steps = (row for row in page.rows if row[:2] == ["pretrain-tiny-512-64", "out of memory"])
    assert throughput[2:] == ["512", "64", "128", "1", "here, B: 2 x NVIDIA H100"]
    assert set(steps[2:-2]) == {NONE} and steps[-2:] == ["fp16", "B"]
    assert page.row("pretrain-tiny-512-64", "512")[1:5] == ["512", "64", "2", "1"]


def test_columns_that_nothing_was_measured_for_are_left_out(tmp_path: Path) -> None:
    cell = benchmark(384, 32)
    without = Parsed(render(Inputs({"benchmark_training/squad-large-384-32": cell}), {}))
    assert not [name for row in without.rows for name in row if name.startswith(("J a", "W, ", "memory"))]
    energy = {"energy_joules_per_sequence": {"gpu": 1.23456}, "average_watts": {"gpu": 321.7}, "peak_rss_mb": 2100.6}
    page = Parsed(render(Inputs({"benchmark_training/squad-large-384-32": cell | energy}), {}))
    assert page.row("squad-large-384-32", "90")[3:6] == ["2,101", "1.235", "322"]
    head = next(row for row in page.rows if row[:2] == ["cell", "GFLOP / s"])
    assert head[3:6] == ["memory, MB", "J a sequence, GPU", "W, GPU"]


def test_weak_scaling_stands_beside_the_published_one_of_the_same_work() -> None:
    ours = [
        {"ranks": 1, "sequences_per_second": 100.0, "speedup": 1.0},
        {"ranks": 8, "sequences_per_second": 720.0, "speedup": 7.2},
    ]
    key = "benchmark_training/squad-large-384-32"
    shown = render(Inputs({key: benchmark(384, 32, ranks=8, weak_scaling=ours)}), {})
    rows = [row[1:] for row in Parsed(shown).rows if row[0] == "squad-large-384-32" and row[1] in ("1", "8")]
    assert rows == [
        ["1", "100.00", "1.00", "100.0 %", "fp16", f"here, {NONE}"],
        ["8", "720.00", "7.20", "90.0 %", "fp16", f"here, {NONE}"],
        ["1", "102.26", "1.00", "100.0 %", "fp16", "published: NVIDIA A100 40GB"],
        ["8", "767.07", "7.50", "93.8 %", "fp16", "published: NVIDIA A100 40GB"],
    ]
    assert "Weak scaling" not in render(Inputs({key: benchmark(384, 32)}), {})


def test_latencies_are_drawn_with_the_published_ones_of_the_same_work() -> None:
    tiny = render(Inputs({"benchmark_inference/tiny-128-8": benchmark(128, 8)}), {})
    large = render(Inputs({"benchmark_inference/large-384-8": benchmark(384, 8)}), {})
    assert "Latency of a batch" in tiny and "as published" not in tiny
    assert "as published of 1 x NVIDIA A100 40GB" in large and "large-384-8, fp16</text>" in large
    none = render(Inputs({"benchmark_inference/tiny-128-8": {}}), {})
    assert "Latency of" not in none


def test_a_benchmark_says_which_engine_computed() -> None:
    metrics = {"benchmark_inference/base-384-8": benchmark(384, 8) | {"engine": "openvino"}}
    assert Parsed(render(Inputs(metrics), {})).row("base-384-8", "384")[-3] == "OpenVINO"


def test_no_published_figure_stands_beside_tiny(whole: str) -> None:
    assert "NVIDIA A100" not in whole
    assert "No published figure stands here" in whole
    assert "(model tiny)" in whole


@pytest.mark.parametrize(
    ("key", "metrics", "ours", "theirs"),
    [
        (
            "benchmark_inference/large-384-8",
            benchmark(384, 8),
            ["222.75", "31.25", "9.50", "9.75", "11.50", "384", "8", "fp16"],
            ["182.13", "61.04", "44.32", "44.61", "45.23", "384", "8", "fp16"],
        ),
        (
            "benchmark_training/squad-large-384-32",
            benchmark(384, 32, task="squad"),
            ["222.75", "384", "32", "32", "1"],
            ["102.26", "384", "32", "32", "1"],
        ),
        # Of the time before cells named their task: SQuAD's.
        (
            "benchmark_training/large-384-32",
            benchmark(384, 32),
            ["222.75", "384", "32", "32", "1"],
            ["102.26", "384", "32", "32", "1"],
        ),
        (
            "benchmark_training/pretrain-large-128-64",
            benchmark(128, 64, task="pretrain", accumulation=1024, global_batch=65536),
            [NONE, "222.75", NONE, "128", "64", "65,536", "1"],
            ["238.10", "356.85", "1.50 (fp16 : tf32)", "128", "64", "65,536", "1"],
        ),
        (
            "pretrain_phase1",
            {**PRETRAINED, **{"global_batch": 65536, "accumulation": 1024, "precision_effective": "tf32"}},
            ["213.46", NONE, NONE, "128", "64", "65,536", "1"],
            ["238.10", "356.85", "1.50 (fp16 : tf32)", "128", "64", "65,536", "1"],
        ),
    ],
)
def test_published_figures_stand_beside_the_same_work_with_both_machines(
    tmp_path: Path, key: str, metrics: dict[str, Any], ours: list[str], theirs: list[str]
) -> None:
    write(tmp_path, {key: metrics}, GPU)
    page = page_of(tmp_path, {"model": "large", "tfrecords.phase1.sequence_length": 128})
    on = ["here, A: 2 x NVIDIA H100", "published: 1 x NVIDIA A100 40GB"]
    rows = [row for row in Parsed(page).rows if set(on) & set(row)][:2]
    assert [row[1:] for row in rows] == [[*ours, on[0]], [*theirs, on[1]]]
    assert {row[0] for row in rows} == {key.rpartition("/")[2]}


def test_precisions_stand_side_by_side_and_only_of_one_machine_is_there_a_speed_up(tmp_path: Path) -> None:
    write(tmp_path, {"benchmark_inference/large-128-4": benchmark(128, 4)}, GPU)
    page = Parsed(page_of(tmp_path))
    head = next(row for row in page.rows if "speed-up" in row)
    assert head == ["cell", "fp32", "tf32", "fp16", "speed-up", "length", "batch", "on"]
    ours, theirs = (row for row in page.rows if row[0] == "large-128-4" and row[5:7] == ["128", "4"] and len(row) == 8)
    assert ours[1:5] == [NONE, NONE, "222.75", NONE]
    assert theirs[1:5] == ["141.52", "316.25", "315.83", "2.23 (tf32 : fp32)"]


@pytest.mark.parametrize("batch", [8, 32])
def test_at_another_micro_batch_there_is_no_published_pretraining_in_that_precision(tmp_path: Path, batch: int) -> None:
    cell = benchmark(128, batch, task="pretrain", accumulation=65536 // batch, global_batch=65536)
    write(tmp_path, {f"benchmark_training/pretrain-large-128-{batch}": cell})
    assert "published: " not in page_of(tmp_path), "fp16 was measured at 64 and 16, these with fp32 alone"


@pytest.mark.parametrize(
    "more",
    [
        {"precision_effective": "fp32"},
        {"precision": "bf16", "precision_effective": "bf16"},
        {"batch_size": 3},
        {"sequence_length": 256},
    ],
)
def test_other_work_has_nothing_published_beside_it(tmp_path: Path, more: dict[str, Any]) -> None:
    write(tmp_path, {"benchmark_inference/large-384-8": benchmark(384, 8, **more)})
    assert "NVIDIA A100" not in page_of(tmp_path)
