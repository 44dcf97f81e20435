"""What several test files read is made once a run, by whichever worker of pytest-xdist asks for it first."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest


def folder_of_the_run(factory: pytest.TempPathFactory) -> Path:
    """The one of all workers."""
    base = factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


def made_once(path: Path, make: Callable[[Path], object]) -> Path:
    """`path`, a folder that `make` has made, to be read and copied only; who comes meanwhile waits.

    Where `make` fails, it fails for each that asks.
    """
    mark = path.with_name(f"{path.name}.made")
    with open(path.with_name(f"{path.name}.lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not mark.exists():
            shutil.rmtree(path, ignore_errors=True)
            make(path)
            mark.touch()
    return path
