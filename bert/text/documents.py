"""The documents pipeline: a corpus's downloaded files -> JSON lines of documents."""

from __future__ import annotations

import json
import logging
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any
from xml.etree import ElementTree

from bert.pipeline import manifest
from bert.pipeline.beam import Item, Part, Workplace, read, run_parts
from bert.pipeline.errors import StageError
from bert.text.books import book
from bert.text.document import Document
from bert.text.dump import Piece, Site, cut, indexed_by, is_index, pages, site
from bert.text.plain import plain
from bert.text.settings import DocumentsSettings
from bert.text.wikipedia import Failure, articles

log = logging.getLogger(__name__)

CORPORA = ("wikipedia", "books", "text")
DOCUMENTS, ERRORS = "documents.jsonl", "errors.jsonl"
# What a dump may be packed with that is not read.
PACKED = (".gz", ".xz", ".7z", ".zst", ".zip", ".tar")
# An item is a share of the corpus within these bounds of uncompressed bytes: enough items for many workers, each worth
# a minute of one, and neither ten thousand books nor all of Wikipedia make thousands of outputs.
SHARES = 64
LEAST_ITEM_BYTES = 4 * 2**20
MOST_ITEM_BYTES = 64 * 2**20
# What a bz2 file of wikitext holds, in its own bytes (3.2 to 4 on dumps of the English Wikipedia).
BZ2_RATIO = 4


def _ratio(name: str) -> int:
    return BZ2_RATIO if name.endswith(".bz2") else 1


def _unreadable(corpus: str, file: dict[str, Any], error: Exception) -> StageError:
    offset = file.get("piece", {}).get("offset", 0)
    where = f" from byte {offset} on" if offset else ""
    return StageError(
        f"{corpus}: {file['name']} ({file['url']}) cannot be read{where}: {error}",
        run=f"replace the file, then dvc repro -f download@{corpus} && dvc repro",
    )


