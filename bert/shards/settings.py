"""Parameters of the stage that turns documents into shards of sentences: `shards`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from bert.pipeline.params import Section


class NearSettings(Section):
    """When two documents are near duplicates.

    threshold: of the Jaccard similarity of their sets of shingles, as their signatures estimate it.
    permutations: minima in a signature; the estimate's standard error is sqrt(J (1 - J) / permutations).
    shingle: words in a row.
    """

    threshold: Annotated[float, Field(gt=0, le=1)]
    permutations: Annotated[int, Field(ge=16, le=1024)]
    shingle: Annotated[int, Field(ge=1)]


class ShardsSettings(Section):
    """How documents become shards.

    train / test: number of shards of each; test_fraction of the documents goes to test, by a hash of their id.
    duplicates: which documents are dropped: none; those whose text another one has (exact); those and near ones.
    max_repeats: passages in more than so many different documents are dropped from all of them; None: none is.
    """

    language: str
    train: Annotated[int, Field(ge=1)]
    test: Annotated[int, Field(ge=1)]
    test_fraction: Annotated[float, Field(gt=0, lt=1)]
    duplicates: Literal["none", "exact", "near"]
    near: NearSettings
    max_repeats: Annotated[int, Field(ge=1)] | None
