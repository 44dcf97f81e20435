"""A stage on a machine with little memory: a limit on what its processes may map."""

from __future__ import annotations

import subprocess
import sys

from tests.project import Project

KIB = 6 * 2**20
"""TensorFlow's libraries and threads take half of it."""


def run_with_little_memory(project: Project, stage: str, arguments: list[str]) -> str:
    """`python -m stages.<stage>`, which must succeed; what it wrote to stderr."""
    done = subprocess.run(
        ["sh", "-c", f'ulimit -v {KIB} && exec "$@"', "sh", sys.executable, "-m", f"stages.{stage}", *arguments],
        cwd=project.path,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, f"status {done.returncode}: {done.stderr}"
    return done.stderr
