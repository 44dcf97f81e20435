"""The page of the sample, as both tests of the page and of its tables of speed take it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bert.report.inputs import read
from bert.report.page import render

PARAMS = {"model": "tiny", "precision": "tf32", "seed": 12345, "finetune.init": "phase2", "squad.data": "cloze"}

XLA = "TensorFlow, XLA: yes"


def page_of(run: Path, params: dict[str, Any] = PARAMS) -> str:
    metrics = run / "metrics"
    return render(read([metrics], [metrics / "curves"], [metrics / "provenance"]), params)
