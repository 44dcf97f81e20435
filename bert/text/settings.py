"""Parameters of the stages that turn sources into shards of sentences."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from bert.pipeline.params import Section


class DocumentsSettings(Section):
    """min_passage_chars: shorter passages are dropped, counted; max_page_bytes: larger wiki pages are, unparsed."""

    min_passage_chars: Annotated[int, Field(ge=1)]
    max_page_bytes: Annotated[int, Field(ge=1)]


class ShardsSettings(Section):
    """train / test: number of shards of each; test_fraction of the documents goes to test, by a hash of their id."""

    language: str
    train: Annotated[int, Field(ge=1)]
    test: Annotated[int, Field(ge=1)]
    test_fraction: Annotated[float, Field(gt=0, lt=1)]
