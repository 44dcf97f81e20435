"""A stage on a machine with little memory: a limit on what its processes may map."""

from __future__ import annotations

import resource
import subprocess
import sys

from tests.project import Project

BYTES = 6 * 2**30
"""TensorFlow's libraries and threads take half of it."""


def run_with_little_memory(project: Project, stage: str, arguments: list[str]) -> str:
    """`python -m stages.<stage>`, which must succeed; what it wrote to stderr."""
    done = subprocess.run(
        [sys.executable, "-m", f"stages.{stage}", *arguments],
        cwd=project.path,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES)),
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stderr
