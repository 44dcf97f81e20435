"""Random draws that are the same on every machine and in every run."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeVar

import numpy as np

T = TypeVar("T")


def position(*words: str | int) -> float:
    """A number in [0, 1) from the SHA-256 of `words`."""
    digest = hashlib.sha256("\x00".join(map(str, words)).encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def choose(rng: np.random.Generator, options: Sequence[T]) -> T:
    """One of the options, each as likely as any other."""
    return options[int(rng.integers(len(options)))]
