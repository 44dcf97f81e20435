"""What one worker reads at a time: some small files, or a piece of a large dump or text."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from bert.beam.run import Item, Workplace
from bert.documents.dumps import cut, indexed_by, is_index, site
from bert.documents.lines import ranges
from bert.pipeline.errors import StageError

log = logging.getLogger(__name__)

# Endings of packed files, which are not read. (Dumps may be .bz2.)
PACKED = (".gz", ".xz", ".7z", ".zst", ".zip", ".tar")
# An item is a share of the corpus within these bounds of uncompressed bytes: enough items for many workers, each worth
# a minute of one, and neither ten thousand books nor all of Wikipedia make thousands of outputs.
SHARES = 64
LEAST_ITEM_BYTES = 4 * 2**20
MOST_ITEM_BYTES = 64 * 2**20
# Bytes of wikitext in a byte of bz2: 3.2 to 4 in dumps of the English Wikipedia.
BZ2_RATIO = 4


def _ratio(name: str) -> int:
    return BZ2_RATIO if name.endswith(".bz2") else 1


def unreadable(corpus: str, file: dict[str, Any], error: Exception) -> StageError:
    """The error for a file, or a piece of one, that is broken."""
    offset = file.get("piece", {}).get("offset", 0)
    where = f" from byte {offset} on" if offset else ""
    return StageError(
        f"{corpus}: {file['name']} ({file['url']}) cannot be read{where}: {error}",
        run=f"replace the file, then dvc repro -f download@{corpus} && dvc repro",
    )


def _cut_dump(file: dict[str, Any], local: Path, index: Path | None, most: int) -> list[dict[str, Any]]:
    """The pieces of a dump, each with the siteinfo of its head."""
    try:
        with open(local, "rb") as f:
            head = site(f, file["name"], local.stat().st_size).to_json()
    except (OSError, ValueError, ElementTree.ParseError) as error:
        raise unreadable("wikipedia", file, error) from None
    pieces = cut(local, index, most // _ratio(file["name"]))
    if len(pieces) == 1 and pieces[0].length > MOST_ITEM_BYTES // BZ2_RATIO:
        log.warning("%s: one bz2 stream, so that one worker reads it; multistream dumps are read by all", file["name"])
    return [{**file, "piece": asdict(piece), "site": head, "bytes": piece.length} for piece in pieces]


def _pieces(corpus: str, file: dict[str, Any], local: Path, index: Path | None, most: int) -> Iterator[dict[str, Any]]:
    """The pieces of a file that may be read each by itself; the whole file where it cannot be cut."""
    if corpus == "wikipedia":
        if file["name"].endswith(PACKED):
            raise unreadable(corpus, file, ValueError("dumps are read as .xml or .xml.bz2; unpack it"))
        yield from _cut_dump(file, local, index, most)
    elif file["name"].endswith((*PACKED, ".bz2")):
        raise unreadable(corpus, file, ValueError("it is packed; unpack it"))
    elif corpus == "text":
        for offset, length in ranges(file["bytes"], most):
            yield {**file, "piece": {"offset": offset, "length": length}, "bytes": length}
    else:
        yield file


def group(files: list[dict[str, Any]], corpus: str, place: Workplace, folder: Path) -> list[Item]:
    """Work items: small neighbouring files share one, a large dump or text makes many. Depends on the files alone.

    Raises:
        StageError: an index without its dump, or one that does not match it; a dump whose head cannot be read; a packed
            file.
    """
    indexes = {indexed_by(f["path"]): f["path"] for f in files if corpus == "wikipedia" and is_index(f["path"])}
    sources = [file for file in files if corpus != "wikipedia" or not is_index(file["path"])]
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
        described = {"name": file["path"], "url": file["url"], "path": place.share(local), "bytes": file["bytes"]}
        index = folder / indexes[file["path"]] if file["path"] in indexes else None
        for piece in _pieces(corpus, described, local, index, most):
            weight = piece.pop("bytes") * _ratio(file["path"])
            if items and items[-1]["bytes"] + weight <= most:
                items[-1]["files"].append(piece)
                items[-1]["bytes"] += weight
            else:
                items.append({"name": f"documents-{len(items):05d}", "bytes": weight, "files": [piece]})
    return items
