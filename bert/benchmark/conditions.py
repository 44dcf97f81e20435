"""What a cell measures, in the metrics' words, and the metrics of one that did not fit into memory."""

from __future__ import annotations

from typing import Any

from bert.benchmark.settings import Cell, TrainingCell
from bert.training.world import Split


def training_conditions(cell: TrainingCell, split: Split) -> dict[str, Any]:
    """Of benchmark_training. `batch_size` is that of a rank at a time, `global_batch` that of an update."""
    return {
        "task": cell.task,
        "sequence_length": cell.sequence_length,
        "batch_size": cell.batch_size,
        "ranks": split.ranks,
        "accumulation": split.accumulate,
        "global_batch": split.ranks * split.rows_per_rank,
    }


def inference_conditions(cell: Cell, engine: str) -> dict[str, Any]:
    """Of benchmark_inference."""
    return {
        "sequence_length": cell.sequence_length,
        "batch_size": cell.batch_size,
        "ranks": 1,
        "engine": engine,
    }


def too_large(conditions: dict[str, Any], precision: str) -> dict[str, Any]:
    """Of a cell that did not fit, as the published tables leave a gap: no speed, and why."""
    return {"out_of_memory": True, **conditions, "precision": precision}
