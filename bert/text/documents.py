"""The documents pipeline: a corpus's downloaded files -> JSON lines of documents."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from bert.pipeline import manifest
from bert.pipeline.beam import Item, Part, Workplace, read, run_parts
from bert.pipeline.errors import StageError
from bert.text.document import Document
from bert.text.plain import book, plain
from bert.text.settings import DocumentsSettings
from bert.text.wikipedia import articles, is_index, open_dump

CORPORA = ("wikipedia", "books", "text")
# Small files share a work item up to this size, so that ten thousand books are not ten thousand outputs.
ITEM_BYTES = 16 * 2**20


def group(files: list[dict[str, Any]], place: Workplace, folder: Path) -> list[Item]:
    """Work items of neighbouring files of about ITEM_BYTES; depends on names and sizes alone."""
    items: list[Item] = []
    for file in files:
        told = {"name": file["path"], "url": file["url"], "path": place.share(folder / file["path"])}
        if items and items[-1]["bytes"] + file["bytes"] <= ITEM_BYTES:
            items[-1]["files"].append(told)
            items[-1]["bytes"] += file["bytes"]
        else:
            items.append({"name": f"documents-{len(items):05d}", "bytes": file["bytes"], "files": [told]})
    return items


class _Extract:
    """Files of one item -> one JSON-lines file."""

    def __init__(self, corpus: str, settings: DocumentsSettings) -> None:
        self._corpus, self._settings = corpus, settings

    def setup(self) -> None:
        pass

    def _documents(self, file: dict[str, str], counts: Counter[str]) -> Iterator[Document]:
        with read(file["path"]) as f:
            if self._corpus == "wikipedia":
                yield from articles(open_dump(f, file["name"]), self._settings, counts)
            else:
                reader = book if self._corpus == "books" else plain
                yield from reader(f.read(), file["name"], file["url"], self._settings.min_passage_chars, counts)

    def __call__(self, item: Item, part: Part) -> dict[str, Any]:
        counts: Counter[str] = Counter()
        with part.create("documents.jsonl") as out:
            for file in item["files"]:
                try:
                    for document in self._documents(file, counts):
                        out.write(document.to_json())
                        counts["documents"] += 1
                        counts["passages"] += len(document.passages)
                        counts["characters"] += len(document.text)
                except (OSError, EOFError, ElementTree.ParseError, ValueError) as error:
                    raise StageError(
                        f"{self._corpus}: {file['name']} ({file['url']}) cannot be read: {error}",
                        run=f"replace the file, then dvc repro -f download@{self._corpus} && dvc repro",
                    ) from None
                counts["files"] += 1
        return dict(counts)


def make_documents(corpus: str, source: Path, settings: DocumentsSettings, scratch: Path, out: Path) -> dict[str, Any]:
    """Turn `data/download/<corpus>` into `documents-*.jsonl` in `out`. Returns the metrics.

    Raises:
        StageError: a file that is broken, or a configured corpus that gives no document.
    """
    out.mkdir(parents=True, exist_ok=True)
    made_by = f"dvc repro download@{corpus}"
    listed = manifest.read(source, made_by)
    if not listed["configured"]:
        manifest.write_unconfigured(out)
        return {"documents": 0, "passages": 0, "characters": 0, "files": 0, "dropped": {}}
    place = Workplace(scratch)
    # A dump by its date comes with the index of each part.
    files = [f for f in listed["files"] if corpus != "wikipedia" or not is_index(f["path"])]
    items = group(files, place, source)
    done = run_parts(f"documents@{corpus}", items, _Extract(corpus, settings), place)
    total: Counter[str] = Counter({"dropped:index_of_a_dump": len(listed["files"]) - len(files)})
    for counts in done:
        total.update(counts)
    if not total["documents"]:
        raise StageError(
            f"{source}: {total['files']} files hold not one document ({dict(sorted(total.items()))})",
            run=f"check download.{corpus} in params.yaml, then dvc repro",
        )
    entries = []
    for item, counts in zip(items, done, strict=True):
        place.fetch(item, "documents.jsonl", out / f"{item['name']}.jsonl")
        entries.append({"path": f"{item['name']}.jsonl", "documents": counts.get("documents", 0)})
    manifest.write(out, entries)
    place.forget_uploads()
    return summary(total)


def summary(total: Counter[str]) -> dict[str, Any]:
    """Counts with the drops gathered by reason, in a stable order."""
    kept = {name: n for name, n in sorted(total.items()) if not name.startswith("dropped:")}
    dropped = {
        name.removeprefix("dropped:"): n for name, n in sorted(total.items()) if name.startswith("dropped:") and n
    }
    return {**kept, "dropped": dropped}
