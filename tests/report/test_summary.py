"""bert/report/summary.py."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bert.report.inputs import Inputs, read
from bert.report.summary import main_score, summary
from tests.report.sample import CPU, GPU, PRETRAINED, benchmark, write

PARAMS: dict[str, Any] = {
    **{"model": "tiny", "precision": "tf32", "seed": 7, "glue.tasks": ["mrpc", "cola"]},
    **{"benchmark_training.cells": ["squad-mini-128-8"], "benchmark_inference.cells": ["mini-128-8", "mini-128-1"]},
}
TIMED = {"sequences_per_second": 111.5, "latency_ms": {"mean": 8.97, "p50": 8.5}}


def test_each_headline_is_a_number_or_a_word(run: Path) -> None:
    inputs = read([run / "metrics"], [], [run / "metrics/provenance"])
    cells = ("benchmark_training/squad-mini-128-8", "benchmark_inference/mini-128-1", "benchmark_inference/mini-128-8")
    inputs.metrics.update(dict.fromkeys(cells, TIMED))
    found = summary(inputs, PARAMS)
    assert not [name for name, value in found.items() if not isinstance(value, str | int | float)]
    expected = {
        **{"model": "tiny", "precision": "tf32, ran as fp32", "machine": "2 cores of Xeon 8581C", "seed": 7},
        **{"phase1_mlm_loss": 5.1234, "phase1_mlm_loss_std": 0.0, "phase1_mlm_loss_seeds": 2},
        **{"phase1_seq_per_s": 213.4567, "squad_exact_match": 24.123, "squad_f1": 31.456},
        **{"glue_mrpc": 74.12, "training_cell": "squad-mini-128-8", "training_latency_ms": 8.97},
        **{"inference_cell": "mini-128-8", "inference_seq_per_s": 111.5},
    }
    assert {name: found.get(name) for name in expected} == expected
    assert not [name for name in found if "cola" in name or name.startswith("squad_f1_")]


def test_each_speed_has_the_machine_that_it_was_measured_on(tmp_path: Path) -> None:
    write(tmp_path, {"pretrain_phase1": PRETRAINED, "benchmark_inference/mini-128-8": benchmark(128, 8)}, CPU)
    write(tmp_path, {"pretrain_phase2": PRETRAINED, "benchmark_training/squad-mini-128-8": benchmark(128, 8)}, GPU)
    metrics = tmp_path / "metrics"
    found = summary(read([metrics], [], [metrics / "provenance"]), PARAMS)
    assert {name: value for name, value in found.items() if "machine" in name} == {
        **{"machine": "2 cores of Xeon 8581C", "inference_machine": "2 cores of Xeon 8581C"},
        **{"phase2_machine": "2 x NVIDIA H100", "training_machine": "2 x NVIDIA H100"},
    }
    inputs = Inputs({"pretrain_phase2": PRETRAINED})
    assert [name for name in summary(inputs, PARAMS) if "machine" in name] == ["machine"], "that of phase 2"


def test_what_has_not_run_has_no_headline() -> None:
    assert summary(Inputs(), PARAMS | {"benchmark_training.cells": []}) == {
        **{"model": "tiny", "precision": "tf32", "machine": "not recorded", "seed": 7},
    }


def test_the_seeds_are_those_in_the_precision_of_the_result() -> None:
    def of(precision: str) -> dict[str, Any]:
        spread = {"mean": 71.0, "std": 1.5, "min": 70.0, "max": 72.0}
        stability = {"mrpc": {"bf16": {"f1": spread, "seeds": {"1": {}, "2": {}}}}}
        metrics: dict[str, Any] = {
            "glue/mrpc": {"f1": 70.0, "accuracy": 60.0, "precision": precision},
            "stability": stability,
        }
        return summary(Inputs(metrics=metrics), PARAMS)

    assert of("bf16")["glue_mrpc_std"] == 1.5 and of("bf16")["glue_mrpc_seeds"] == 2
    assert "glue_mrpc_std" not in of("fp32")
    assert of("fp32")["glue_mrpc"] == 70.0


def test_the_main_score_is_the_first_in_the_file() -> None:
    assert main_score({"f1": 1.0, "accuracy": 2.0, "count": 3}) == "f1"
    assert main_score({"count": 3}) is None


def test_a_cell_that_did_not_fit_has_no_speed() -> None:
    full = {"benchmark_training/squad-mini-128-8": {"out_of_memory": True}}
    assert summary(Inputs(metrics=full), PARAMS).get("training_seq_per_s") is None
