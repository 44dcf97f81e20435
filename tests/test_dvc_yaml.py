"""dvc.yaml against the code and params.yaml: what each stage depends on, and what it keeps."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from bert.pipeline.code import FOLDER, PACKAGES, ROOT, file_of
from bert.pipeline.params import load
from stages.code import stage_modules

STAGES: dict[str, dict[str, Any]] = YAML(typ="safe", pure=True).load((ROOT / "dvc.yaml").read_text())["stages"]
PARAMS = load(ROOT / "params.yaml")


def module_of(stage: dict[str, Any]) -> str:
    """The module that a stage's command runs."""
    found = re.search(r"python -m ([\w.]+)", stage["cmd"])
    assert found, stage["cmd"]
    return found[1]


@pytest.mark.parametrize("name", [name for name in STAGES if name != "code"])
def test_a_stages_code_is_one_dep(name: str) -> None:
    deps = [dep for dep in STAGES[name]["deps"] if dep.startswith(("bert", "stages", "code"))]
    assert deps == [str(file_of(module_of(STAGES[name])))]


def test_the_report_depends_on_dvc_yaml_by_a_link_to_it() -> None:
    """DVC refuses a dependency called dvc.yaml."""
    assert (ROOT / "pipeline.yaml").resolve() == ROOT / "dvc.yaml"
    assert "pipeline.yaml" in STAGES["report"]["deps"] and "--dag pipeline.yaml" in STAGES["report"]["cmd"]


def test_the_stage_code_writes_a_file_for_each_module_that_dvc_runs() -> None:
    assert STAGES["code"]["deps"] == list(PACKAGES)
    assert STAGES["code"]["outs"] == [{str(FOLDER): {"cache": False}}], "the files are kept in git"
    assert set(stage_modules()) == {module_of(stage) for name, stage in STAGES.items() if name != "code"}


SPEEDS = (
    *("pretrain_phase1", "pretrain_phase2", "squad", "squad_control", "glue", "glue_control"),
    *("stability_phase1", "stability_phase2", "stability_squad", "stability_glue"),
    *("benchmark_training", "benchmark_inference"),
)


def test_only_stages_that_measure_speed_keep_where_they_ran() -> None:
    """Another machine's record would be another result to DVC, though the bytes are the same."""
    keep = [name for name, stage in STAGES.items() if any("provenance" in str(out) for out in stage.get("outs", []))]
    assert sorted(keep) == sorted(SPEEDS)
    assert sorted(n for n, s in STAGES.items() if "--provenance" in s["cmd"]) == sorted([*SPEEDS, "report"])


@pytest.mark.parametrize("name", STAGES)
def test_every_stage_says_what_it_does(name: str) -> None:
    assert STAGES[name]["desc"].strip()


@pytest.mark.parametrize("name", STAGES)
def test_every_param_exists(name: str) -> None:
    for key in STAGES[name].get("params", []):
        if key == {"params.yaml": None}:  # all of it
            continue
        node: Any = PARAMS
        for part in key.split("."):
            if part.startswith("${item"):
                break
            assert part in node, f"{name}: params.yaml has no {key}"
            node = node[part]


def test_machine_settings_are_no_part_of_a_command() -> None:
    assert not [name for name, stage in STAGES.items() if "BERT_" in stage["cmd"]]


def test_metrics_are_kept_in_git() -> None:
    for name, stage in STAGES.items():
        for entry in [*stage.get("metrics", []), *stage.get("plots", [])]:
            assert isinstance(entry, dict), f"{name}: {entry} would go into the cache"
            (options,) = entry.values()
            assert options["cache"] is False


def test_folders_that_a_matrix_without_members_leaves_empty_are_kept_in_git() -> None:
    """DVC makes no folder for them, and its stages fail where a dependency is not there."""
    written: dict[str, set[bool]] = {}
    for stage in STAGES.values():
        may_be_empty = any(isinstance(values, str) for values in stage.get("matrix", {}).values())  # those of params
        for entry in [*stage.get("outs", []), *stage.get("metrics", []), *stage.get("plots", [])]:
            path = entry if isinstance(entry, str) else next(iter(entry))
            for folder in Path(path).parents:
                written.setdefault(str(folder), set()).add(may_be_empty)
    deps = {dep for stage in STAGES.values() for dep in stage.get("deps", [])}
    may_be_missing = {dep for dep in deps if written.get(dep) == {True}}
    assert {"metrics/squad_control", "metrics/glue_data", "metrics/glue", "metrics/stability_squad"} <= may_be_missing
    assert [folder for folder in sorted(may_be_missing) if not (ROOT / folder / ".gitkeep").exists()] == []


def test_results_can_come_from_the_run_cache() -> None:
    """DVC keeps no run of a stage that has a plain out with `cache: false`: going back would train again."""
    for name, stage in STAGES.items():
        if name == "code":  # a second; git has its files
            continue
        plain = [entry for entry in stage.get("outs", []) if isinstance(entry, dict)]
        assert not [e for e in plain if next(iter(e.values())).get("cache") is False], name


def test_training_on_a_task_depends_on_the_examples_of_this_task_alone() -> None:
    assert STAGES["glue_data"]["outs"] == ["data/glue/${item.task}"]
    for name in ("glue", "glue_control", "stability_glue"):
        data = [dep for dep in STAGES[name]["deps"] if dep.startswith("data/") and "models" not in dep]
        assert data == ["data/glue/${item.task}"], name
        of_glue = [key for key in STAGES[name]["params"] if key.startswith("glue")]
        assert of_glue == ["glue.${item.task}"], name


def test_phase_1_depends_on_an_import_only_where_it_starts_from_it() -> None:
    """Without one, on a folder that never changes."""
    deps = STAGES["pretrain_phase1"]["deps"]
    assert "data/models/${pretrain.init}" in deps and "data/models/imported" not in deps
    assert PARAMS["pretrain"]["init"] == "none"
    assert STAGES["no_weights"]["outs"] == [f"data/models/{PARAMS['pretrain']['init']}"]
    assert STAGES["no_weights"]["deps"] == ["code/no_weights.json"]
    assert "params" not in STAGES["no_weights"]
