"""bert/shards/placement.py: the split, shard and order of a document."""

from __future__ import annotations

import numpy as np

from bert.shards.placement import SPLITS, Placement
from tests.shards.settings import SETTINGS

NAMES = [f"wikipedia:{n}" for n in range(3000)]


def placement(shards: int, ranges: int = 1) -> Placement:
    settings = SETTINGS.model_copy(update={"train": shards, "test": shards})
    return Placement(settings, 7, {"train": ranges, "test": 2 * ranges})


def test_the_split_of_a_document_depends_on_its_id_alone() -> None:
    """A page stays in test when the corpus grows, when shards are added, and on every machine."""
    few, many = placement(2), placement(64, ranges=5)
    splits = [few(name).split for name in NAMES]
    assert splits == [many(name).split for name in NAMES]
    assert 0.27 < splits.count("test") / len(NAMES) < 0.33
    assert [n for n in range(20) if splits[n] == "test"] == [2, 5, 6, 9, 12, 14, 16]
    counts = np.bincount([many(name).shard for name in NAMES], minlength=64)
    assert counts.min() > 20 and counts.max() < 90, "shards are filled evenly"


def test_every_bucket_is_a_range_of_the_order_in_one_shard() -> None:
    places = placement(3, ranges=4)
    found: dict[int, set[tuple[str, int]]] = {}
    for name in NAMES:
        place = places(name)
        found.setdefault(places.bucket(place), set()).add((place.split, place.shard))
    assert sorted(found) == list(range(places.buckets)) and all(len(shards) == 1 for shards in found.values())
    for split in SPLITS:
        for shard in range(3):
            mine = sorted(p.order for p in map(places, NAMES) if (p.split, p.shard) == (split, shard))
            by_bucket = [
                order
                for bucket in places.buckets_of(split, shard)
                for order in sorted(p.order for p in map(places, NAMES) if places.bucket(p) == bucket)
            ]
            assert mine == by_bucket
