"""stages/stability.py."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bert.pipeline.errors import StageError
from stages.stability import main


def write(folder: Path, name: str, text: str) -> str:
    path = folder / name
    path.write_text(text)
    return str(path)


def test_exactly_the_named_runs_are_summarized(tmp_path: Path) -> None:
    runs = [write(tmp_path, f"mrpc-{n}.json", json.dumps({"accuracy": n / 10, "f1": 0.5})) for n in (1, 3, 9)]
    out = tmp_path / "metrics" / "stability.json"
    main(["--runs", runs[0], "--runs", runs[1], "--metrics", str(out)])  # the third is no longer in params
    assert json.loads(out.read_text()) == {
        "mrpc": {
            "accuracy": {"mean": 0.2, "std": 0.141421, "min": 0.1, "max": 0.3},
            "f1": {"mean": 0.5, "std": 0.0, "min": 0.5, "max": 0.5},
            "seeds": 2,
        }
    }


def test_of_a_folder_exactly_the_runs_that_params_name_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").mkdir()
    for seed in (1, 2, 3):  # 3 is left from before
        write(tmp_path / "runs", f"mrpc-{seed}.json", json.dumps({"accuracy": seed * 10.0}))
    write(tmp_path, "params.yaml", "stability: {tasks: [mrpc], seeds: [1, 2]}\n")
    main(["--runs", "runs", "--metrics", "out.json"])
    assert json.loads((tmp_path / "out.json").read_text())["mrpc"]["accuracy"]["mean"] == 15.0
    write(tmp_path, "params.yaml", "stability: {tasks: [mrpc], seeds: [1, 4]}\n")
    with pytest.raises(StageError, match=r"runs/mrpc-4\.json: no such file") as error:
        main(["--runs", "runs", "--metrics", "out.json"])
    assert error.value.run == "dvc repro stability_run@mrpc-4"


def test_the_tasks_own_run_is_that_of_one_more_seed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "glue").mkdir()
    for task in ("mrpc", "cola"):  # cola is no task of stability, and rte none of glue
        write(tmp_path / "glue", f"{task}.json", json.dumps({"accuracy": 30.0, "count": 5}))
    runs = [write(tmp_path, f"{name}.json", json.dumps({"accuracy": 15.0})) for name in ("mrpc-1", "mrpc-2", "rte-1")]
    write(tmp_path, "params.yaml", "seed: 7\nglue: {tasks: [mrpc, cola]}\n")
    main(["--runs", *runs, "--own", "glue", "--metrics", "out.json"])
    found = json.loads((tmp_path / "out.json").read_text())
    assert {task: (of["seeds"], of["accuracy"]["mean"]) for task, of in found.items()} == {
        "mrpc": (3, 20.0),
        "rte": (1, 15.0),
    }
    write(tmp_path, "params.yaml", "seed: 2\nglue: {tasks: [mrpc]}\n")  # stands among the runs already
    main(["--runs", *runs, "--own", "glue", "--metrics", "out.json"])
    assert json.loads((tmp_path / "out.json").read_text())["mrpc"]["seeds"] == 2


@pytest.mark.parametrize("content", [None, "{", '["accuracy"]'])
def test_a_run_that_is_missing_or_broken_is_named(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "mrpc-7.json"
    if content is not None:
        path.write_text(content)
    out = tmp_path / "stability.json"
    with pytest.raises(StageError, match=r"mrpc-7\.json") as error:
        main(["--runs", str(path), "--metrics", str(out)])
    assert "stability_run@mrpc-7" in str(error.value.run)
    assert not out.exists()
