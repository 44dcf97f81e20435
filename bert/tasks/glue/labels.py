"""What a file writes in the column of what is learned -> classes and numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, nan

from bert.pipeline.errors import StageError

SHOWN = 10  # labels in a message


def as_number(text: str) -> float:
    """NaN where it is no finite number."""
    try:
        number = float(text)
    except ValueError:
        return nan
    return number if isfinite(number) else nan


def listed(labels: Sequence[str]) -> str:
    """The first of them, for messages."""
    more = f" and {len(labels) - SHOWN} more" if len(labels) > SHOWN else ""
    return ", ".join(labels[:SHOWN]) + more


@dataclass(frozen=True)
class LabelColumn:
    """A column and what may stand in it: `labels`, or numbers from scale[0] to scale[1]."""

    name: str
    labels: tuple[str, ...]
    scale: tuple[float, float] | None

    def read(self, text: str, where: str, run: str) -> int | float:
        """The index of a label, or the number of a regression.

        where: of the text, for messages.

        Raises:
            StageError: it is none of them.
        """
        if self.scale is None:
            if text in self.labels:
                return self.labels.index(text)
            expected = f"one of {listed(self.labels)}"
        else:
            low, high = self.scale
            if low <= (number := as_number(text)) <= high:
                return number
            expected = f"a number from {low:g} to {high:g}"
        raise StageError(f"{where}: expected as {self.name} {expected}, got {text!r}", run=run)
