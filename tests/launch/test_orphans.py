"""Tests for bert/launch/orphans.py, in processes of their own."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bert.pipeline.code import ROOT

RANK = "import time; from bert.launch.orphans import end_when_unheard; end_when_unheard(0.1); time.sleep(60)"


def test_a_rank_that_nobody_hears_any_more_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", RANK], cwd=ROOT, stderr=subprocess.PIPE) as rank:
        assert rank.stderr is not None
        time.sleep(0.5)
        assert rank.poll() is None, "it is heard"
        rank.stderr.close()
        assert rank.wait(120) == -signal.SIGKILL


def test_a_file_that_listens_is_no_end(tmp_path: Path) -> None:
    with open(tmp_path / "log", "wb") as log, subprocess.Popen([sys.executable, "-c", RANK], cwd=ROOT, stderr=log) as p:
        with pytest.raises(subprocess.TimeoutExpired):
            p.wait(1.5)
        p.kill()
