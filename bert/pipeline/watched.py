"""What a long work takes to show how far it is, and knows nothing of who shows it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

T = TypeVar("T")


class Watch(Protocol):
    """Such as bert/watch/progress.py's `track`."""

    def __call__(self, items: Iterable[T], label: str, total: int, unit: str) -> Iterator[T]:
        """`items`, of which there may be `total` of a unit such as "documents", while they are taken one by one."""


def unwatched(items: Iterable[T], label: str, total: int, unit: str) -> Iterator[T]:
    """Nobody looks."""
    del label, total, unit
    return iter(items)
