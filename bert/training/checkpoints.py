"""Training checkpoints: everything that the next step depends on, written so that a kill cannot spoil them.

`step-00000400.safetensors` (weights, moments, loss scale) and then `step-00000400.json` (its SHA-256, the counters,
the code that wrote it). The newest pair that is whole counts; position in the data, dropout and learning rate follow
from the step.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file

from bert.checkpoints.tensors import write_tensors
from bert.pipeline.errors import StageError
from bert.pipeline.files import sha256_of, write_json
from bert.training.context import Resume

log = logging.getLogger(__name__)

KEEP = 2


@dataclass(frozen=True)
class Checkpoint:
    """step: number of finished optimizer steps; state: JSON-able counters; tensors: {name: array}."""

    step: int
    state: dict[str, Any]
    tensors: dict[str, np.ndarray]


def save(
    folder: Path, step: int, tensors: Mapping[str, np.ndarray], state: dict[str, Any], code: Mapping[str, str]
) -> None:
    """Write a checkpoint, then keep it and KEEP - 1 before it.

    All else goes: older ones, what a kill left half-written, and later ones, which are damaged or of a run that
    BERT_RESUME=fresh gave up.
    """
    folder.mkdir(parents=True, exist_ok=True)
    final = folder / f"step-{step:08d}.safetensors"
    temporary = final.with_suffix(".tmp")
    try:
        write_tensors(temporary, tensors)
    except OSError:
        temporary.unlink(missing_ok=True)  # of a full disk, first of all
        raise
    with open(temporary, "rb") as f:
        os.fsync(f.fileno())
    digest = sha256_of(temporary)
    os.replace(temporary, final)
    write_json(final.with_suffix(".json"), {"step": step, "sha256": digest, "state": state, "code": dict(code)})
    kept = sorted(mark.stem for mark in folder.glob("step-*.json") if mark.stem <= final.stem)[-KEEP:]
    for path in folder.iterdir():
        if path.stem not in kept:
            path.unlink()


def usable(what: str, saved: Mapping[str, str], code: Mapping[str, str], resume: Resume) -> bool:
    """Whether to use `what` an earlier run has made.

    Args:
        what: its name, for messages.
        saved, code: {file: hash} of the code that made it, and of the present code.
        resume: what to do where they differ (BERT_RESUME).

    Raises:
        StageError: they differ, and `resume` does not say what to do.
    """
    changed = sorted(name for name in saved.keys() | code.keys() if saved.get(name) != code.get(name))
    if not changed:
        return True
    if resume == "accept":
        log.info("%s: used although these files have changed: %s", what, ", ".join(changed))
        return True
    if resume == "fresh":
        log.info("%s: not used, since these files have changed: %s", what, ", ".join(changed))
        return False
    raise StageError(
        f"{what} was made by other code; changed since: {', '.join(changed)}",
        run="BERT_RESUME=accept dvc repro (use it) or BERT_RESUME=fresh dvc repro (start again)",
    )


def newest(folder: Path, code: Mapping[str, str], resume: Resume = None) -> Checkpoint | None:
    """The newest whole checkpoint, or None. A damaged one is named and the one before it is taken.

    Raises:
        StageError: it was written by other code, and `resume` does not say what to do.
    """
    for mark in sorted(folder.glob("step-*.json"), reverse=True):
        data = mark.with_suffix(".safetensors")
        try:
            written = json.loads(mark.read_text(encoding="utf-8"))
            if sha256_of(data) != written["sha256"]:
                raise ValueError("does not match its sha256")
        except (OSError, ValueError, KeyError) as error:
            log.warning("%s: damaged (%s); trying the checkpoint before it", data, error)
            continue
        if not usable(str(data), written["code"], code, resume):
            return None
        return Checkpoint(written["step"], written["state"], load_file(data))
    return None