def _cut_dump(file: dict[str, Any], local: Path, index: Path | None, most: int) -> list[dict[str, Any]]:
    """The pieces of a dump, each with what its head says."""
    if file["name"].endswith(PACKED):
        raise _unreadable("wikipedia", file, ValueError("dumps are read as .xml or .xml.bz2; unpack it"))
    try:
        with open(local, "rb") as f:
            told = site(f, file["name"], local.stat().st_size).to_json()
    except (OSError, ValueError, ElementTree.ParseError) as error:
        raise _unreadable("wikipedia", file, error) from None
    pieces = cut(local, index, most // _ratio(file["name"]))
    if len(pieces) == 1 and pieces[0].length > most:
        log.warning("%s: one bz2 stream, so that one worker reads it; multistream dumps are read by all", file["name"])
    return [{**file, "piece": asdict(piece), "site": told, "bytes": piece.length} for piece in pieces]


def group(files: list[dict[str, Any]], corpus: str, place: Workplace, folder: Path) -> list[Item]:
    """Work items: small neighbouring files share one, a large dump makes many. Depends on the files alone.

    Raises:
        StageError: an index without its dump, or one that does not match it; a dump whose head cannot be read.
    """
    indexes = {indexed_by(f["path"]): f["path"] for f in files if corpus == "wikipedia" and is_index(f["path"])}
    sources = [file for file in files if file["path"] not in indexes.values()]
    if alone := sorted(set(indexes) - {file["path"] for file in sources}):
        raise StageError(
            f"{folder}: {indexes[alone[0]]} is the index of {alone[0]}, which is not there",
            run=f"add the dump to download.{corpus} in params.yaml, or leave its index out, then dvc repro",
        )
    total = sum(file["bytes"] * _ratio(file["path"]) for file in sources)
    most = min(max(total // SHARES, LEAST_ITEM_BYTES), MOST_ITEM_BYTES)
    items: list[Item] = []
    for file in sources:
        local = folder / file["path"]
        told = {"name": file["path"], "url": file["url"], "path": place.share(local), "bytes": file["bytes"]}
        index = folder / indexes[file["path"]] if file["path"] in indexes else None
        for piece in _cut_dump(told, local, index, most) if corpus == "wikipedia" else [told]:
            weight = piece.pop("bytes") * _ratio(file["path"])
            if items and items[-1]["bytes"] + weight <= most:
                items[-1]["files"].append(piece)
                items[-1]["bytes"] += weight
            else:
                items.append({"name": f"documents-{len(items):05d}", "bytes": weight, "files": [piece]})
    return items


class _Outputs(ExitStack):
    """The files of a part, each created by its first line: Beam cannot write an empty file to S3."""

    def __init__(self, part: Part) -> None:
        super().__init__()
        self._part, self._files = part, dict[str, IO[bytes]]()

    def write(self, name: str, line: bytes) -> None:
        if name not in self._files:
            self._files[name] = self.enter_context(self._part.create(name))
        self._files[name].write(line)


class _Extract:
    """The files, or pieces of dumps, of one item -> JSON lines of documents, and of failures, where there are any."""

    def __init__(self, corpus: str, settings: DocumentsSettings) -> None:
        self._corpus, self._settings = corpus, settings

    def setup(self) -> None:
        pass

    def _documents(self, file: dict[str, Any], counts: Counter[str]) -> Iterator[Document | Failure]:
        with read(file["path"]) as f:
            if self._corpus == "wikipedia":
                found = pages(f, file["name"], Piece(**file["piece"]))
                yield from articles(found, Site.from_json(file["site"]), self._settings, counts)
            else:
                reader = book if self._corpus == "books" else plain
                yield from reader(f.read(), file["name"], file["url"], self._settings.min_passage_chars, counts)

    def __call__(self, item: Item, part: Part) -> dict[str, Any]:
        counts: Counter[str] = Counter()
        with _Outputs(part) as outputs:
            for file in item["files"]:
                try:
                    for found in self._documents(file, counts):
                        if isinstance(found, Failure):
                            told = {**asdict(found), "file": file["name"]}
                            outputs.write(ERRORS, json.dumps(told, ensure_ascii=False).encode() + b"\n")
                            counts["failed"] += 1
                            continue
                        outputs.write(DOCUMENTS, found.to_json())
                        counts["documents"] += 1
                        counts["passages"] += len(found.passages)
                        counts["characters"] += len(found.text)
                except (OSError, EOFError, ElementTree.ParseError, ValueError) as error:
                    raise _unreadable(self._corpus, file, error) from None
                if file.get("piece", {}).get("offset", 0) == 0:
                    counts["files"] += 1
        return dict(counts)


def _gather_errors(items: list[Item], done: list[dict[str, Any]], place: Workplace, target: Path) -> None:
    """The failures of all items in one file, in the order of the input."""
    target.parent.mkdir(parents=True, exist_ok=True)
    single = target.with_name(f".{target.name}.part")
    with open(target, "wb") as out:
        for item in (item for item, counts in zip(items, done, strict=True) if counts.get("failed")):
            place.fetch(item, ERRORS, single)
            out.write(single.read_bytes())
    single.unlink(missing_ok=True)


def _check_errors(total: Counter[str], most: float, listed: Path) -> None:
    """Raise StageError where more than the share `most` of the articles failed."""
    failed, articles_tried = total["failed"], total["articles"]
    if failed > most * articles_tried:
        with open(listed, "rb") as f:
            first = json.loads(f.readline())
        raise StageError(
            f"{failed} of {articles_tried} articles failed, more than documents.max_error_rate = {most}; the first: "
            f"{first['title']!r} ({first['id']} of {first['file']}): {first['reason']}. All are in {listed}",
            run="read that file, then raise documents.max_error_rate or the limit in params.yaml and dvc repro",
        )


def make_documents(corpus: str, source: Path, settings: DocumentsSettings, scratch: Path, out: Path) -> dict[str, Any]:
    """Turn `data/download/<corpus>` into `documents-*.jsonl` and `errors.jsonl` in `out`. Returns the metrics.

    Raises:
        StageError: a file that is broken, a configured corpus that gives no document, or too many failed articles.
    """
    out.mkdir(parents=True, exist_ok=True)
    made_by = f"dvc repro download@{corpus}"
    listed = manifest.read(source, made_by)
    if not listed["configured"]:
        manifest.write_unconfigured(out)
        return {"documents": 0, "passages": 0, "characters": 0, "files": 0, "dropped": {}}
    place = Workplace(scratch)
    items = group(listed["files"], corpus, place, source)
    done = run_parts(f"documents@{corpus}", items, _Extract(corpus, settings), place)
    total: Counter[str] = Counter()
    for counts in done:
        total.update(counts)
    _gather_errors(items, done, place, scratch / ERRORS)
    _check_errors(total, settings.max_error_rate, scratch / ERRORS)
    if not total["documents"]:
        raise StageError(
            f"{source}: {total['files']} files hold not one document ({dict(sorted(total.items()))})",
            run=f"check download.{corpus} in params.yaml, then dvc repro",
        )
    entries = []
    for item, counts in zip(items, done, strict=True):
        if counts.get("documents"):
            place.fetch(item, DOCUMENTS, out / f"{item['name']}.jsonl")
            entries.append({"path": f"{item['name']}.jsonl", "documents": counts["documents"]})
    shutil.copyfile(scratch / ERRORS, out / ERRORS)
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
