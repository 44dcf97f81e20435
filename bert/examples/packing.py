"""Packing: which sequences share a row, by the histogram of their lengths (Krell et al. 2021, arXiv 2107.02027).

Longest-pack-first: from the longest length down, each sequence joins the fullest row that still has room for it. Rows
that hold the same lengths are one entry with a count, so the work depends on the number of distinct lengths and not on
the number of sequences.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

import numpy as np

Lengths = tuple[int, ...]


def strategies(
    lengths: Iterable[int], capacity: int, max_sequences: int, predictions: Callable[[int], int], max_predictions: int
) -> dict[Lengths, int]:
    """{lengths in a row: number of such rows}.

    Args:
        lengths: of the sequences, each at most `capacity` tokens.
        predictions: of a sequence of some length, each at most `max_predictions`.
    """
    waiting = Counter(lengths)
    # By room left: what the rows hold, and how many there are. Insertion order is the order of work.
    open_rows: list[dict[Lengths, int]] = [{} for _ in range(capacity + 1)]
    closed: Counter[Lengths] = Counter()

    def put(row: Lengths, count: int) -> None:
        room = capacity - sum(row)
        if len(row) < max_sequences and room:
            open_rows[room][row] = open_rows[room].get(row, 0) + count
        else:
            closed[row] += count

    for length in sorted(waiting, reverse=True):
        left, needed = waiting[length], predictions(length)
        room = length
        while left and room <= capacity:
            fitting = (row for row in open_rows[room] if sum(map(predictions, row)) + needed <= max_predictions)
            row = next(fitting, None)
            if row is None:
                room += 1
                continue
            count = min(left, open_rows[room][row])
            open_rows[room][row] -= count
            if not open_rows[room][row]:
                del open_rows[room][row]
            put((*row, length), count)
            left -= count
            # A row with what was just put into it may have room for more of the same length.
            room = length
        while left:
            together = 1
            while (
                together < max_sequences
                and (together + 1) * length <= capacity
                and (together + 1) * needed <= max_predictions
                and together < left
            ):
                together += 1
            put((length,) * together, left // together)
            left %= together
    for rows in open_rows:
        closed.update(rows)
    return dict(closed)


def pack(
    lengths: Sequence[int],
    capacity: int,
    max_sequences: int,
    predictions: Callable[[int], int],
    max_predictions: int,
    rng: np.random.Generator,
) -> list[list[int]]:
    """Rows of indices into `lengths`, in random order, and which of the sequences of a length meet at random too."""
    by_length: dict[int, list[int]] = {}
    for index in rng.permutation(len(lengths)).tolist():
        by_length.setdefault(lengths[index], []).append(index)
    found = strategies(lengths, capacity, max_sequences, predictions, max_predictions)
    rows = [[by_length[length].pop() for length in row] for row, count in found.items() for _ in range(count)]
    return [rows[n] for n in rng.permutation(len(rows))]
