""".github/workflows: what they run is there, and they may do no more than they need."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from ruamel.yaml import YAML

from bert.pipeline.code import ROOT
from tests.pages import Unknown, check_command

FILES = sorted(path.name for path in (ROOT / ".github/workflows").glob("*.yml"))
MAY_WRITE = {("nightly.yml", "comment"): {"pull-requests": "write"}}
"""Jobs that have more than the right to read, which all have."""
OTHERS = ("bash .ci/run", "cat ", "gh pr comment ")
"""Commands that are no program of this project's, beside those that tests/pages.py knows."""


def workflow(name: str) -> dict[str, Any]:
    """By YAML 1.2, to which `on` is a word."""
    loaded = YAML(typ="safe", pure=True).load((ROOT / ".github/workflows" / name).read_text(encoding="utf-8"))
    assert isinstance(loaded, dict)
    return loaded


def jobs() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for name in FILES:
        for job, described in workflow(name)["jobs"].items():
            yield name, job, described


JOBS = list(jobs())


def test_there_are_both() -> None:
    assert FILES == ["checks.yml", "nightly.yml"]


@pytest.mark.parametrize("name", FILES)
def test_a_workflow_may_read_and_no_more(name: str) -> None:
    assert workflow(name)["permissions"] == {"contents": "read"}
    assert "pull_request_target" not in workflow(name)["on"], "code of others would run with the repository's secrets"


@pytest.mark.parametrize(("name", "job", "described"), JOBS, ids=[f"{name}-{job}" for name, job, _ in JOBS])
def test_a_job_ends_and_its_steps_are_pinned(name: str, job: str, described: dict[str, Any]) -> None:
    assert described.get("permissions", {}) == MAY_WRITE.get((name, job), {})
    assert described["timeout-minutes"] <= 90
    assert re.fullmatch(r"ubuntu-\d\d\.\d\d", described["runs-on"]), "not latest, which is another one some day"
    for needed in [described["needs"]] if "needs" in described else []:
        assert needed in workflow(name)["jobs"]
    for step in described["steps"]:
        assert ("uses" in step) != ("run" in step)
        assert re.fullmatch(r"actions/[\w-]+@v\d+", step.get("uses", "actions/checkout@v4")), step
        assert "${{" not in step.get("run", ""), "what others write must not become a command: by `env`"


@pytest.mark.parametrize(("name", "job", "described"), JOBS, ids=[f"{name}-{job}" for name, job, _ in JOBS])
def test_the_commands_of_a_job_are_there(name: str, job: str, described: dict[str, Any]) -> None:
    for command in [line for step in described["steps"] for line in step.get("run", "").splitlines()]:
        try:
            check_command(command, ROOT / "params.yaml")
        except Unknown:
            assert command.startswith(OTHERS), command


def test_a_job_with_the_right_to_write_runs_no_code_of_the_repository() -> None:
    for name, job in MAY_WRITE:
        steps = workflow(name)["jobs"][job]["steps"]
        assert not [step for step in steps if step.get("uses", "").startswith("actions/checkout")]


def test_both_share_one_cache_of_horovod() -> None:
    keys = {
        str(step["with"])
        for _, _, described in JOBS
        for step in described["steps"]
        if step.get("uses", "").startswith("actions/cache@")
    }
    assert len(keys) == 1
