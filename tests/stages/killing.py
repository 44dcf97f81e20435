"""A training stage that is killed once it has saved something."""

from __future__ import annotations

import time
from pathlib import Path

from tests.project import Project

SECONDS = 200.0


def kill_after_checkpoint(project: Project, stage: str, arguments: list[str], part: str) -> int:
    """Start the stage, and kill it (SIGKILL) when it has a checkpoint in `part` of its scratch; that one's step.

    part: tuned, or control.
    """
    process = project.start(stage, *arguments, BERT_SAVE_SECONDS="0")
    try:
        deadline = time.monotonic() + SECONDS
        while not steps_saved(project.path, part):
            assert process.poll() is None, process.communicate()[1]
            assert time.monotonic() < deadline, f"no checkpoint after {SECONDS} s"
            time.sleep(0.005)
    finally:
        process.kill()
        process.communicate()
    return steps_saved(project.path, part)[-1]


def steps_saved(folder: Path, part: str) -> list[int]:
    """The steps after which there is a checkpoint, ascending."""
    return sorted(int(mark.stem[5:]) for mark in (folder / ".scratch").glob(f"*/{part}/checkpoints/step-*.json"))
