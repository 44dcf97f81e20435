"""A file with one document a line, read by many workers: each takes the lines that begin in its range of bytes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import IO


def ranges(size: int, most: int) -> list[tuple[int, int]]:
    """(offset, length) of about equal parts of `size` bytes, of at most `most` each; one of an empty file."""
    number = max(1, -(-size // most))
    edges = [n * size // number for n in range(number + 1)]
    return [(start, end - start) for start, end in pairwise(edges)]


def lines(f: IO[bytes], offset: int, length: int) -> Iterator[bytes]:
    """The lines of an open file that begin in a range of it, one at a time; the last may end behind the range.

    Raises:
        ValueError: the file is shorter than it was.
    """
    at, end = offset, offset + length
    if offset:  # from the byte before: where that is the end of a line, the first line begins at `offset`
        f.seek(offset - 1)
        at += len(f.readline()) - 1
    while at < end:
        line = f.readline()
        if not line:
            raise ValueError(f"it ends {end - at} bytes early")
        at += len(line)
        yield line
