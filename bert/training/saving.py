"""When a training saves: every minute or so, and never for more than a small share of its time."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from bert.pipeline.errors import StageError

# Saving may take this share of the time at most; BERT_SAVE_SECONDS=0 saves after every step.
SAVING_SHARE = 0.05


def save_seconds() -> float:
    """BERT_SAVE_SECONDS: time between checkpoints, default a minute. Changes no result."""
    told = os.environ.get("BERT_SAVE_SECONDS", "60")
    try:
        return float(told)
    except ValueError:
        raise StageError(
            f"BERT_SAVE_SECONDS is {told!r}, expected a number", run="unset BERT_SAVE_SECONDS, or correct it"
        ) from None


class SavingTimes:
    """The clock that says when the next checkpoint is due."""

    def __init__(self) -> None:
        self._between, self._saved = save_seconds(), time.monotonic()

    @property
    def due(self) -> bool:
        return time.monotonic() - self._saved >= self._between

    def save(self, write: Callable[[], None]) -> None:
        """Save by `write`; what took long is not done again so soon."""
        began = time.monotonic()
        write()
        self._saved = time.monotonic()
        wanted = save_seconds()
        self._between = max(wanted, (self._saved - began) / SAVING_SHARE if wanted else 0.0)
