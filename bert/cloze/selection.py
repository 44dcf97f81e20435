"""Which documents make up a set of limited size, without holding or reading more than needed.

Documents are ranked by a hash of their id and taken in that order until there are enough items. So the set is the same
in whatever order the documents come, and with a larger limit it only grows.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(order=True)
class _Entry(Generic[T]):
    # Negative: heapq keeps the smallest on top, and what has to go first is the last in rank.
    order: tuple[float, str]
    items: list[T] = field(compare=False)
    dropped: Counter[str] = field(compare=False)


class Selection(Generic[T]):
    """The first documents in rank whose items number `limit` or more."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._heap: list[_Entry[T]] = []
        self._names: set[str] = set()
        self._total = 0

    def wants(self, rank: float, name: str) -> bool:
        """Whether a document could still come in, and is not there yet; if not, it need not be looked at."""
        return name not in self._names and (self._total < self._limit or rank < -self._heap[0].order[0])

    def add(self, rank: float, name: str, items: list[T], dropped: Counter[str]) -> None:
        heapq.heappush(self._heap, _Entry((-rank, name), items, dropped))
        self._names.add(name)
        self._total += len(items)
        while self._total - len(self._heap[0].items) >= self._limit:
            last = heapq.heappop(self._heap)
            self._names.remove(last.order[1])
            self._total -= len(last.items)

    def __iter__(self) -> Iterator[tuple[str, list[T]]]:
        """(name, items) in order of rank, `limit` items in all: the last document gives what is missing."""
        left = self._limit
        for entry in sorted(self._heap, reverse=True):
            yield entry.order[1], entry.items[:left]
            left -= len(entry.items[:left])

    def dropped(self) -> Counter[str]:
        """What the kept documents dropped, by reason, and what the limit cut off."""
        total: Counter[str] = sum((entry.dropped for entry in self._heap), Counter())
        if self._total > self._limit:
            total["beyond the limit"] = self._total - self._limit
        return total
