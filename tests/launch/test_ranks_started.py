"""Tests for bert/launch/ranks.py: what follows a loss. Real losses of real ranks are in test_ranks.py."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from bert.launch import ranks as module
from bert.launch.hosts import Host, as_told
from bert.launch.ranks import Launched, largest, launch
from bert.pipeline.errors import StageError
from bert.training.world import Split, split_batch

DONE = module._Attempt(0, [])


def split(ranks: int) -> Split:
    return split_batch("squad", "squad.batch_size", 24, ranks)


@pytest.mark.parametrize(
    ("most", "least", "micro_batch", "expected"), [(7, 1, 2, 6), (6, 1, 4, 6), (5, 1, 8, 3), (5, 4, 8, None)]
)
def test_the_most_ranks_that_share_the_batch_with_the_same_micro_batches(
    most: int, least: int, micro_batch: int, expected: int | None
) -> None:
    assert largest(most, least, split, micro_batch) == expected


class Job:
    """Stands for horovodrun with more hosts than a test has: attempts that end as told, each after some steps."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, scratch: Path, attempts: Sequence[module._Attempt]) -> None:
        self.scratch, self.attempts, self.started, self.step = scratch, iter(attempts), list[str](), 0
        self.advances, self.settings = True, dict[str, str]()
        monkeypatch.setattr(module, "_start", self.start)
        monkeypatch.setattr(module, "that_answer", lambda hosts: [h for h in hosts if h.name != "dark"])

    def start(
        self, command: Sequence[str], ranks: int, hosts: Sequence[Host], scratch: Path, settings: dict[str, str]
    ) -> module._Attempt:
        self.started.append(f"{ranks} on {as_told(hosts)}")
        self.settings = settings
        if self.advances:
            self.step += 1
            (scratch / "checkpoints").mkdir(exist_ok=True)
            (scratch / "checkpoints" / f"step-{self.step:08d}.json").touch()
        return next(self.attempts)

    def run(self) -> Launched:
        return launch("stages.squad", [], self.scratch, "squad", split)


@pytest.fixture(autouse=True)
def _told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BERT_HOSTS", "one:4,two:4")
    monkeypatch.setenv("BERT_MIN_RANKS", "2")


def test_losses_cost_ranks_and_not_the_job(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    job = Job(monkeypatch, tmp_path, [module._Attempt(1, [5]), module._Attempt(1, []), DONE])
    assert job.run() == Launched(4, "one:4,two:3", 2)
    assert job.started == ["8 on one:4,two:4", "4 on one:4,two:3", "4 on one:4,two:3"]
    assert job.settings == {"BERT_MICRO_BATCH": "squad=3"}, "the memory that a rank takes stays as it was"


def test_smaller_micro_batches_leave_more_ranks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BERT_MICRO_BATCH", "1")
    assert Job(monkeypatch, tmp_path, [module._Attempt(1, [5]), DONE]).run() == Launched(6, "one:4,two:3", 1)


def test_a_host_that_does_not_answer_is_left_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BERT_HOSTS", "one:4,dark:4")
    job = Job(monkeypatch, tmp_path, [module._Attempt(1, [5]), DONE])
    assert job.run() == Launched(4, "one:4", 1)


def test_too_few_that_are_left_end_the_job(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BERT_HOSTS", "one:1,dark:2")
    job = Job(monkeypatch, tmp_path, [module._Attempt(1, [2])])
    with pytest.raises(
        StageError,
        match=r"rank 2 on dark, host dark, which does not answer; on one:1 no number of ranks from 2 \(BERT_MIN",
    ):
        job.run()


def test_losses_without_a_step_in_between_end_the_job(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    job = Job(monkeypatch, tmp_path, [module._Attempt(1, [])] * 9)
    job.advances = False
    with pytest.raises(StageError, match="ranks were lost 3 times in a row, and not one step was taken in between"):
        job.run()
    assert len(job.started) == 3


@pytest.mark.parametrize("why", ["failed by itself", "not wanted", "the result depends on the ranks"])
def test_what_would_not_help_is_not_tried_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, why: str) -> None:
    job = Job(monkeypatch, tmp_path, [module._Attempt(1, None if why == "failed by itself" else [3])])
    if why == "not wanted":
        monkeypatch.delenv("BERT_MIN_RANKS")
    with pytest.raises(StageError, match=r"a rank failed \(horovodrun ended with 1\)"):
        launch("stages.squad", [], tmp_path, "squad", None if why.startswith("the result") else split)
    assert job.started == ["8 on one:4,two:4"]


@pytest.mark.parametrize(("told", "match"), [("none", "expected a positive number"), ("9", "more than the 8 of")])
def test_a_minimum_that_makes_no_sense_is_shown(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, told: str, match: str
) -> None:
    monkeypatch.setenv("BERT_MIN_RANKS", told)
    with pytest.raises(StageError, match=f"BERT_MIN_RANKS is .*{match}"):
        Job(monkeypatch, tmp_path, []).run()
