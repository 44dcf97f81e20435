"""Documents as the two sets read them: split into sentences, with their own random numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from bert.cloze.draws import position
from bert.cloze.english.capitals import Capitals
from bert.cloze.english.persons import people
from bert.documents.document import Document, read_documents
from bert.pipeline import manifest
from bert.pipeline.errors import StageError
from bert.shards.sentences import split_sentences

# The rules are for English, whatever language the corpus's sentences are split by elsewhere.
LANGUAGE = "en"
MADE_BY = "dvc repro documents"


class Text:
    """A document with what is derived from it on demand.

    Everything depends on the document and the seed alone, so what is made of it does not depend on the others.
    """

    def __init__(self, document: Document, seed: int) -> None:
        self.id, self.title, self._document, self._seed = document.id, document.title, document, seed

    @cached_property
    def passages(self) -> list[list[str]]:
        """The sentences of each paragraph."""
        split = (split_sentences(passage, LANGUAGE) for passage in self._document.passages)
        return [sentences for sentences in split if sentences]

    @cached_property
    def sentences(self) -> list[str]:
        return [sentence for passage in self.passages for sentence in passage]

    @cached_property
    def capitals(self) -> Capitals:
        return Capitals.of(self.sentences)

    @cached_property
    def persons(self) -> frozenset[str]:
        """Last words of the names that are persons' in this document."""
        return people(self.sentences, self.capitals)

    def rng(self, *place: str | int) -> np.random.Generator:
        """A generator for one place in the document: `rng("question", 3, 0)`."""
        # 63 bits: `position` has 53 that count.
        key = [self._seed, int(position(self.id, *place) * 2**63)]
        return np.random.Generator(np.random.Philox(key=np.array(key, np.uint64)))


def count_documents(folders: Sequence[Path]) -> int:
    """As the manifests have it."""
    return sum(entry.get("documents", 0) for folder in folders for entry in manifest.read(folder, MADE_BY)["files"])


def read_folders(folders: Sequence[Path]) -> Iterator[Document]:
    """The documents of all configured folders, one at a time.

    Raises:
        StageError: a folder is missing or not whole, or none is configured.
    """
    configured = False
    for folder in folders:
        listed = manifest.read(folder, MADE_BY)
        configured |= listed["configured"]
        for entry in listed["files"]:
            with open(folder / entry["path"], "rb") as f:
                yield from read_documents(f)
    if not configured:
        names = ", ".join(map(str, folders))
        raise StageError(
            f"the cloze set is made from documents, but none of {names} has any: no source is configured",
            run=f"set download.wikipedia, download.books or download.text, then {MADE_BY}",
        )
