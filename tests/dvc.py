"""DVC as a user runs it, without this machine's settings."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

SECONDS = 480
RUNNING = r"Running stage '([^']+)'"


def run(folder: Path, *command: str, check: bool = True, **env: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(command, cwd=folder, env=environment(**env), capture_output=True, text=True, timeout=SECONDS)
    if check:
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
    return done


def environment(**more: str) -> dict[str, str]:
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("BERT_", "DVC_"))}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    git = {"GIT_AUTHOR_NAME": "t", "GIT_AUTHOR_EMAIL": "t@example.org"}
    git |= {"GIT_COMMITTER_NAME": "t", "GIT_COMMITTER_EMAIL": "t@example.org"}
    return inherited | git | {"PATH": path} | more


def ran(done: subprocess.CompletedProcess[str]) -> list[str]:
    """The stages that a dvc command has run, in order."""
    return re.findall(RUNNING, done.stdout)
