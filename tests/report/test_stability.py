"""bert/report/stability.py."""

from __future__ import annotations

import pytest

from bert.pipeline.errors import StageError
from bert.report.stability import StabilitySettings, split, spread, summarize


def test_the_standard_deviation_is_the_sample_one() -> None:
    # 2, 4, 9: mean 5, squares 9 + 1 + 16 = 26, over n - 1 = 2: 13
    assert spread([2, 4, 9]) == {"mean": 5.0, "std": 3.605551, "min": 2, "max": 9}


def test_a_single_seed_has_no_deviation() -> None:
    assert spread([0.5]) == {"mean": 0.5, "min": 0.5, "max": 0.5}


def test_scores_are_gathered_by_task_and_nothing_else_is() -> None:
    summary = summarize(
        {
            "mrpc-1": {"accuracy": 0.7, "f1": 0.8, "count": 408, "sequences_per_second": 9.0},
            "mrpc-2": {"accuracy": 0.8, "f1": 0.6, "count": 408, "sequences_per_second": 5.0},
            "squad-1": {"exact_match": 20.0, "f1": 30.0},
        }
    )
    assert summary == {
        "mrpc": {
            "accuracy": {"mean": 0.75, "std": 0.070711, "min": 0.7, "max": 0.8},
            "f1": {"mean": 0.7, "std": 0.141421, "min": 0.6, "max": 0.8},
            "seeds": 2,
        },
        "squad": {
            "exact_match": {"mean": 20.0, "min": 20.0, "max": 20.0},
            "f1": {"mean": 30.0, "min": 30.0, "max": 30.0},
            "seeds": 1,
        },
    }


@pytest.mark.parametrize("other", [{"accuracy": 0.8}, {}])
def test_runs_of_a_task_must_have_the_same_scores(other: dict[str, float]) -> None:
    with pytest.raises(
        StageError, match=r"mrpc-2\.json: expected the scores of mrpc-1\.json \(accuracy, f1\)"
    ) as error:
        summarize({"mrpc-1": {"accuracy": 0.7, "f1": 0.8}, "mrpc-2": other})
    assert error.value.run == "dvc repro -f -s stability_run@mrpc-2"


def test_a_run_without_any_score_is_an_error() -> None:
    with pytest.raises(StageError, match=r"mrpc-1\.json"):
        summarize({"mrpc-1": {"count": 408}})


def test_the_seed_is_what_follows_the_last_hyphen() -> None:
    assert split("mnli-mm-3") == ("mnli-mm", "3")
    with pytest.raises(StageError, match="<task>-<seed>"):
        split("mrpc")


def test_params_name_a_run_for_each_task_and_seed() -> None:
    assert StabilitySettings(tasks=("mrpc", "cola"), seeds=(1, 2)).runs == ["mrpc-1", "mrpc-2", "cola-1", "cola-2"]
