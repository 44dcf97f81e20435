"""Settings for shards of a small corpus."""

from __future__ import annotations

from bert.shards.settings import NearSettings, ShardsSettings

SETTINGS = ShardsSettings(
    language="en",
    train=3,
    test=2,
    test_fraction=0.3,
    duplicates="exact",
    near=NearSettings(threshold=0.8, permutations=128, shingle=3),
    max_repeats=None,
)
