"""Progress of a Beam stage, seen from outside: its workers may be other threads, processes or machines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Event

from bert.beam.run import Item, Part, Workplace
from bert.pipeline.periodic import looking
from bert.watch.progress import Progress

SECONDS_BETWEEN_LOOKS = 1.0


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
