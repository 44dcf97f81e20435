"""All that a stage counted, and what it dropped and why: folded away under its name."""

from __future__ import annotations

from typing import Any

from bert.report.inputs import Inputs, Metrics
from bert.report.tables import Fold, Row, Table, flat, is_number, number, words

DROPPED = "dropped"
TOTALS = ("windows", "examples")
"""Of these the reasons beside them are a part; tasks count both in one place."""


def drops(metrics: Metrics) -> dict[str, int]:
    """{reason: count} of every `dropped` dict in a metric file, those of sub-dicts under their path."""
    found: dict[str, int] = {}

    def walk(tree: dict[str, Any], path: str) -> None:
        for key, value in tree.items():
            if key == DROPPED and isinstance(value, dict):
                counted = {k: v for k, v in flat(value).items() if is_number(v)}
                found.update({path + k: v for k, v in counted.items() if k.rpartition(".")[2] not in TOTALS})
            elif isinstance(value, dict):
                walk(value, f"{path}{key}.")

    walk(metrics, "")
    return found


def _readable(key: str) -> str:
    return words(key).replace(".", ", ")


def _counted(stage: str, metrics: Metrics) -> tuple[Table, ...]:
    counts = {key: value for key, value in flat(metrics, skip=(DROPPED,)).items() if is_number(value)}
    rows = tuple(Row((_readable(key), number(value))) for key, value in counts.items())
    return (Table(f"{stage}: counted", ("what", "count"), rows),) if rows else ()


def _dropped(stage: str, metrics: Metrics) -> tuple[Table, ...]:
    reasons = sorted(drops(metrics).items(), key=lambda item: (-item[1], item[0]))
    rows = tuple(Row((_readable(reason), number(count))) for reason, count in reasons)
    note = "Each count is of what its reason speaks of: pages, passages, sentences, tokens or questions."
    return (Table(f"{stage}: dropped", ("reason", "count"), rows, notes=(note,)),) if rows else ()


def fold(inputs: Inputs, key: str, counted: bool = True) -> tuple[Fold, ...]:
    """What the stage of `key` counted, where it has run and counted anything.

    counted: False leaves only what was dropped, of a stage whose other figures stand in tables of their own.
    """
    metrics, stage = inputs.metrics.get(key, {}), inputs.stage(key)
    tables = (*(_counted(stage, metrics) if counted else ()), *_dropped(stage, metrics))
    if not tables:
        return ()
    reasons = sum(count > 0 for count in drops(metrics).values())
    about = [f"{len(tables[0].rows)} counts"] if counted and tables[0].caption.endswith("counted") else []
    about += [f"{reasons} {'reason' if reasons == 1 else 'reasons'} to drop something"] if reasons else []
    return (Fold(stage, tables, ", ".join(about)),)
