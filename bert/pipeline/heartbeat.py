"""A line now and then of a stage that says nothing else: whoever watches sees that it is still at work.

Where the amount of work is known a stage shows how far it is (bert/watch/progress.py). This is for the rest: hashing
inputs, compiling, asking an exported model, copying a result.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event

from bert.pipeline.periodic import looking

log = logging.getLogger(__name__)

SECONDS_OF_SILENCE = 10.0
SECONDS_BETWEEN_LOOKS = 1.0


class _Heard(logging.Handler):
    """Remembers when this process last said something."""

    at = 0.0

    def emit(self, record: logging.LogRecord) -> None:
        del record
        heard()


def heard() -> None:
    """Something was said in another way than by the log: by a bar, or by a process that this one has started."""
    _Heard.at = time.monotonic()


@contextmanager
def silent() -> Iterator[None]:
    """Inside, another process does the work and says so itself."""
    _Heard.at = math.inf
    try:
        yield
    finally:
        heard()


@contextmanager
def beating(stage: str) -> Iterator[None]:
    """Says that `stage` is at work, and for how long, each time that nothing was said for SECONDS_OF_SILENCE."""
    began, handler = time.monotonic(), _Heard(logging.INFO)

    def look(stop: Event) -> None:
        del stop
        now = time.monotonic()
        if now - _Heard.at >= SECONDS_OF_SILENCE:
            log.info("%s: at work for %.0f s", stage, now - began)
            heard()

    heard()
    logging.getLogger("bert").addHandler(handler)
    try:
        with looking(look, SECONDS_BETWEEN_LOOKS):
            yield
    finally:
        logging.getLogger("bert").removeHandler(handler)
