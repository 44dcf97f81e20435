"""Where a document goes: its split, its shard and its place in the shard, all from one salted hash of its id."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from bert.shards.settings import ShardsSettings
from bert.shards.shuffle import bucket_of

SPLITS = ("train", "test")


@dataclass(frozen=True)
class Place:
    """`order` (16 bytes) sorts the documents of a shard."""

    split: str
    shard: int
    order: bytes


class Placement:
    """The place of each document: the same on every machine and runner, whatever else is in the corpus.

    Args:
        ranges: how many buckets the documents of one shard are gathered from, by split. They are ranges of `order`,
            so that their concatenation is the same shard however many there are.
    """

    def __init__(self, settings: ShardsSettings, seed: int, ranges: dict[str, int]) -> None:
        self._test_fraction, self._seed = settings.test_fraction, seed
        self._shards = {split: getattr(settings, split) for split in SPLITS}
        self._ranges = ranges
        self.buckets = sum(self._shards[split] * ranges[split] for split in SPLITS)

    def __call__(self, identity: str) -> Place:
        digest = hashlib.sha256(f"{self._seed}\x00{identity}".encode()).digest()
        split = "test" if int.from_bytes(digest[:8], "big") / 2**64 < self._test_fraction else "train"
        return Place(split, bucket_of(digest[8:16], self._shards[split]), digest[16:])

    def buckets_of(self, split: str, shard: int) -> range:
        """The buckets of one shard, in the order of their documents."""
        first = shard * self._ranges[split]
        if split == "test":
            first += self._shards["train"] * self._ranges["train"]
        return range(first, first + self._ranges[split])

    def bucket(self, place: Place) -> int:
        return self.buckets_of(place.split, place.shard)[bucket_of(place.order, self._ranges[place.split])]
