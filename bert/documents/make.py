"""The documents pipeline: a corpus's downloaded files -> JSON lines of documents."""

from __future__ import annotations

import json
import logging
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from bert.beam.listing import join_lists
from bert.beam.run import Item, Part, Workplace, read, run_parts
from bert.documents.books import book
from bert.documents.document import Document, Failure
from bert.documents.dumps import Piece, Site, pages
from bert.documents.items import group, unreadable
from bert.documents.lines import documents, lines
from bert.documents.settings import DocumentsSettings
from bert.documents.texts import by_empty_line, by_line
from bert.documents.unknown_templates import json_lines, summary, take_unknown
from bert.documents.wikipedia import articles
from bert.pipeline import manifest
from bert.pipeline.counts import by_reason
from bert.pipeline.errors import StageError
from bert.pipeline.files import write_text

log = logging.getLogger(__name__)

DOCUMENTS, ERRORS, TEMPLATES = "documents.jsonl", "errors.jsonl", "templates.jsonl"


def _place(file: dict[str, Any]) -> dict[str, int]:
    """From where in its file the lines of a piece are counted."""
    offset = file.get("piece", {}).get("offset", 0)
    return {"from_byte": offset} if offset and "format" in file else {}


class _Extract:
    """The files, or pieces of files, of one item -> JSON lines of documents, and of failures, where there are any."""

    def __init__(self, corpus: str, settings: DocumentsSettings) -> None:
        self._corpus, self._settings = corpus, settings

    def setup(self) -> None:
        pass

    def _documents(self, file: dict[str, Any], counts: Counter[str]) -> Iterator[Document | Failure]:
        with read(file["path"]) as f:
            least, url, encoding = self._settings.min_passage_chars, file["url"], file.get("encoding")
            if self._corpus == "wikipedia":
                found = pages(f, Piece(**file["piece"]))
                yield from articles(found, Site.from_json(file["site"]), self._settings, counts)
            elif self._corpus == "books":
                yield from book(f.read(), file["name"], url, least, counts, encoding)
            elif file["format"] == "bert":
                yield from by_empty_line(documents(f, **file["piece"]), url, least, counts, encoding)
            else:
                yield from by_line(lines(f, **file["piece"]), file["format"], url, least, counts, encoding)

    def __call__(self, item: Item, part: Part) -> dict[str, Any]:
        counts: Counter[str] = Counter()
        with part.create(DOCUMENTS) as written, part.create(ERRORS) as errors:
            for file in item["files"]:
                try:
                    for found in self._documents(file, counts):
                        if isinstance(found, Failure):
                            failure = {**asdict(found), "file": file["name"], **_place(file)}
                            errors.write(json.dumps(failure, ensure_ascii=False).encode() + b"\n")
                            counts["failed"] += 1
                            continue
                        written.write(found.to_json())
                        counts["documents"] += 1
                        counts["passages"] += len(found.passages)
                        counts["words"] += len(found.text.split())
                        counts["characters"] += len(found.text)
                        counts["bytes"] += len(found.text.encode())
                except (OSError, EOFError, ElementTree.ParseError, ValueError) as error:
                    raise unreadable(self._corpus, file, error) from None
                if file.get("piece", {}).get("offset", 0) == 0:
                    counts["files"] += 1
                    if file.get("looks_like_bert"):
                        counts["files_like_bert"] += 1
        return dict(counts)


def _first(listed: Path) -> dict[str, Any]:
    with open(listed, "rb") as f:
        return json.loads(f.readline())


def _check_errors(total: Counter[str], most: float, listed: Path) -> None:
    """Raise StageError where more than the share `most` of the articles failed."""
    failed, articles_tried = total["failed"], total["articles"]
    if articles_tried and failed > most * articles_tried:
        first = _first(listed)
        raise StageError(
            f"{failed} of {articles_tried} articles failed, more than documents.max_error_rate = {most}; the first: "
            f"{first['title']!r} ({first['id']} of {first['file']}): {first['reason']}. All are in {listed}",
            run="read that file, then raise documents.max_error_rate or the limit in params.yaml and dvc repro",
        )


def make_documents(
    corpus: str, source: Path, settings: DocumentsSettings, place: Workplace, out: Path
) -> dict[str, Any]:
    """Turn `data/download/<corpus>` into `documents-*.jsonl` and `errors.jsonl` in `out`. Returns the metrics.

    The corpus is configured: its manifest says so.

    Of a Wikipedia, `templates.jsonl` lists the templates that are not known, with what was lost with them.

    Raises:
        StageError: a file that is broken or of another kind, a configured corpus that gives no document, or too many
            failed articles.
    """
    out.mkdir(parents=True, exist_ok=True)
    made_by = f"dvc repro download@{corpus}"
    items = group(manifest.read(source, made_by)["files"], corpus, place, source)
    done = run_parts(f"documents@{corpus}", items, _Extract(corpus, settings), place)
    total: Counter[str] = Counter()
    for counts in done:
        total.update(counts)
    templates = take_unknown(total)
    failed = [item for item, counts in zip(items, done, strict=True) if counts.get("failed")]
    join_lists(failed, ERRORS, place, place.scratch / ERRORS)
    _check_errors(total, settings.max_error_rate, place.scratch / ERRORS)
    if not total["documents"]:
        said = f"; the first: {_first(place.scratch / ERRORS)['reason']}" if total["failed"] else ""
        raise StageError(
            f"{source}: {total['files']} files hold not one document ({dict(sorted(total.items()))}){said}",
            run=f"check download.{corpus} in params.yaml, then dvc repro",
        )
    if total["dropped:mojibake"]:
        log.warning(
            "%s: %d %s in no encoding that is known are left out, the first of %s: %s. All are in %s",
            corpus,
            total["dropped:mojibake"],
            "files" if corpus == "books" else "lines",
            (first := _first(place.scratch / ERRORS))["file"],
            first["reason"],
            out / ERRORS,
        )
    entries = []
    for item, counts in zip(items, done, strict=True):
        if counts.get("documents"):
            place.fetch(item, DOCUMENTS, out / f"{item['name']}.jsonl")
            entries.append({"path": f"{item['name']}.jsonl", "documents": counts["documents"]})
    shutil.copyfile(place.scratch / ERRORS, out / ERRORS)
    metrics = by_reason(total)
    if corpus == "wikipedia":
        write_text(out / TEMPLATES, json_lines(templates))
        metrics["unknown_templates"] = summary(templates, total["words"])
    manifest.write(out, entries)
    place.forget_uploads()
    return metrics
