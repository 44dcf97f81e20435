"""What one worker reads at a time: some small files, or a piece of a large dump or text."""

from __future__ import annotations

import codecs
import logging
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from bert.beam.run import Item, Workplace
from bert.documents.dumps import check_dump, cut, indexed_by, is_index, is_packed, site
from bert.documents.encodings import HEAD, detect, has_byte_lines, is_binary
from bert.documents.formats import format_of, looks_like_bert
from bert.documents.lines import ranges
from bert.documents.signatures import no_text
from bert.pipeline.errors import StageError

log = logging.getLogger(__name__)

# An item is a share of the corpus within these bounds of uncompressed bytes: enough items for many workers, each worth
# a minute of one, and neither ten thousand books nor all of Wikipedia make thousands of outputs.
SHARES = 64
LEAST_ITEM_BYTES = 4 * 2**20
MOST_ITEM_BYTES = 64 * 2**20
# Bytes of wikitext in a byte of bz2: 3.2 to 4 in dumps of the English Wikipedia.
BZ2_RATIO = 4


def unreadable(corpus: str, file: dict[str, Any], error: Exception, others: Sequence[str] = ()) -> StageError:
    """The error for a file, or a piece of one, that is broken or of another kind. others: names of more such files."""
    offset = file.get("piece", {}).get("offset", 0)
    where = f" from byte {offset} on" if offset else ""
    more = f"; nor can {', '.join(others[:5])}{' and others' if others[5:] else ''}" if others else ""
    return StageError(
        f"{corpus}: {file['name']} ({file['url']}) cannot be read{where}: {error}{more}",
        run=f"replace the file{'s' if others else ''}, then dvc repro -f download@{corpus} && dvc repro",
    )


def _head(local: Path) -> bytes:
    with open(local, "rb") as f:
        return f.read(HEAD)


def _text(head: bytes, encoding: str | None) -> str:
    decoder = codecs.getincrementaldecoder(encoding or "utf-8")(errors="replace")  # it may be cut inside a character
    return decoder.decode(head).removeprefix("\ufeff")


def _look(corpus: str, file: dict[str, Any], head: bytes) -> dict[str, Any]:
    """How a file that begins with `head` is read: `packed` of a dump; `encoding`, and `format` of a text.

    Raises:
        ValueError: it is not what the corpus is made of; says what it is.
    """
    kind = no_text(head)
    if corpus == "wikipedia":
        if kind is not None and not is_packed(head):
            raise ValueError(f"it is {kind}; dumps are read as XML, or XML packed by bzip2")
        check_dump(head)
        return {"packed": is_packed(head)}
    if kind is not None:
        advice = "unpack it" if kind.startswith("packed") else "expected text: turn it into that, or leave it out"
        raise ValueError(f"it is {kind}; {advice}")
    encoding = detect(head, file.get("encoding"))
    if encoding is None and is_binary(head):
        raise ValueError(
            "it has NUL bytes and is no UTF-16; expected text. If it is, name the `encoding` of its source"
        )
    text = _text(head, encoding)
    read = {"encoding": encoding}
    if corpus == "text":
        return {**read, "format": file.get("format") or format_of(text, file["name"])}
    if format_of(text, file["name"]) == "jsonl":
        raise ValueError("it is JSON, an object a line; expected a book in plain text. Name it under download.text")
    return read


