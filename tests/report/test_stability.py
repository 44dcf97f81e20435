"""bert/report/stability.py."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from bert.pipeline.errors import StageError
from bert.report.stability import Run, StabilitySettings, results, spread, summarize

NOTHING: dict[str, Any] = {"precisions": ["default"], "tasks": [], "seeds": [], "squad_seeds": [], "pretrain_seeds": []}


def settings(**changes: Any) -> StabilitySettings:
    return StabilitySettings.model_validate(NOTHING | changes)


def run(task: str, seed: int, precision: str = "default") -> Run:
    return Run(task, f"stability_glue/{task}-{precision}-{seed}", seed, precision)


def test_the_standard_deviation_is_the_sample_one() -> None:
    # 2, 4, 9: mean 5, squares 9 + 1 + 16 = 26, over n - 1 = 2: 13
    assert spread([2, 4, 9]) == {"mean": 5.0, "std": 3.605551, "min": 2, "max": 9}


def test_a_single_seed_has_no_deviation() -> None:
    assert spread([0.5]) == {"mean": 0.5, "min": 0.5, "max": 0.5}


def test_scores_are_gathered_by_task_and_precision_and_nothing_else_is() -> None:
    fp32 = {"precision": "fp32", "precision_effective": "fp32", "count": 408}
    summary = summarize(
        {
            run("mrpc", 1): {"accuracy": 0.7, "f1": 0.8, "sequences_per_second": 9.0, **fp32},
            run("mrpc", 2): {"accuracy": 0.8, "f1": 0.6, "sequences_per_second": 5.0, **fp32},
            run("mrpc", 2, "bf16"): {"accuracy": 0.9, "f1": 0.5, "precision": "bf16"},
            Run("squad", "squad", 7): {"exact": 20.0, "f1": 30.0, "precision": "tf32", "precision_effective": "fp32"},
        }
    )
    assert summary == {
        "mrpc": {
            "fp32": {
                "accuracy": {"mean": 0.75, "std": 0.070711, "min": 0.7, "max": 0.8},
                "f1": {"mean": 0.7, "std": 0.141421, "min": 0.6, "max": 0.8},
                "seeds": {"1": {"accuracy": 0.7, "f1": 0.8}, "2": {"accuracy": 0.8, "f1": 0.6}},
            },
            "bf16": {
                "accuracy": {"mean": 0.9, "min": 0.9, "max": 0.9},
                "f1": {"mean": 0.5, "min": 0.5, "max": 0.5},
                "seeds": {"2": {"accuracy": 0.9, "f1": 0.5}},
            },
        },
        "squad": {
            "tf32": {
                "exact": {"mean": 20.0, "min": 20.0, "max": 20.0},
                "f1": {"mean": 30.0, "min": 30.0, "max": 30.0},
                "seeds": {"7": {"exact": 20.0, "f1": 30.0}},
                "ran_as": "fp32",
            }
        },
    }


def test_of_pretraining_the_final_loss_is_that_of_all_objectives_on_the_training_text() -> None:
    phase1 = Run("pretrain_phase1", "pretrain_phase1", 7)
    both = {"precision": "bf16", "mlm_loss": 3.0, "nsp_loss": 0.5, "train_mlm_loss": 1.25, "train_nsp_loss": 0.25}
    found = summarize({phase1: both | {"mlm_accuracy": 0.3, "best_mlm_loss": 2.9}})["pretrain_phase1"]["bf16"]
    assert found["seeds"] == {"7": {"final_loss": 1.5, "mlm_loss": 3.0, "nsp_loss": 0.5}}
    alone = {"precision": "bf16", "mlm_loss": 3.0, "train_mlm_loss": 1.25}
    found = summarize({phase1: alone})["pretrain_phase1"]["bf16"]
    assert found["seeds"] == {"7": {"final_loss": 1.25, "mlm_loss": 3.0}}


def test_a_seed_in_a_precision_that_is_also_the_default_counts_once() -> None:
    metrics = {"accuracy": 0.7, "precision": "bf16"}
    summary = summarize({run("mrpc", 1): metrics, run("mrpc", 1, "bf16"): metrics, run("mrpc", 2): metrics})
    assert list(summary["mrpc"]) == ["bf16"] and list(summary["mrpc"]["bf16"]["seeds"]) == ["1", "2"]


@pytest.mark.parametrize("other", [{"accuracy": 0.8}, {}])
def test_runs_of_a_task_must_have_the_same_scores(other: dict[str, Any]) -> None:
    runs = {run("mrpc", 1): {"accuracy": 0.7, "f1": 0.8}, run("mrpc", 2, "bf16"): other}
    with pytest.raises(
        StageError,
        match=r"mrpc-bf16-2\.json: expected the scores of metrics/stability_glue/mrpc-default-1\.json \(accuracy, f1\)",
    ) as error:
        summarize({run: metrics | {"precision": "fp32"} for run, metrics in runs.items()})
    assert error.value.run == "dvc repro -f -s stability_glue@mrpc-bf16-2"


@pytest.mark.parametrize("metrics", [{"count": 408, "precision": "fp32"}, {"accuracy": 0.5}, {"precision": ["fp32"]}])
def test_a_run_without_any_score_or_precision_is_an_error(metrics: dict[str, Any]) -> None:
    with pytest.raises(StageError, match=r"metrics/squad\.json") as error:
        summarize({Run("squad", "squad", 7): metrics})
    assert error.value.run == "dvc repro -f -s squad"


def test_params_name_a_run_for_each_task_precision_and_seed() -> None:
    found = settings(
        precisions=["default", "bf16"], tasks=["mrpc", "cola"], seeds=[1, 2], squad_seeds=[3], pretrain_seeds=[4]
    )
    assert found.members == {
        "stability_phase1": ["default-4", "bf16-4"],
        "stability_phase2": ["default-4", "bf16-4"],
        "stability_squad": ["default-3", "bf16-3"],
        "stability_glue": [f"{t}-{p}-{s}" for p in ("default", "bf16") for t in ("mrpc", "cola") for s in (1, 2)],
    }
    assert settings().runs == [] and not any(settings().members.values())
    with pytest.raises(ValidationError, match="fp8"):
        settings(precisions=["fp8"])
    with pytest.raises(ValidationError, match=r"squad: expected tasks of glue\.tasks"):
        settings(tasks=["squad"], seeds=[1])


def test_the_result_is_one_more_run_of_those_tasks_that_are_repeated() -> None:
    found = settings(tasks=["mrpc", "rte"], seeds=[1], pretrain_seeds=[4]).runs
    assert results(found, 7, ["cola", "mrpc"]) == [
        Run("pretrain_phase1", "pretrain_phase1", 7),
        Run("pretrain_phase2", "pretrain_phase2", 7),
        Run("mrpc", "glue/mrpc", 7),
    ]
