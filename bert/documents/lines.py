"""A text, read by many workers: each takes the lines, or the documents between empty lines, of its range of bytes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import IO

# What an empty line may hold: the white space of ASCII, in bytes as in text.
WHITE = " \t\n\r\v\f"


def ranges(size: int, most: int) -> list[tuple[int, int]]:
    """(offset, length) of about equal parts of `size` bytes, of at most `most` each; one of an empty file."""
    number = max(1, -(-size // most))
    edges = [n * size // number for n in range(number + 1)]
    return [(start, end - start) for start, end in pairwise(edges)]


def _go_to(f: IO[bytes], offset: int) -> int:
    """Go to the first line that begins at `offset` or behind; its place."""
    if not offset:
        return 0
    f.seek(offset - 1)  # the byte before: where that is the end of a line, the first line begins at `offset`
    return offset + len(f.readline()) - 1


def lines(f: IO[bytes], offset: int, length: int) -> Iterator[bytes]:
    """The lines of an open file that begin in a range of it, one at a time; the last may end behind the range.

    Raises:
        ValueError: the file is shorter than it was.
    """
    at, end = _go_to(f, offset), offset + length
    while at < end:
        line = f.readline()
        if not line:
            raise ValueError(f"it ends {end - at} bytes early")
        at += len(line)
        yield line


def documents(f: IO[bytes], offset: int, length: int) -> Iterator[bytes]:
    """The lines of the documents, with empty lines between them, that follow the empty lines of a range.

    So a worker need not look back to know whether a document begins in its range or goes on there: it reads from the
    first empty line in its range to the first one behind it. The first range has the file's beginning.

    Raises:
        ValueError: the file is shorter than it was.
    """
    at, end = _go_to(f, offset), offset + length
    is_within = offset == 0
    while at < end or is_within:
        line = f.readline()
        if not line and at < end:
            raise ValueError(f"it ends {end - at} bytes early")
        is_empty = not line.strip()  # the file's end too
        is_within = is_within or is_empty
        if is_within:
            yield line
        if is_empty and at >= end:
            return
        at += len(line)
