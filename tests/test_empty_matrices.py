"""Lists of params.yaml that a matrix runs over may be empty: real DVC goes on to the report."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from bert.pipeline.code import ROOT
from tests.dvc import ran, run
from tests.report import sample
from tests.test_dvc_yaml import STAGES

LISTS = (
    *("finetune.controls", "glue.tasks", "stability.tasks", "stability.squad_seeds", "stability.pretrain_seeds"),
    *("benchmark_training.cells", "benchmark_inference.cells"),
)
MATRICES = (
    *("squad_control", "glue_data", "glue", "glue_control", "stability_phase1", "stability_phase2"),
    *("stability_squad", "stability_glue", "export_glue", "benchmark_training", "benchmark_inference"),
)


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A repository in which all has run but the members of these matrices and the report."""
    for name in ("bert", "stages"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("dvc.yaml", "params.yaml", ".gitignore", ".dvcignore"):
        shutil.copyfile(ROOT / name, tmp_path / name)
    (tmp_path / "pipeline.yaml").symlink_to("dvc.yaml")
    others = {key: value for key, value in sample.METRICS.items() if key.partition("/")[0] not in MATRICES}
    sample.write(tmp_path, others | {"stability": {}})
    for dep in (
        tmp_path / dep for dep in STAGES["report"]["deps"] if dep.startswith(("metrics/curves", "metrics/len"))
    ):
        if dep.suffix:
            dep.parent.mkdir(exist_ok=True)
            dep.write_text("step\tloss\tmlm_loss\tlearning_rate\n")
        else:
            dep.mkdir()
            (dep / "phase1.tsv").write_text("split\ttokens\tsequences\n")
    for kept in ROOT.glob("metrics/*/.gitkeep"):
        (tmp_path / kept.relative_to(ROOT)).parent.mkdir()
        (tmp_path / kept.relative_to(ROOT)).touch()
    run(tmp_path, "git", "init", "-q", "-b", "main")
    run(tmp_path, "dvc", "init", "-q")
    shutil.copyfile(ROOT / ".dvc" / "config", tmp_path / ".dvc" / "config")
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("empty", [("finetune.controls",), LISTS], ids=["controls", "all"])
def test_without_members_of_a_matrix_the_stages_after_it_run(repo: Path, empty: tuple[str, ...]) -> None:
    yaml = YAML()
    params = yaml.load((repo / "params.yaml").read_text())
    for name in empty:
        section, key = name.split(".")
        params[section][key] = []
    with open(repo / "params.yaml", "w") as f:
        yaml.dump(params, f)
    rest = ["code", "stability", "report"] if "stability.tasks" in empty else ["code", "report"]
    assert ran(run(repo, "dvc", "repro", "-s", *rest)) == rest
    assert (repo / "metrics/report.html").exists()
    if "stability.tasks" in empty:
        assert (repo / "metrics/stability.json").read_text() == "{}\n"
