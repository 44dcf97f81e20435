"""Progress of long work: a bar on a terminal, a log line every few seconds elsewhere."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from tqdm import tqdm

from bert.pipeline.heartbeat import heard

log = logging.getLogger(__name__)

SECONDS_BETWEEN_LINES = 5.0
T = TypeVar("T")


class Progress:
    """Counts `done` of `total` units of work. `total` may be set anew while it is being found out.

    Example: with Progress("shards", 8, "files") as progress: progress.update(3)
    """

    def __init__(self, label: str, total: int, unit: str, start: int = 0) -> None:
        self.label, self.total, self.unit, self.done = label, total, unit, start
        self._said = time.monotonic()
        self._first: tuple[int, float] | None = None
        self._bar = (
            tqdm(total=total, initial=start, desc=label, unit=f" {unit}", dynamic_ncols=True)
            if sys.stderr.isatty()
            else None
        )

    def update(self, done: int, note: str = "") -> None:
        """Say that `done` units are finished in all, with a short note such as the loss."""
        if self._bar is not None:
            self._bar.total = self.total
            self._bar.update(done - self.done)
            heard()
            if note:
                self._bar.set_postfix_str(note, refresh=False)
        self.done = done
        now = time.monotonic()
        if self._bar is None and now - self._said >= SECONDS_BETWEEN_LINES:
            self._said = now
            left = f", {duration(seconds)} left" if (seconds := self._seconds_left(done, now)) else ""
            log.info("%s: %d/%d %s%s%s", self.label, done, self.total, self.unit, left, f", {note}" if note else "")
        self._first = self._first or (done, now)

    def _seconds_left(self, done: int, now: float) -> float:
        """At the pace since the first update, before which there may have been minutes of compiling; 0 if unknown."""
        since, began = self._first or (done, now)
        return (self.total - done) * (now - began) / (done - since) if done > since else 0.0

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()


def duration(seconds: float) -> str:
    """Examples: 59 s, 12 min, 3 h 20 min"""
    minutes = round(seconds / 60)
    if seconds < 119.5:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"


def track(items: Iterable[T], label: str, total: int, unit: str) -> Iterator[T]:
    """`items`, with their progress shown."""
    with Progress(label, total, unit) as progress:
        for n, item in enumerate(items, start=1):
            yield item
            progress.update(n)
