"""A disk that is full for one process."""

from __future__ import annotations

import resource
import subprocess

import pytest


def fill_disk(process: subprocess.Popen[str], size: int) -> None:
    """A limit on the bytes of each file that the process writes stands for the disk's end."""
    try:
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    except (OSError, AttributeError) as error:
        process.kill()
        pytest.skip(f"the limits of another process cannot be set here: {error}")
