"""The last pass of `shards`: the rows of a shard, bucket after bucket -> its text, and what was dropped from it."""

from __future__ import annotations

import json
import struct
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from bert.beam.run import Item, Part
from bert.pipeline.errors import StageError
from bert.shards.duplicates import Drop, read_drops
from bert.shards.shuffle import read_buckets

SHARD, DROPPED = "shard.txt", "dropped.jsonl"
REASONS = ("exact_duplicate", "near_duplicate", "boilerplate_passage", "empty")
COUNTS = ("documents", "sentences", "words", "bytes")
_HEAD = struct.Struct("<16s16sII")


class Row(NamedTuple):
    """A document on its way to its shard. Rows sort as documents do there; of one id, the longest text comes first."""

    order: bytes
    digest: bytes
    minus_length: int
    text: bytes
    id: str
    sentences: int

    def pack(self) -> bytes:
        name = self.id.encode()
        return _HEAD.pack(self.order, self.digest, self.sentences, len(name)) + name + self.text

    @classmethod
    def unpack(cls, row: bytes) -> Row:
        order, digest, sentences, name = _HEAD.unpack_from(row)
        text = row[_HEAD.size + name :]
        return cls(order, digest, -len(text), text, row[_HEAD.size : _HEAD.size + name].decode(), sentences)


class Gather:
    """The buckets of one shard -> the shard, and a list of what was dropped."""

    def __init__(self, runs: Sequence[str], drops: Sequence[str], keep_copies: bool) -> None:
        self._runs, self._drops, self._keep_copies = runs, drops, keep_copies

    def setup(self) -> None:
        pass

    def _rows(self, bucket: int) -> Iterator[tuple[Row, Drop | None]]:
        """The documents of a bucket in their order, each with the reason for which it goes, if it does."""
        drops = read_drops(self._drops, bucket)
        before: Row | None = None
        for row in sorted(map(Row.unpack, read_buckets(self._runs, bucket))):
            same = before is not None and before.id == row.id
            if before is not None and same and before.digest != row.digest:
                raise StageError(
                    f"two documents have the id {row.id!r} and not the same text, of {-before.minus_length} and "
                    f"{-row.minus_length} bytes: a page in two versions, two files of one name, or an `id` given twice",
                    run="remove one of the sources from params.yaml, then dvc repro",
                )
            before = row
            if not row.sentences:
                yield row, Drop(row.id, "empty", "")
            elif same and not self._keep_copies:
                yield row, Drop(row.id, "exact_duplicate", row.id)
            else:
                yield row, drops.get(row.id)

    def __call__(self, item: Item, part: Part) -> dict[str, Any]:
        counts = Counter(dict.fromkeys((*COUNTS, *REASONS), 0))
        with part.create(SHARD) as out, part.create(DROPPED) as listed:
            for bucket in range(item["first"], item["end"]):
                for row, drop in self._rows(bucket):
                    if drop:
                        counts[drop.reason] += 1
                        listed.write(json.dumps(drop._asdict(), ensure_ascii=False).encode() + b"\n")
                        continue
                    text = b"\n" + row.text if counts["documents"] else row.text
                    out.write(text)
                    counts["documents"] += 1
                    counts["sentences"] += row.sentences
                    # Behind each word is one space, or its sentence's end.
                    counts["words"] += row.text.count(b" ") + row.sentences
                    counts["bytes"] += len(text)
        return dict(counts)
