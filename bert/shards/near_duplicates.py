"""Near duplicates: documents of which most word shingles are the same, by MinHash and locality-sensitive hashing.

After Broder, "On the resemblance and containment of documents" (1997), and Leskovec, Rajaraman and Ullman, "Mining of
Massive Datasets", chapter 3. A document is the set of its shingles (runs of `shingle` words). Its signature has
`permutations` minima, of which the equal ones estimate the Jaccard similarity of two sets. Bands of the signature are
hashed into buckets; documents that agree in a band are candidates, and are compared by their whole signatures.

In a band, each document is compared with one other, the first by the hash of its id: a group of 100,000 stubs costs as
many comparisons, not their square. Groups are the connected components of the pairs that were found.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from itertools import pairwise
from typing import Any

import numpy as np
from datasketch import MinHash
from numpy.typing import NDArray

from bert.beam.run import Item, Part, Workplace, read, run_parts
from bert.shards.duplicates import Copy, Drop
from bert.shards.settings import NearSettings
from bert.shards.shuffle import read_bucket, read_range, write_run

RUN, SIGNATURES, PAIRS = "bands.run", "signatures.bin", "pairs.jsonl"
# Of pairs at the threshold, the share that agrees in a band at least.
RECALL = 0.99
# Shingles at a time: their 128 hashes take 1 MB, which a cache holds, however long the document is.
SHINGLES = 2048
# An odd multiplier without pattern in its bits: the one of Knuth's multiplicative hashing, 2**64 / golden ratio.
GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_ROW = np.dtype([("band", "<u8"), ("order", "<u8"), ("offset", "<u8"), ("size", "<u4")])
_LENGTH = struct.Struct("<I")


def bands(settings: NearSettings) -> tuple[int, int]:
    """(bands, minima in each): as long as they may be for pairs at the threshold to be found with `RECALL`."""
    for rows in range(settings.permutations, 1, -1):
        number = settings.permutations // rows
        if 1 - (1 - settings.threshold**rows) ** number >= RECALL:
            return number, rows
    return settings.permutations, 1


def shingles(words: Sequence[str], length: int) -> NDArray[np.uint32]:
    """Hashes of the runs of `length` words, in their order; of all words where there are fewer."""
    known = {word: zlib.crc32(word.encode()) for word in dict.fromkeys(words)}
    hashed = np.fromiter(map(known.__getitem__, words), np.uint64, len(words))
    runs = max(1, len(words) - length + 1)
    mixed = np.zeros(runs, np.uint64)
    for n in range(min(length, len(words))):
        mixed = (mixed ^ hashed[n : n + runs]) * GOLDEN
        mixed ^= mixed >> np.uint64(29)
    return (mixed >> np.uint64(32)).astype(np.uint32)


class Signer:
    """Documents -> signatures."""

    def __init__(self, settings: NearSettings) -> None:
        self._shingle = settings.shingle
        # The permutations are drawn once, from datasketch's own seed; hashing is done above, for all shingles at once.
        self._empty = MinHash(num_perm=settings.permutations, hashfunc=int, scheme="affine32")

    def __call__(self, text: str) -> NDArray[np.uint32]:
        """The (permutations,) minima of a text, which differences in capitals and spaces leave as they are."""
        hashes = shingles(text.casefold().split(), self._shingle)
        signature = self._empty.copy()
        for start in range(0, len(hashes), SHINGLES):
            signature.update_batch(hashes[start : start + SHINGLES].tolist())
        return np.asarray(signature.hashvalues, np.uint32)


class NearRows(AbstractContextManager["NearRows"]):
    """The signatures of the documents of one piece, and a row per band: those that agree in one meet in one bucket."""

    def __init__(self, signer: Signer, settings: NearSettings, buckets: int, part: Part) -> None:
        self._signer, self._buckets, self._part = signer, buckets, part
        self._bands, self._minima = bands(settings)
        self._rows = list[NDArray[Any]]()
        self._offset = 0
        self._opened = part.create(SIGNATURES)

    def __enter__(self) -> NearRows:
        self._file = self._opened.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._opened.__exit__(*error)

    def add(self, identity: str, length: int, text: str, order: bytes) -> None:
        signature = self._signer(text)
        record = _LENGTH.pack(length) + signature.astype("<u4").tobytes() + identity.encode()
        self._file.write(record)
        rows = np.zeros(self._bands, _ROW)
        rows["band"] = self._hash(signature)
        rows["order"] = int.from_bytes(order[:8], "big")
        rows["offset"], rows["size"] = self._offset, len(record)
        self._rows.append(rows)
        self._offset += len(record)

    def _hash(self, signature: NDArray[np.uint32]) -> NDArray[np.uint64]:
        values = signature[: self._bands * self._minima].reshape(self._bands, self._minima).astype(np.uint64)
        mixed = np.arange(1, self._bands + 1, dtype=np.uint64)
        for n in range(self._minima):
            mixed = (mixed ^ values[:, n]) * GOLDEN
            mixed ^= mixed >> np.uint64(29)
        return mixed * GOLDEN

    def finish(self) -> None:
        rows = np.concatenate([np.zeros(0, _ROW), *self._rows])
        # The upper half of the hash times the number of buckets: 64 bits are enough for it.
        buckets = (rows["band"] >> np.uint64(32)) * np.uint64(self._buckets) >> np.uint64(32)
        order = np.argsort(buckets, kind="stable")
        rows, buckets = rows[order], buckets[order]
        edges = np.searchsorted(buckets, np.arange(self._buckets + 1))
        blobs = [(n, rows[edges[n] : edges[n + 1]].tobytes()) for n in range(self._buckets) if edges[n] < edges[n + 1]]
        write_run(self._part, RUN, blobs, self._buckets)


class _Compare:
    """A bucket of bands -> the pairs of documents whose signatures are as similar as the threshold asks."""

    def __init__(self, parts: Sequence[Part], settings: NearSettings) -> None:
        self._parts, self._settings = parts, settings

    def setup(self) -> None:
        pass

    def _rows(self, bucket: int) -> tuple[NDArray[Any], NDArray[np.int64]]:
        """The rows of the bucket, those of one band together, and the number of the piece of each."""
        found, pieces = [np.zeros(0, _ROW)], [np.zeros(0, np.int64)]
        for number, part in enumerate(self._parts):
            for blob in read_bucket(part.path(RUN), bucket):
                found.append(np.frombuffer(blob, _ROW))
                pieces.append(np.full(len(found[-1]), number))
        rows, piece = np.concatenate(found), np.concatenate(pieces)
        order = np.lexsort((rows["order"], rows["band"]))
        return rows[order], piece[order]

    def _read(self, row: Any, piece: int) -> tuple[NDArray[np.uint32], Copy]:
        record = read_range(self._parts[piece].path(SIGNATURES), int(row["offset"]), int(row["size"]))
        end = _LENGTH.size + 4 * self._settings.permutations
        (length,) = _LENGTH.unpack_from(record)
        return np.frombuffer(record[_LENGTH.size : end], "<u4"), Copy(-length, record[end:].decode())

    def _pairs(self, bucket: int) -> Iterator[tuple[Copy, Copy]]:
        rows, piece = self._rows(bucket)
        changes = np.flatnonzero(rows["band"][1:] != rows["band"][:-1]) + 1
        for start, end in pairwise([0, *changes, len(rows)]):
            if end - start < 2:
                continue
            first, copy = self._read(rows[start], piece[start])
            for n in range(start + 1, end):
                other, other_copy = self._read(rows[n], piece[n])
                if copy != other_copy and np.mean(first == other) >= self._settings.threshold:
                    yield copy, other_copy

    def __call__(self, item: Item, part: Part) -> dict[str, Any]:
        pairs = sorted(set(self._pairs(item["bucket"])))
        if pairs:
            with part.create(PAIRS) as f:
                f.writelines(json.dumps(pair).encode() + b"\n" for pair in pairs)
        return {"pairs": len(pairs)}


class Groups:
    """Connected components, by union-find. Each is named by the copy that stays."""

    def __init__(self) -> None:
        self._parents: dict[Copy, Copy] = {}

    def _find(self, copy: Copy) -> Copy:
        root = copy
        while (above := self._parents.setdefault(root, root)) != root:
            root = above
        while copy != root:
            self._parents[copy], copy = root, self._parents[copy]
        return root

    def join(self, one: Copy, other: Copy) -> None:
        kept, dropped = sorted((self._find(one), self._find(other)))
        self._parents[dropped] = kept

    def drops(self) -> Iterator[Drop]:
        for copy in sorted(self._parents):
            if (kept := self._find(copy)) != copy:
                yield Drop(copy.id, "near_duplicate", kept.id)


def find_near(parts: Sequence[Part], items: list[Item], settings: NearSettings, place: Workplace) -> Iterator[Drop]:
    """The documents that go. `parts` are what `NearRows` wrote, `items` the buckets of their runs.

    The driver holds the documents that have a near duplicate: if that is one in twenty of the 7 million articles of
    the English Wikipedia, 350,000 of them in about 150 MB. The pairs themselves are read one at a time.
    """
    found = run_parts("shards: near duplicates", items, _Compare(parts, settings), place)
    groups = Groups()
    for item, counts in zip(items, found, strict=True):
        if counts["pairs"]:
            with read(Part(place.parts, item["name"]).path(PAIRS)) as f:
                for line in f:
                    one, other = json.loads(line)
                    groups.join(Copy(*one), Copy(*other))
    return groups.drops()
