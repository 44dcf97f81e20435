"""A grid of benchmarks through real DVC: cell by cell, and on after a kill."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from bert.pipeline.code import ROOT
from tests.dvc import SECONDS, environment, ran, run

CELLS = ("tiny-16-1", "tiny-16-2")
COMMAND = ("dvc", "exp", "run", "-S", f"benchmark_inference.cells=[{','.join(CELLS)}]", "benchmark_inference")


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A repository in which nothing has run."""
    for name in ("bert", "stages"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("dvc.yaml", ".gitignore", ".dvcignore"):
        shutil.copyfile(ROOT / name, tmp_path / name)
    yaml = YAML()
    params = yaml.load(ROOT / "params.yaml")
    params |= {"xla": False}
    params["benchmark_inference"] |= {"warmup": 1, "iterations": 3}
    yaml.dump(params, tmp_path / "params.yaml")
    run(tmp_path, "git", "init", "-q", "-b", "main")
    run(tmp_path, "dvc", "init", "-q")
    shutil.copyfile(ROOT / ".dvc" / "config", tmp_path / ".dvc" / "config")
    run(tmp_path, "git", "add", ".")
    run(tmp_path, "git", "commit", "-q", "-m", "nothing has run")
    return tmp_path


def locked(repo: Path) -> list[str]:
    """The cells that DVC knows as measured."""
    lock = repo / "dvc.lock"
    text = lock.read_text() if lock.exists() else ""
    return [cell for cell in CELLS if f"benchmark_inference@{cell}:" in text]


@pytest.mark.slow
def test_a_grid_goes_on_after_a_kill_with_the_cells_that_are_left(repo: Path) -> None:
    with subprocess.Popen(COMMAND, cwd=repo, env=environment(), start_new_session=True) as killed:
        until = time.monotonic() + SECONDS
        while not locked(repo) and killed.poll() is None and time.monotonic() < until:
            time.sleep(0.1)
        done = locked(repo)
        os.killpg(killed.pid, signal.SIGKILL)
    assert len(done) == 1
    assert [f"benchmark_inference@{cell}" for cell in CELLS if cell not in done] == ran(run(repo, *COMMAND))
    assert locked(repo) == list(CELLS)
    assert ran(run(repo, *COMMAND)) == []
