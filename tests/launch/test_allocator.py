"""Tests for bert/launch/allocator.py, in processes of their own: glibc reads its settings at their start."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

from bert.launch.allocator import tunables
from bert.pipeline.code import ROOT
from stages import COMPUTING

pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the setting is glibc's")

# Takes and frees 32 MB at a time, as a training step does; tells its setting, its number and the pages it was given.
PROGRAM = """
import os, resource
{start}
import numpy as np
np.ones(1 << 22)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    np.ones(1 << 22)
print(os.environ.get("GLIBC_TUNABLES"), os.getpid(), resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""
KEEPING = "from bert.launch.allocator import keep_pages; keep_pages()"


def observed(start: str, **env: str) -> tuple[str, bool, int]:
    """The setting, whether the process has kept its number, and the new pages of 20 rounds."""
    clean = {name: value for name, value in os.environ.items() if name != "GLIBC_TUNABLES"}
    command = [sys.executable, "-c", PROGRAM.format(start=start)]
    with subprocess.Popen(command, cwd=ROOT, env=clean | env, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        setting, number, pages = process.stdout.read().split()
    return setting, int(number) == process.pid, int(pages)


def test_a_program_that_keeps_its_pages_is_the_same_process_and_gets_no_new_ones() -> None:
    setting, is_same, pages = observed(KEEPING)
    assert (setting, is_same) == (tunables(), True)
    assert pages < 1000
    assert observed("")[2] > 5000, "without, each round is given its pages anew"


def test_a_users_own_setting_is_left_alone() -> None:
    assert observed(KEEPING, GLIBC_TUNABLES="glibc.malloc.arena_max=3")[0] == "glibc.malloc.arena_max=3"


@pytest.mark.parametrize("stage", COMPUTING)
def test_a_stage_starts_anew_before_it_imports_anything_large(stage: str) -> None:
    clean = {name: value for name, value in os.environ.items() if name != "GLIBC_TUNABLES"}
    command = [sys.executable, "-X", "importtime", "-m", f"stages.{stage}", "--help"]
    done = subprocess.run(command, cwd=ROOT, env=clean, capture_output=True, text=True, check=True)
    imported = [line.split("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")]
    assert imported.count("bert.launch.allocator") == 2
    assert imported.count("pydantic") == 1
