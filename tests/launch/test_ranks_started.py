"""Tests for bert/launch/ranks.py: what follows a loss. Real losses of real ranks are in test_ranks.py."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from bert.launch import ranks as module
from bert.launch.hosts import joined
from bert.launch.ranks import Launched, SplitFor, largest, launch
from bert.pipeline.errors import StageError
from bert.pipeline.machine import Host, MachineSettings, machine_settings
from bert.training.world import Split, split_batch

DONE = module._Attempt(0, [])


def split(ranks: int) -> Split:
    return split_batch("squad", "squad.batch_size", 24, ranks)


def split_by(settings: MachineSettings) -> SplitFor:
    return lambda ranks: split_batch("squad", "squad.batch_size", 24, ranks, settings.micro_batch_of("squad"))


@pytest.mark.parametrize(
    ("most", "least", "micro_batch", "expected"), [(7, 1, 2, 6), (6, 1, 4, 6), (5, 1, 8, 3), (5, 4, 8, None)]
)
def test_the_most_ranks_that_share_the_batch_with_the_same_micro_batches(
    most: int, least: int, micro_batch: int, expected: int | None
) -> None:
    assert largest(most, least, split, micro_batch) == expected


class Job:
    """Stands for horovodrun with more hosts than a test has: attempts that end as given, each after some steps."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, scratch: Path, attempts: Sequence[module._Attempt]) -> None:
        self.scratch, self.attempts, self.started, self.step = scratch, iter(attempts), list[str](), 0
        self.advances, self.variables = True, dict[str, str]()
        monkeypatch.setattr(module, "_start", self.start)
        monkeypatch.setattr(module, "reachable", lambda hosts, machine: [h for h in hosts if h.name != "dark"])

    def start(
        self,
        command: Sequence[str],
        ranks: int,
        hosts: Sequence[Host],
        scratch: Path,
        machine: MachineSettings,
        variables: dict[str, str],
    ) -> module._Attempt:
        self.started.append(f"{ranks} on {joined(hosts)}")
        self.variables = variables
        if self.advances:
            self.step += 1
            (scratch / "checkpoints").mkdir(exist_ok=True)
            (scratch / "checkpoints" / f"step-{self.step:08d}.json").touch()
        return next(self.attempts)

    def run(self, **settings: str) -> Launched:
        machine = machine_of(**settings)
        return launch("squad", [], self.scratch, split_by(machine), machine)


def machine_of(**settings: str) -> MachineSettings:
    """Two hosts of four ranks, of which two may be left, and changes."""
    environment = {"hosts": "one:4,two:4", "min_ranks": "2"} | settings
    return machine_settings({f"BERT_{name.upper()}": value for name, value in environment.items()})


def test_losses_cost_ranks_and_not_the_job(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    job = Job(monkeypatch, tmp_path, [module._Attempt(1, [5]), module._Attempt(1, []), DONE])
    assert job.run() == Launched(4, "one:4,two:3", 2)
    assert job.started == ["8 on one:4,two:4", "4 on one:4,two:3", "4 on one:4,two:3"]
    assert job.variables == {"BERT_MICRO_BATCH": "squad=3"}, "the memory that a rank takes stays as it was"


def test_smaller_micro_batches_leave_more_ranks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    job = Job(monkeypatch, tmp_path, [module._Attempt(1, [5]), DONE])
    assert job.run(micro_batch="1") == Launched(6, "one:4,two:3", 1)


def test_a_host_that_does_not_answer_is_left_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    job = Job(monkeypatch, tmp_path, [module._Attempt(1, [5]), DONE])
    assert job.run(hosts="one:4,dark:4") == Launched(4, "one:4", 1)


def test_too_few_that_are_left_end_the_job(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    job = Job(monkeypatch, tmp_path, [module._Attempt(1, [2])])
    with pytest.raises(
        StageError,
        match=r"rank 2 on dark, host dark, which does not answer; on one:1 no number of ranks from 2 \(BERT_MIN",
    ):
        job.run(hosts="one:1,dark:2")


def test_losses_without_a_step_in_between_end_the_job(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    job = Job(monkeypatch, tmp_path, [module._Attempt(1, [])] * 9)
    job.advances = False
    with pytest.raises(StageError, match="ranks were lost 3 times in a row, and not one step was taken in between"):
        job.run()
    assert len(job.started) == 3


@pytest.mark.parametrize("why", ["failed by itself", "not wanted", "the result depends on the ranks"])
def test_what_would_not_help_is_not_tried_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, why: str) -> None:
    job = Job(monkeypatch, tmp_path, [module._Attempt(1, None if why == "failed by itself" else [3])])
    machine = machine_of(**({"min_ranks": ""} if why == "not wanted" else {}))
    with pytest.raises(StageError, match=r"a rank failed \(horovodrun ended with 1\)"):
        launch("squad", [], tmp_path, None if why.startswith("the result") else split, machine)
    assert job.started == ["8 on one:4,two:4"]


def test_a_minimum_above_the_ranks_is_shown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(StageError, match=r"BERT_MIN_RANKS is 9, more than the 8 of BERT_RANKS"):
        Job(monkeypatch, tmp_path, []).run(min_ranks="9")
