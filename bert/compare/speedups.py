"""By how much one revision is faster than another, where their speeds can be compared."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bert.compare.timings import Timing
from bert.report.tables import NONE, is_number

SAME, UNKNOWN, UNSURE = "same", "?", " ?"
OTHER_MODEL, OTHER_DATA, OTHER_MACHINE = "other model", "other data", "other machine"
NOTES = {
    SAME: "one and the same measurement: the second revision has not run it again.",
    OTHER_MODEL: "the two models are not of one size, as far as their names, vocabularies and checkpoints tell.",
    OTHER_DATA: "batches are cut to their longest text, and the two were trained on different examples.",
}
"""What the cells mean that do not speak for themselves."""
UNSURE_NOTE = (
    "a speed-up with ?: the times of a call, from the median to the 99th percentile, overlap; it may be nothing but "
    "chance."
)
RULE = (
    "speed-up: sequences a second over those of {first}, where machines of one type measured both: machines of the "
    "same accelerators, processor, cores and memory count as one. Each speed is one measurement, and on a shared "
    "machine two runs of the same code have differed by a third: measure again what matters (dvc repro -f -s STAGE)."
)


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
    if first.machine != second.machine:
        return OTHER_MACHINE
    return f"{other / one:.2f}" + (UNSURE if _overlap(first, second) else "")


def _overlap(first: Timing, second: Timing) -> bool:
    """Whether the faster one's slow calls take as long as half of the other's; False where no calls were timed."""
    one, other = _calls(first), _calls(second)
    return one is not None and other is not None and one[0] <= other[1] and other[0] <= one[1]


def _calls(timing: Timing) -> tuple[float, float] | None:
    """How long a step or batch takes in ms: the median and the 99th percentile; None where either is not known.

    The 90th would be too near: of two runs of an unchanged benchmark on shared cores, the ranges up to it were 7.7 to
    10.7 and 11.6 to 15.1 ms.
    """
    latency: Any = timing.metrics.get("latency_ms") or {}
    median, slow = latency.get("p50"), latency.get("p99")
    return (median, slow) if is_number(median) and is_number(slow) else None


def notes(cells: Iterable[str]) -> tuple[str, ...]:
    """What those of the cells of a column mean that do not speak for themselves."""
    found = set(cells)
    unsure = (UNSURE_NOTE,) if any(cell.endswith(UNSURE) for cell in found) else ()
    return (*unsure, *(f"{word}: {meaning}" for word, meaning in NOTES.items() if word in found))
