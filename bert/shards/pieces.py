"""Files of documents in pieces of bounded size: a worker reads one at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from bert.beam.run import Item, Workplace, read
from bert.documents.document import Document, read_documents
from bert.documents.lines import lines, ranges
from bert.pipeline import manifest


def cut(folders: Sequence[Path], size: int, place: Workplace) -> list[Item]:
    """Work items of at most `size` bytes that cover all files of the folders of documents."""
    items: list[Item] = []
    for folder in folders:
        listed = manifest.read(folder, f"dvc repro documents@{folder.name}")
        for file in listed["files"]:
            path, stem = place.share(folder / file["path"]), f"{folder.name}-{Path(file['path']).stem}"
            for number, (offset, length) in enumerate(ranges(file["bytes"], size)):
                items.append({"name": f"{stem}-{number:05d}", "bytes": length, "path": path, "offset": offset})
    return items


def read_piece(item: Item) -> Iterator[Document]:
    """The documents whose lines begin in the piece."""
    with read(item["path"]) as f:
        yield from read_documents(lines(f, item["offset"], item["bytes"]))
