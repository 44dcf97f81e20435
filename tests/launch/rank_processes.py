"""The ranks of a pretraining job, as processes of this machine."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

# Ranks that wait for a dead one would do so for ever; this is far above what they need to start.
SECONDS = 240.0


def ranks_in(folder: Path) -> dict[int, int]:
    """{rank: process} of the training processes whose working directory is `folder`."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if os.readlink(process / "cwd") != str(folder):
                continue
            environment = dict(e.split(b"=", 1) for e in (process / "environ").read_bytes().split(b"\0") if b"=" in e)
            if b"\0-m\0stages.pretrain\0" in (process / "cmdline").read_bytes() and b"HOROVOD_RANK" in environment:
                found[int(environment[b"HOROVOD_RANK"])] = int(process.name)
        except OSError:  # it has ended
            continue
    return found


def assert_no_rank_is_left(folder: Path) -> None:
    deadline = time.monotonic() + 60
    while ranks_in(folder):
        assert time.monotonic() < deadline, "a rank outlived its job, and would keep the machine"
        time.sleep(0.1)


def first_checkpoint(process: subprocess.Popen[str], folder: Path) -> None:
    """Wait until there is one."""
    deadline = time.monotonic() + SECONDS
    while not list((folder / ".scratch").glob("pretrain_phase1-*/checkpoints/step-*.json")):
        assert process.poll() is None and time.monotonic() < deadline, process.communicate(timeout=1)
        time.sleep(0.01)
