"""Where a file of a document a line may be cut, and the lines of one piece of it: many workers read one file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import IO

from bert.text.dump import Piece

_CHUNK = 1 << 20


def cut_lines(path: Path, most: int) -> list[Piece]:
    """Pieces of whole lines that cover the file, of about equal size: `most` bytes and a line at most."""
    size = path.stat().st_size
    number = max(1, -(-size // most))
    cuts = [0]
    with open(path, "rb") as f:
        for n in range(1, number):
            # The first line that begins there or later: from the byte before it, which may end a line.
            f.seek(max(cuts[-1], n * size // number - 1))
            while (line := f.readline(_CHUNK)) and not line.endswith(b"\n"):
                pass
            if cuts[-1] < f.tell() < size:
                cuts.append(f.tell())
    ends = (*cuts[1:], size)
    return [Piece(start, end - start, end == size) for start, end in zip(cuts, ends, strict=True)]


def lines(f: IO[bytes], piece: Piece) -> Iterator[bytes]:
    """The lines of a piece of the open file, one at a time.

    Raises:
        ValueError: the file is shorter than it was.
    """
    f.seek(piece.offset)
    left = piece.length
    while left:
        line = f.readline(left)
        if not line:
            raise ValueError(f"it ends {left} bytes early")
        left -= len(line)
        yield line
