"""Where, when and with what a stage ran.

Kept beside the metrics, not in them: declared metrics are hashed into dvc.lock, and strings become rows of every diff.
"""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

LIBRARIES = ("apache-beam", "dvc", "horovod", "keras", "numpy", "tensorflow", "tensorflow-text")


def _git(*args: str) -> str:
    try:
        done = subprocess.run(["git", *args], capture_output=True, text=True, check=False)
    except FileNotFoundError:  # a container without git must not lose a run at its last line
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _cpu() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor()


def _accelerator() -> str:
    """The GPUs as nvidia-smi names them, without importing TensorFlow into stages that don't need it."""
    try:
        done = subprocess.run(
            ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"], capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        return "none"
    if done.returncode != 0:  # a driver that does not answer says so where the names would stand
        return "none"
    return ", ".join(done.stdout.split("\n")).strip(", ") or "none"


def _version(library: str) -> str | None:
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return None


def provenance(stage: str, started: datetime, **more: Any) -> dict[str, Any]:
    """The record of a run that ends now.

    `seconds` is wall time since `started`; `machine` has neither host name nor path, since the file is committed.
    """
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    stage = os.environ.get("DVC_STAGE", stage)
    return {
        "stage": stage,
        "command": f"dvc repro -f -s {stage}",
        "machine": {
            "cpu": _cpu(),
            "cores": os.cpu_count(),
            "memory_gb": round(memory / 2**30, 1),
            "accelerator": _accelerator(),
        },
        "versions": {
            "python": platform.python_version(),
            **{name: v for name in LIBRARIES if (v := _version(name)) is not None},
        },
        "commit": _git("rev-parse", "--short", "HEAD"),
        "dirty": bool(_git("status", "--porcelain", "--untracked-files=no", "--", "bert", "stages", "params.yaml")),
        "started": started.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "seconds": round((datetime.now(UTC) - started).total_seconds(), 1),
        **more,
    }
