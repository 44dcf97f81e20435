"""A corpus as the download leaves it, made up, and the documents that the stage makes of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bert.beam.run import Workplace
from bert.documents import items
from bert.documents.make import make_documents
from bert.documents.settings import DocumentsSettings
from bert.pipeline import manifest
from tests.corpus import document, documents_settings
from tests.project import files

SETTINGS = documents_settings(min_passage_chars=20)

wikipedia = pytest.mark.parametrize("corpus", ["wikipedia"], indirect=True)
books = pytest.mark.parametrize("corpus", ["books"], indirect=True)
text = pytest.mark.parametrize("corpus", ["text"], indirect=True)


def jsonl(numbers: range) -> str:
    return "".join(json.dumps({"id": n, "text": document(n)}) + "\n" for n in numbers)


def in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut even the smallest dump."""
    monkeypatch.setattr(items, "LEAST_ITEM_BYTES", 4 * 600)


class Corpus:
    """A downloaded folder, and what becomes of it."""

    def __init__(self, folder: Path, corpus: str) -> None:
        self.folder, self.corpus = folder, corpus
        self.source, self.out = folder / "source", folder / "out"
        self.place = Workplace(folder / "scratch")
        self.source.mkdir(parents=True)
        self.settings: DocumentsSettings = SETTINGS
        self.about: dict[str, str] = {}  # further keys of the files' entries

    def __call__(self, **contents: bytes | str) -> list[dict[str, Any]]:
        """Documents of these files; `a_txt` is a.txt."""
        for name, data in contents.items():
            path = self.source / name.replace("_", ".")
            path.write_bytes(data if isinstance(data, bytes) else data.encode())
        found = [p for p in files(self.source) if p != manifest.NAME]
        entries = [{"path": path, "url": f"https://example.org/{path}", **self.about} for path in found]
        manifest.write(self.source, entries)
        self.metrics = make_documents(self.corpus, self.source, self.settings, self.place, self.out)
        lines = [line for f in manifest.read(self.out, "x")["files"] for line in self.read(f["path"])]
        return [json.loads(line) for line in lines]

    def read(self, path: str) -> list[str]:
        return (self.out / path).read_text().splitlines()
