"""By how much one revision is faster than another, where their speeds can be compared."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bert.compare.timings import Timing
from bert.report.tables import NONE, is_number

SAME, UNKNOWN = "same", "?"
OTHER_MODEL, OTHER_DATA, OTHER_MACHINE = "other model", "other data", "other machine"
NOTES = {
    SAME: "one and the same measurement: the second revision has not run it again.",
    OTHER_MODEL: "the two models are not of one size, as far as their names, vocabularies and checkpoints tell.",
    OTHER_DATA: "batches are cut to their longest text, and the two were trained on different examples.",
}
"""What the cells mean that do not speak for themselves."""


def speedup(first: Timing, second: Timing) -> str:
    """Sequences a second of the second over those of the first, as a cell; in words where that would say nothing.

    first, second: of equal works
    """
    one: Any = first.metrics.get("sequences_per_second")
    other: Any = second.metrics.get("sequences_per_second")
    if not (is_number(one) and is_number(other) and one > 0):
        return NONE
    if first.is_measurement_of(second):
        return SAME
    if first.model != second.model:
        return OTHER_MODEL
    if (first.is_cut or second.is_cut) and not first.contents.has_data_of(second.contents, first.key):
        return OTHER_DATA
    if first.machine is None or second.machine is None:
        return UNKNOWN
    return f"{other / one:.2f}" if first.machine == second.machine else OTHER_MACHINE


def notes(cells: Iterable[str]) -> tuple[str, ...]:
    """What those of the cells of a column mean that do not speak for themselves."""
    found = set(cells)
    return tuple(f"{word}: {meaning}" for word, meaning in NOTES.items() if word in found)
