"""Weak scaling as a table: what several ranks do at once, each with the same batch."""

from __future__ import annotations

from bert.report import published
from bert.report.cells import Cell
from bert.report.inputs import Inputs
from bert.report.overview import label, precision
from bert.report.tables import NONE, Row, Table, is_number, number, percent


def table(inputs: Inputs, found: list[Cell]) -> tuple[Table, ...]:
    """The same batch on each of several ranks, against one."""
    rows = []
    for cell in found:
        measured = [of for of in cell.metrics.get("weak_scaling") or [] if is_number(of.get("ranks"))]
        for of in measured:
            up = of.get("speedup")
            share = percent(up / of["ranks"]) if is_number(up) and of["ranks"] else NONE
            figures = (number(of["ranks"]), number(of.get("sequences_per_second"), 2), number(up, 2), share)
            ran = (precision(cell.metrics), f"here, {label(inputs, cell.key)}")
            rows.append(Row((cell.name, *figures, *ran), strong=True))
        if not measured:
            continue
        work = (cell.task, cell.model, cell.length, cell.batch, cell.global_batch)
        for card, speeds in published.weak_scaling(*work, str(cell.precision)).items():
            one = min(speeds)
            for devices, speed in speeds.items():
                up = speed.sequences_per_second / speeds[one].sequences_per_second
                figures = (number(devices), number(speed.sequences_per_second, 2), number(up, 2), percent(up / devices))
                rows.append(Row((cell.name, *figures, str(cell.precision), f"published: {card}")))
    if not rows:
        return ()
    header = ("cell", "ranks", "seq / s", "speed-up", "of ideal", "precision", "on")
    note = "Each rank takes the same batch: ideal is as many times the throughput as there are ranks."
    return (Table("Weak scaling", header, tuple(rows), notes=(note,), text_at_end=2),)
