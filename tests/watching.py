"""A Watch (bert/pipeline/watched.py) that remembers what it was shown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

T = TypeVar("T")


@dataclass
class Watching:
    """shown: {label: (items taken, total, unit)}."""

    shown: dict[str, tuple[int, int, str]] = field(default_factory=dict)

    def __call__(self, items: Iterable[T], label: str, total: int, unit: str) -> Iterator[T]:
        for taken, item in enumerate(items, start=1):
            self.shown[label] = (taken, total, unit)
            yield item
