"""Progress of a Beam stage, seen from outside: its workers may be other threads, processes or machines."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Event, Thread

from bert.beam.run import Item, Part, Workplace
from bert.watch.progress import Progress

SECONDS_BETWEEN_LOOKS = 1.0
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


@contextmanager
def watch_parts(label: str, items: Sequence[Item], place: Workplace) -> Iterator[None]:
    """Shows how many of the items' parts are finished."""
    left = list(items)

    def look(stop: Event) -> None:
        nonlocal left
        left = [item for item in left if stop.is_set() or not Part(place.parts, item["name"]).is_finished()]
        progress.update(len(items) - len(left))

    with Progress(label, len(items), "parts") as progress:
        with looking(look, SECONDS_BETWEEN_LOOKS):
            yield
        progress.update(len(items))
