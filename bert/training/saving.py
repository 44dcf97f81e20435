"""When a training saves: every minute or so, and never for more than a small share of its time."""

from __future__ import annotations

import time
from collections.abc import Callable

# Saving may take this share of the time at most, unless every step is to be saved.
SAVING_SHARE = 0.05


class SavingTimes:
    """The clock that says when the next checkpoint is due."""

    def __init__(self, seconds: float) -> None:
        """seconds: between checkpoints; 0: one after every step, whatever it costs."""
        self._seconds = self._between = seconds
        self._saved = time.monotonic()

    @property
    def due(self) -> bool:
        return time.monotonic() - self._saved >= self._between

    def save(self, write: Callable[[], None]) -> None:
        """Save by `write`; what took long is not done again so soon."""
        began = time.monotonic()
        write()
        self._saved = time.monotonic()
        self._between = max(self._seconds, (self._saved - began) / SAVING_SHARE if self._seconds else 0.0)
