"""The lists of `stability` in params.yaml: what real DVC has to run for one seed, or one precision, more."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from dvc.repo import Repo
from ruamel.yaml import YAML

from bert.pipeline.code import ROOT
from tests.dvc import run

pytestmark = pytest.mark.slow

ONE: dict[str, list[Any]] = {
    "precisions": ["default"],
    "tasks": ["mrpc"],
    "seeds": [1],
    "squad_seeds": [1],
    "pretrain_seeds": [1],
}
SUMMARY = ["params", "stability", "report"]


def set_stability(repo: Path, **changes: list[Any]) -> None:
    yaml = YAML()
    params = yaml.load((repo / "params.yaml").read_text())
    assert changes.keys() <= params["stability"].keys()
    params["stability"] |= changes
    with open(repo / "params.yaml", "w") as f:
        yaml.dump(params, f)


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository to whose DVC all has run: something lies wherever a stage would read or write."""
    folder = tmp_path_factory.mktemp("stability") / "repo"
    folder.mkdir()
    for name in ("dvc.yaml", "params.yaml", ".gitignore", ".dvcignore"):
        shutil.copyfile(ROOT / name, folder / name)
    set_stability(folder, **ONE)
    run(folder, "git", "init", "-q", "-b", "main")
    run(folder, "dvc", "init", "-q")
    shutil.copyfile(ROOT / ".dvc" / "config", folder / ".dvc" / "config")
    stages = Repo(str(folder)).index.stages
    paths = {Path(str(entry)) for stage in stages for entry in (*stage.outs, *stage.deps)} - {Path("params.yaml")}
    for path in paths:
        file = folder / path if path.suffix else folder / path / ".gitkeep"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(str(path))
    run(folder, "dvc", "commit", "-q", "-f")
    return folder


def stale(repo: Path, **changes: list[Any]) -> list[str]:
    """The stages that `dvc repro` would run by itself under ONE with changes."""
    set_stability(repo, **ONE | changes)
    found: dict[str, Any] = json.loads(run(repo, "dvc", "status", "--json").stdout)
    return list(found)


def test_all_has_run(repo: Path) -> None:
    assert stale(repo) == []


@pytest.mark.parametrize(
    ("key", "trainings"),
    [
        ("squad_seeds", ["stability_squad@default-2"]),
        ("seeds", ["stability_glue@mrpc-default-2"]),
        ("pretrain_seeds", ["stability_phase1@default-2", "stability_phase2@default-2"]),
    ],
)
def test_one_seed_more_is_one_training_more_and_nothing_else(repo: Path, key: str, trainings: list[str]) -> None:
    assert sorted(stale(repo, **{key: [1, 2]})) == sorted([*trainings, *SUMMARY])


def test_one_precision_more_leaves_the_runs_of_the_others(repo: Path) -> None:
    trainings = [f"stability_{name}@bf16-1" for name in ("phase1", "phase2", "squad")]
    assert sorted(stale(repo, precisions=["default", "bf16"])) == sorted(
        [*trainings, "stability_glue@mrpc-bf16-1", *SUMMARY]
    )


def test_a_seed_less_runs_the_summary_alone(repo: Path) -> None:
    assert sorted(stale(repo, squad_seeds=[], seeds=[])) == sorted(SUMMARY)


def test_the_runs_of_a_seed_share_the_data_of_all(repo: Path) -> None:
    """Which seed a run has stands in its command; `seed`, which makes the data, is no parameter of it."""
    set_stability(repo, **ONE)
    trainings = [stage for stage in Repo(str(repo)).index.stages if stage.name and stage.name.startswith("stability_")]
    assert len(trainings) == 4
    for stage in trainings:
        params = {name for dep in stage.deps for name in getattr(dep, "params", ())}
        assert "precision" in params and "seed" not in params
        for dep in map(str, stage.deps):
            assert "stability" not in dep or stage.name.startswith("stability_phase2"), dep
