"""Documents that are in the corpus more than once -> which of them to drop.

Of a group of duplicates the longest stays, of equals the one with the smaller id, in whatever order they come. Nothing
but descriptions passes through here: rows of a hash, a length and an id, gathered by hash.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from bert.beam.run import Item, Part, Workplace, run_parts
from bert.shards.placement import Placement
from bert.shards.shuffle import bucket_of, read_buckets, write_run

RUN, DROPS = "texts.run", "drops.run"


class Copy(NamedTuple):
    """A document among its duplicates; the least of them is the one that stays."""

    minus_length: int
    id: str


class Drop(NamedTuple):
    """A document that goes because of another that stays."""

    id: str
    reason: str
    kept: str


def text_digest(text: str) -> bytes:
    """16 bytes that are the same for texts that differ in capitals, or in where a line ends, only."""
    return hashlib.sha256(text.casefold().replace("\n", " ").encode()).digest()[:16]


class ExactRows:
    """Rows of the documents of one piece: those of one text meet in one bucket."""

    def __init__(self, buckets: int) -> None:
        self._buckets, self._rows = buckets, list[tuple[int, bytes]]()
        self.bytes = 0

    def add(self, identity: str, length: int, digest: bytes) -> None:
        row = json.dumps([digest.hex(), -length, identity]).encode()
        self._rows.append((bucket_of(digest, self._buckets), row))
        self.bytes += len(row)

    def finish(self, part: Part) -> None:
        write_run(part, RUN, self._rows, self._buckets)


def write_drops(part: Part, drops: Iterable[Drop], placement: Placement) -> None:
    """The run of drops that the gathering of each shard looks its documents up in."""
    rows = [(placement.bucket(placement(drop.id)), json.dumps(drop).encode()) for drop in drops]
    write_run(part, DROPS, rows, placement.buckets)


def read_drops(runs: Sequence[str], bucket: int) -> dict[str, Drop]:
    """{id: Drop} of one bucket of the shards; a later run overrules an earlier one."""
    drops = (Drop(*json.loads(row)) for row in read_buckets(runs, bucket))
    return {drop.id: drop for drop in drops}


def exact_drops(rows: Iterable[bytes]) -> Iterator[Drop]:
    """The documents that go, of the rows of a bucket. Rows of one id are one document, read twice."""
    copies = sorted(json.loads(row) for row in rows)
    for _, group in groupby(copies, key=lambda row: row[0]):
        kept, *others = dict.fromkeys(Copy(*row[1:]).id for row in group)
        yield from (Drop(identity, "exact_duplicate", kept) for identity in others)


class _FindExact:
    """A bucket of rows -> a run of drops."""

    def __init__(self, runs: Sequence[str], placement: Placement) -> None:
        self._runs, self._placement = runs, placement

    def setup(self) -> None:
        pass

    def __call__(self, item: Item, part: Part) -> dict[str, Any]:
        drops = list(exact_drops(read_buckets(self._runs, item["bucket"])))
        if drops:
            write_drops(part, drops, self._placement)
        return {"drops": len(drops)}


def find_exact(runs: Sequence[str], items: list[Item], placement: Placement, place: Workplace) -> list[str]:
    """Paths of the runs of drops. `items` are the buckets of `runs`, which `ExactRows` wrote."""
    found = run_parts("shards: exact duplicates", items, _FindExact(runs, placement), place)
    return [
        Part(place.parts, item["name"]).path(DROPS)
        for item, counts in zip(items, found, strict=True)
        if counts["drops"]
    ]
