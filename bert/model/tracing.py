"""What holds while a function is traced: settings that stand in no argument."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

T = TypeVar("T")


@contextmanager
def holding(variable: ContextVar[T], value: T) -> Iterator[None]:
    """`variable` has this value inside."""
    before = variable.set(value)
    try:
        yield
    finally:
        variable.reset(before)
