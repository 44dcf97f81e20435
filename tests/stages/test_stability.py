"""stages/stability.py."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bert.pipeline.errors import StageError
from stages.stability import main
from tests.stages.command import arguments

FP32 = {"precision": "fp32", "precision_effective": "fp32"}


def write(folder: Path, key: str, **metrics: Any) -> None:
    path = folder / "metrics" / f"{key}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(metrics))


def summary(
    folder: Path, tasks: str = "[]", seeds: str = "[]", squad: str = "[]", pretrain: str = "[]", own: int = 7
) -> Any:
    """What the stage writes under these params, with the command of dvc.yaml."""
    (folder / "params.yaml").write_text(
        f"seed: {own}\nglue: {{tasks: [mrpc, cola]}}\nstability: {{precisions: [default, bf16], tasks: {tasks}, "
        f"seeds: {seeds}, squad_seeds: {squad}, pretrain_seeds: {pretrain}}}\n"
    )
    main(arguments("stability"))
    return json.loads((folder / "metrics/stability.json").read_text())


@pytest.fixture(autouse=True)
def ran(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which the results are, and runs of seeds 1 to 3 in two precisions."""
    monkeypatch.chdir(tmp_path)
    for n, task in enumerate(("mrpc", "cola")):
        write(tmp_path, f"glue/{task}", accuracy=30.0 + n, count=5, **FP32)
    write(tmp_path, "squad", exact_match=60.0, f1=70.0, **FP32)
    for phase in ("phase1", "phase2"):
        write(tmp_path, f"pretrain_{phase}", mlm_loss=3.0, train_mlm_loss=2.0, **FP32)
    for precision in ("default", "bf16"):
        named = FP32 if precision == "default" else {"precision": precision, "precision_effective": precision}
        for seed in (1, 2, 3):
            write(tmp_path, f"stability_glue/mrpc-{precision}-{seed}", accuracy=seed * 10.0, **named)
            write(tmp_path, f"stability_glue/rte-{precision}-{seed}", accuracy=seed * 10.0, **named)
            write(tmp_path, f"stability_squad/{precision}-{seed}", exact_match=50.0, f1=seed * 10.0, **named)
            for phase in ("phase1", "phase2"):
                write(tmp_path, f"stability_{phase}/{precision}-{seed}", mlm_loss=3.5, train_mlm_loss=seed, **named)
    return tmp_path


def seeds(found: Any, task: str, score: str) -> dict[str, dict[str, float]]:
    return {p: {seed: of[score] for seed, of in s["seeds"].items()} for p, s in found[task].items()}


def test_every_training_is_summarized_with_its_result_as_one_seed_more(ran: Path) -> None:
    found = summary(ran, "[mrpc]", "[1, 2]", "[2]", "[3]")
    assert list(found) == ["pretrain_phase1", "pretrain_phase2", "squad", "mrpc"]
    assert seeds(found, "mrpc", "accuracy") == {"fp32": {"7": 30, "1": 10, "2": 20}, "bf16": {"1": 10, "2": 20}}
    assert seeds(found, "squad", "f1") == {"fp32": {"7": 70, "2": 20}, "bf16": {"2": 20}}
    assert seeds(found, "pretrain_phase2", "final_loss") == {"fp32": {"7": 2, "3": 3}, "bf16": {"3": 3}}
    assert found["squad"]["fp32"]["f1"] == {"mean": 45.0, "std": 35.355339, "min": 20.0, "max": 70.0}


def test_what_is_named_twice_or_is_no_task_of_glue_counts_as_what_ran(ran: Path) -> None:
    assert seeds(summary(ran, "[rte]", "[1]"), "rte", "accuracy")["fp32"] == {"1": 10}, "rte is none of glue.tasks"
    # The result's own seed stands among the others: the result is that run.
    assert seeds(summary(ran, "[mrpc]", "[1, 2]", own=2), "mrpc", "accuracy")["fp32"] == {"2": 30, "1": 10}


def test_without_seeds_nothing_is_summarized(ran: Path) -> None:
    assert summary(ran, "[mrpc, cola]") == {}


@pytest.mark.parametrize(
    ("lists", "missing", "stage"),
    [
        ({"tasks": "[mrpc]", "seeds": "[1, 4]"}, "stability_glue/mrpc-default-4", "stability_glue@mrpc-default-4"),
        ({"tasks": "[cola]", "seeds": "[1]"}, "stability_glue/cola-default-1", "stability_glue@cola-default-1"),
        ({"squad": "[9]"}, "stability_squad/default-9", "stability_squad@default-9"),
        ({"pretrain": "[9]"}, "stability_phase1/default-9", "stability_phase1@default-9"),
    ],
)
def test_a_run_that_is_missing_is_named_with_its_command(
    ran: Path, lists: dict[str, Any], missing: str, stage: str
) -> None:
    with pytest.raises(StageError, match=rf"metrics/{missing}\.json: no such file") as error:
        summary(ran, **lists)
    assert error.value.run == f"dvc repro {stage}"
    assert not (ran / "metrics/stability.json").exists()


@pytest.mark.parametrize("content", ["{", '["accuracy"]'])
def test_a_run_that_is_broken_is_named(ran: Path, content: str) -> None:
    (ran / "metrics/stability_squad/bf16-2.json").write_text(content)
    with pytest.raises(StageError, match=r"stability_squad/bf16-2\.json") as error:
        summary(ran, squad="[2]")
    assert "stability_squad@bf16-2" in str(error.value.run)


def test_a_list_that_is_none_names_the_parameter(ran: Path) -> None:
    with pytest.raises(StageError, match=r"stability\.squad_seeds\.0"):
        summary(ran, squad="[one]")
