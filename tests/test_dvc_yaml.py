"""The package boundary is the invalidation boundary: dvc.yaml must name what the stages import and read."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from bert.pipeline.code import ROOT, imported_files
from bert.pipeline.params import load

STAGES: dict[str, dict[str, Any]] = YAML(typ="safe", pure=True).load((ROOT / "dvc.yaml").read_text())["stages"]
PARAMS = load(ROOT / "params.yaml")


def module_of(stage: dict[str, Any]) -> str:
    """The module that a stage's command runs."""
    found = re.search(r"python -m ([\w.]+)", stage["cmd"])
    assert found, stage["cmd"]
    return found[1]


def uncovered(module: str, deps: list[str], root: Path = ROOT) -> list[str]:
    """Imported project files that no entry of `deps` is or contains."""
    return [
        str(file)
        for file in imported_files(module, root)
        if not any(file == Path(dep) or Path(dep) in file.parents for dep in deps) and file.name != "__init__.py"
    ]


@pytest.mark.parametrize("name", STAGES)
def test_deps_cover_every_file_that_the_stage_imports(name: str) -> None:
    missing = uncovered(module_of(STAGES[name]), STAGES[name]["deps"])
    assert not missing, f"{name} imports {missing} but does not list them in deps: edits there would not rerun it"


@pytest.mark.parametrize("name", STAGES)
def test_every_code_dep_is_used(name: str) -> None:
    files = imported_files(module_of(STAGES[name]))
    for dep in STAGES[name]["deps"]:
        if dep.startswith(("bert/", "stages/")):
            used = [f for f in files if f == Path(dep) or Path(dep) in f.parents]
            assert used, f"{name} lists {dep} in deps but imports nothing of it"


def test_the_guard_sees_a_planted_import(tmp_path: Path) -> None:
    (tmp_path / "stages").mkdir()
    (tmp_path / "bert" / "model").mkdir(parents=True)
    (tmp_path / "bert" / "text").mkdir()
    (tmp_path / "stages" / "planted.py").write_text("def main():\n    from bert.text import clean\n")
    (tmp_path / "bert" / "text" / "clean.py").write_text("import bert.model.attention as a\n")
    (tmp_path / "bert" / "model" / "attention.py").write_text("from . import sibling\n")
    (tmp_path / "bert" / "model" / "sibling.py").write_text("x = 1\n")
    deps = ["stages/planted.py", "bert/text"]
    assert uncovered("stages.planted", deps, tmp_path) == ["bert/model/attention.py", "bert/model/sibling.py"]
    assert uncovered("stages.planted", [*deps, "bert/model"], tmp_path) == []


@pytest.mark.parametrize("name", STAGES)
def test_every_stage_says_what_it_does(name: str) -> None:
    assert STAGES[name]["desc"].strip()


@pytest.mark.parametrize("name", STAGES)
def test_every_param_exists(name: str) -> None:
    for key in STAGES[name].get("params", []):
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


def test_results_can_come_from_the_run_cache() -> None:
    """DVC keeps no run of a stage that has a plain out with `cache: false`: going back would train again."""
    for name, stage in STAGES.items():
        plain = [entry for entry in stage.get("outs", []) if isinstance(entry, dict)]
        assert not [e for e in plain if next(iter(e.values())).get("cache") is False], name
