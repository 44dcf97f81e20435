"""Revisions as they are read, without a repository."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bert.compare.contents import Contents
from bert.compare.revisions import Revision
from bert.report.inputs import Inputs
from bert.report.tables import Section, Table

CPU = {"cpu": "EPYC", "cores": 2, "memory_gb": 23.5, "accelerator": "none"}
GPU = {"cpu": "Xeon", "cores": 16, "memory_gb": 128.0, "accelerator": "NVIDIA A100"}
PARAMS: dict[str, Any] = {
    "seed": 7,
    "model": "large",
    "precision": "tf32",
    "finetune": {"init": "phase2"},
    "squad": {"data": "download", "max_seq_length": 384},
    "glue": {"data": "download", "tasks": ["mrpc"], "mrpc": {"max_seq_length": 128}},
    "tfrecords": {"phase1": {"sequence_length": 128}, "phase2": {"sequence_length": 512}},
}


def contents(
    name: str,
    metrics: dict[str, dict[str, Any]],
    machine: dict[str, Any] | None = CPU,
    params: dict[str, Any] = PARAMS,
    hashes: dict[str, dict[str, str]] | None = None,
) -> Contents:
    """A revision whose figures one machine has measured; None: it is not known which."""
    records: dict[str, Any] = {} if machine is None else {key: {"machine": machine} for key in metrics}
    return Contents(Revision(name, "0" * 40), params, Inputs(metrics=metrics, provenance=records), hashes or {})


def table(section: Section, caption: str) -> Table:
    """The one with this caption."""
    (found,) = (table for table in section.tables if table.caption == caption)
    return found


def captions(section: Section) -> list[str]:
    return [table.caption for table in section.tables]


def column(table: Table, name: str) -> list[str]:
    return [row.cells[table.header.index(name)] for row in table.rows]


def cells(table: Table, *names: str) -> list[tuple[str, ...]]:
    """Of each row those in the columns `names`."""
    return list(zip(*(column(table, name) for name in names), strict=True))


def seeds(score: str, values: Iterable[float], first: int = 7) -> dict[str, Any]:
    """Of stability.json: the seeds `first` and on."""
    return {"seeds": {str(first + n): {score: value} for n, value in enumerate(values)}}
