"""Files of documents in pieces of bounded size: a piece is what a worker holds at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from bert.pipeline import manifest
from bert.pipeline.beam import Item, Workplace, read
from bert.text.document import Document, read_documents


def cut(folders: Sequence[Path], size: int, place: Workplace) -> list[Item]:
    """Work items of at most `size` bytes that cover all files of the folders of documents."""
    items: list[Item] = []
    for folder in folders:
        listed = manifest.read(folder, f"dvc repro documents@{folder.name}")
        for file in listed["files"]:
            path = place.share(folder / file["path"])
            for number, offset in enumerate(range(0, file["bytes"], size)):
                items.append(
                    {
                        "name": f"{folder.name}-{Path(file['path']).stem}-{number:05d}",
                        "bytes": min(size, file["bytes"] - offset),
                        "path": path,
                        "offset": offset,
                    }
                )
    return items


def read_piece(item: Item) -> Iterator[Document]:
    """The documents whose lines begin in the piece; the last of them may end behind it."""
    with read(item["path"]) as f:
        yield from read_documents(_lines(f, item["offset"], item["offset"] + item["bytes"]))


def _lines(f: IO[bytes], start: int, end: int) -> Iterator[bytes]:
    at = start
    if start:  # from the byte before: where that is the end of a line, this piece's first line begins at `start`
        f.seek(start - 1)
        at += len(f.readline()) - 1
    while at < end and (line := f.readline()):
        at += len(line)
        yield line