def _looked_at(corpus: str, files: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The files with how each is read.

    Raises:
        StageError: one or more of them cannot be.
    """
    found, refused, bert = [], [], []
    for file in files:
        try:
            head = _head(file["local"])
            look = _look(corpus, file, head)
        except (OSError, ValueError) as error:
            refused.append((file, error))
            continue
        found.append(entry := {**file, **look})
        if (
            look.get("format") == "lines"
            and file.get("format") is None
            and looks_like_bert(_text(head, look["encoding"]))
        ):
            entry["looks_like_bert"] = True
            bert.append(file["name"])
    if refused:
        raise unreadable(corpus, *refused[0], [file["name"] for file, _ in refused[1:]])
    if bert:
        log.warning(
            "%s: %s%s: lines in groups between empty lines, as in BERT's own format (a sentence a line, an empty line "
            "between documents) and in prose whose lines are wrapped. Each line is taken as a document. If it is "
            "BERT's own format, give the source `format: bert`; if it is prose, a document a file, name it under "
            "download.books instead; if each line is a document, `format: lines`",
            corpus,
            bert[0],
            f" and {len(bert) - 1} more files" if bert[1:] else "",
        )
    return found


def _cut_dump(file: dict[str, Any], local: Path, index: Path | None, most: int) -> list[dict[str, Any]]:
    """The pieces of a dump, each with the siteinfo of its head."""
    packed = file["packed"]
    try:
        with open(local, "rb") as f:
            head = site(f, local.stat().st_size).to_json()
    except (OSError, ValueError, ElementTree.ParseError) as error:
        raise unreadable("wikipedia", file, error) from None
    pieces = cut(local, index, most // (BZ2_RATIO if packed else 1))
    if packed and len(pieces) == 1 and pieces[0].length > MOST_ITEM_BYTES // BZ2_RATIO:
        log.warning("%s: one bz2 stream, so that one worker reads it; multistream dumps are read by all", file["name"])
    return [{**file, "piece": asdict(piece), "site": head, "bytes": piece.length} for piece in pieces]


def _pieces(corpus: str, file: dict[str, Any], local: Path, index: Path | None, most: int) -> Iterator[dict[str, Any]]:
    """The pieces of a file that may be read each by itself; the whole file where it cannot be cut."""
    if corpus == "wikipedia":
        yield from _cut_dump(file, local, index, most)
    elif corpus == "text":
        size = file["bytes"]
        if not has_byte_lines(file.get("encoding")):
            if size > MOST_ITEM_BYTES:
                log.warning("%s: %s, so that one worker reads it; UTF-8 is read by all", file["name"], file["encoding"])
            most = max(size, 1)
        for offset, length in ranges(size, most):
            yield {**file, "piece": {"offset": offset, "length": length}, "bytes": length}
    else:
        yield file


def group(files: list[dict[str, Any]], corpus: str, place: Workplace, folder: Path) -> list[Item]:
    """Work items: small neighbouring files share one, a large dump or text makes many. Depends on the files alone.

    Raises:
        StageError: an index without its dump, or one that does not match it; a dump whose head cannot be read; a file
            that is packed, or no text.
    """
    indexes = {indexed_by(f["path"]): f["path"] for f in files if corpus == "wikipedia" and is_index(f["path"])}
    sources = [file for file in files if corpus != "wikipedia" or not is_index(file["path"])]
    if alone := sorted(set(indexes) - {file["path"].lower() for file in sources}):
        raise StageError(
            f"{folder}: {indexes[alone[0]]} is the index of {alone[0]}, which is not there",
            run=f"add the dump to download.{corpus} in params.yaml, or leave its index out, then dvc repro",
        )
    described = [
        {
            "name": file["path"],
            "url": file["url"],
            "local": folder / file["path"],
            "bytes": file["bytes"],
            **{key: file[key] for key in ("encoding", "format") if key in file},
        }
        for file in sources
    ]
    looked_at = _looked_at(corpus, described)
    total = sum(file["bytes"] * _ratio(file) for file in looked_at)
    most = min(max(total // SHARES, LEAST_ITEM_BYTES), MOST_ITEM_BYTES)
    items: list[Item] = []
    for file in looked_at:
        local = file.pop("local")
        shared = {**file, "path": place.share(local)}
        index = folder / indexes[name] if (name := file["name"].lower()) in indexes else None
        for piece in _pieces(corpus, shared, local, index, most):
            weight = piece.pop("bytes") * _ratio(file)
            if items and items[-1]["bytes"] + weight <= most:
                items[-1]["files"].append(piece)
                items[-1]["bytes"] += weight
            else:
                items.append({"name": f"documents-{len(items):05d}", "bytes": weight, "files": [piece]})
    return items


def _ratio(file: dict[str, Any]) -> int:
    return BZ2_RATIO if file.get("packed") else 1
