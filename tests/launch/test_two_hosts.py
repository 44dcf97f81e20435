"""Tests of ranks on two hosts, reached by ssh: two network namespaces of this machine."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from stages.pretrain import main
from tests.launch.rank_processes import SECONDS, assert_no_rank_is_left, first_checkpoint, ranks_in
from tests.launch.two_hosts import TwoHosts, two_hosts
from tests.project import Project
from tests.training import stage

pytestmark = [pytest.mark.ranks, pytest.mark.slow, pytest.mark.usefixtures("horovod")]

STEPS = 60


@pytest.fixture
def hosts(tmp_path: Path) -> Iterator[TwoHosts]:
    (tmp_path / "ssh").mkdir()
    with two_hosts(tmp_path / "ssh") as made:
        yield made


@pytest.fixture
def here(project: Project) -> Path:
    stage.write_project(project.path)
    stage.write_params(project.path, phase1={"steps": STEPS})
    return project.path


def assert_same_curve(here: Path) -> None:
    """As one process."""
    main(stage.arguments(out="alone"))
    for row, expected in zip(stage.curve(here), stage.curve(here, "alone"), strict=True):
        assert row == pytest.approx(expected, rel=1e-3), row["step"]


def test_ranks_on_two_hosts_train_as_one_process(hosts: TwoHosts, here: Path) -> None:
    process = hosts.start(here, "pretrain", *stage.arguments(), BERT_SAVE_SECONDS="0")
    first_checkpoint(process, here)
    assert {rank: hosts.space_of(pid) for rank, pid in ranks_in(here).items()} == dict(enumerate(hosts.spaces))
    _, said = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, said
    record = json.loads((here / "metrics" / "provenance" / "pretrain_phase1.json").read_text())
    assert (record["ranks"], record["hosts"], record["restarts"]) == (2, "10.77.0.1:1,10.77.0.2:1", 0)
    assert_same_curve(here)


def test_a_host_that_goes_dark_is_left_out_and_the_job_goes_on(hosts: TwoHosts, here: Path) -> None:
    settings = {"BERT_SAVE_SECONDS": "0", "BERT_STALL_SECONDS": "25", "BERT_MIN_RANKS": "1"}
    process = hosts.start(here, "pretrain", *stage.arguments(), **settings)
    first_checkpoint(process, here)
    hosts.cut()
    _, said = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, said
    assert "host 10.77.0.2, which does not answer: going on from the last checkpoint, ranks: 1" in said
    assert_same_curve(here)
    assert_no_rank_is_left(here)


def test_ranks_on_other_hosts_do_not_outlive_a_killed_stage(hosts: TwoHosts, here: Path) -> None:
    stage.write_params(here, phase1={"steps": 5000})
    process = hosts.start(here, "pretrain", *stage.arguments(), BERT_SAVE_SECONDS="0")
    first_checkpoint(process, here)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=SECONDS)
    assert_no_rank_is_left(here)
