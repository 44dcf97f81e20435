"""Passages that stand in many documents (notices, navigation, forms) -> the hashes by which they are dropped.

Two passes over hashes: each piece of the input writes (passage, document) pairs into buckets by the passage's hash,
each bucket counts. A document is its text here: one that is in the corpus fifty times does not make its passages
boilerplate. What the workers of the next pass hold is a hash (8 bytes) of each passage that repeats: of 50 million
passages, and `max_repeats` ten, 36 MB if every one of them did.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from bert.beam.run import Item, Part, Workplace, read, run_parts
from bert.documents.document import Document
from bert.shards.pieces import read_piece
from bert.shards.shuffle import bucket_of, read_buckets, write_run

RUN, REPEATED = "passages.run", "repeated.u8"
_HASH = np.dtype("<u8")


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.casefold().encode(), digest_size=8).digest()


class _Hashes:
    """A piece -> a run of (passage, document) pairs of hashes."""

    def __init__(self, buckets: int) -> None:
        self._buckets = buckets

    def setup(self) -> None:
        pass

    def __call__(self, item: Item, part: Part) -> dict[str, Any]:
        pairs: dict[int, bytearray] = defaultdict(bytearray)
        for document in read_piece(item):
            whole = _digest(document.text)
            for passage in {_digest(p) for p in document.passages}:
                pairs[bucket_of(passage, self._buckets)] += passage[::-1] + whole[::-1]
        write_run(part, RUN, [(bucket, bytes(rows)) for bucket, rows in pairs.items()], self._buckets)
        return {}


class _Count:
    """A bucket of pairs -> the hashes of the passages that are in more than `most` different documents."""

    def __init__(self, runs: Sequence[str], most: int) -> None:
        self._runs, self._most = runs, most

    def setup(self) -> None:
        pass

    def __call__(self, item: Item, part: Part) -> dict[str, Any]:
        pairs = np.frombuffer(b"".join(read_buckets(self._runs, item["bucket"])), _HASH).reshape(-1, 2)
        passages, documents = np.unique(np.unique(pairs, axis=0)[:, 0], return_counts=True)
        repeated = passages[documents > self._most]
        if len(repeated):
            with part.create(REPEATED) as f:
                f.write(repeated.tobytes())
        return {"repeated": len(repeated)}


def find_boilerplate(
    pieces: list[Item], buckets: list[Item], most: int, hashing: Workplace, counting: Workplace
) -> list[str]:
    """Paths of files with the hashes of the passages that are in more than `most` different documents."""
    run_parts("shards: hash passages", pieces, _Hashes(len(buckets)), hashing)
    runs = [Part(hashing.parts, item["name"]).path(RUN) for item in pieces]
    found = run_parts("shards: count passages", buckets, _Count(runs, most), counting)
    return [
        Part(counting.parts, item["name"]).path(REPEATED)
        for item, counts in zip(buckets, found, strict=True)
        if counts["repeated"]
    ]


class Boilerplate:
    """The passages to drop, from the files of `find_boilerplate`."""

    def __init__(self, paths: Sequence[str]) -> None:
        found = []
        for path in paths:
            with read(path) as f:
                found.append(np.frombuffer(f.read(), _HASH))
        self._hashes = np.sort(np.concatenate(found)) if found else np.empty(0, _HASH)

    def keep(self, document: Document) -> list[str]:
        """The passages of a document that are no boilerplate."""
        passages = document.passages
        if not len(self._hashes):
            return passages
        hashes = np.frombuffer(b"".join(_digest(p)[::-1] for p in passages), _HASH)
        at = np.searchsorted(self._hashes, hashes).clip(max=len(self._hashes) - 1)
        return [p for p, drop in zip(passages, self._hashes[at] == hashes, strict=True) if not drop]
