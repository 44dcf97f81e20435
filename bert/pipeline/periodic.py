"""Something that is done again and again while other work goes on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

# Of the time, at most this share goes into looking: at thousands of files in a bucket it takes minutes.
MOST_LOOKING = 0.1


@contextmanager
def looking(look: Callable[[Event], None], seconds: float) -> Iterator[None]:
    """Call `look` in a thread, every `seconds` or less often, until the context ends.

    look: takes an event that is set at the end, so that a long look can break off.
    """
    stop = Event()

    def keep_looking() -> None:
        pause = seconds
        while not stop.wait(pause):
            began = time.monotonic()
            look(stop)
            pause = max(seconds, (time.monotonic() - began) / MOST_LOOKING)

    thread = Thread(target=keep_looking, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
