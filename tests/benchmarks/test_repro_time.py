"""benchmarks/repro_time.py: the table of a real `dvc repro`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.repro_time import table
from bert.pipeline.code import ROOT
from bert.pipeline.timings import COMPILING, PHASES, REST, START, STEPS
from tests.dvc import ran, run
from tests.project import Project

DVC_YAML = """
stages:
  none: {cmd: python -m stages.no_weights --out none, outs: [none]}
  book: {cmd: python -m stages.download --source books --out books --metrics books.json, deps: [none], outs: [books]}
"""


def test_the_table_has_all_stages_their_sum_and_what_is_beyond_them() -> None:
    nothing = dict.fromkeys(PHASES, 0.0)
    stages = {"vocab": nothing | {START: 1.0, REST: 3.0}, "squad": nothing | {START: 2.0, COMPILING: 4.0, STEPS: 8.0}}
    header, *lines = (line.split() for line in table(20.0, stages).splitlines())
    assert header == ["stage", *PHASES, "all"]
    assert lines == [
        ["vocab", "1.0", "0.0", "0.0", "0.0", "0.0", "3.0", "4.0"],
        ["squad", "2.0", "4.0", "8.0", "0.0", "0.0", "0.0", "14.0"],
        ["all", "stages", "3.0", "4.0", "8.0", "0.0", "0.0", "3.0", "18.0"],
        ["DVC", "2.0"],
        ["wall", "20.0"],
        ["without", "steps:", "12.0", "s"],
    ]


@pytest.mark.slow
def test_stages_that_dvc_runs_are_measured_and_no_entry_of_dvc_lock_changes(tmp_path: Path) -> None:
    folder = Project.create(tmp_path / "project").path
    (folder / "benchmarks").symlink_to(ROOT / "benchmarks")
    (folder / "dvc.yaml").write_text(DVC_YAML)
    run(folder, "git", "init", "-q", "-b", "main")
    run(folder, "dvc", "init", "-q")
    run(folder, "dvc", "repro", "-q")
    lock = (folder / "dvc.lock").read_bytes()

    command = ("python", "-m", "benchmarks.repro_time", "--out", "time.json")
    assert ran(run(folder, *command)) == [] and json.loads((folder / "time.json").read_text())["stages"] == {}
    said = run(folder, *command, "--force", "--", "book", "--single-item").stdout
    assert (folder / "dvc.lock").read_bytes() == lock
    found = json.loads((folder / "time.json").read_text())
    assert list(found["stages"]) == ["book"] and "\nbook " in said
    seconds = found["stages"]["book"]
    assert 0 < seconds[START] < sum(seconds.values()) < found["wall"]

    assert run(folder, *command, "--force", "--", "nobody", check=False).returncode != 0
