"""A unit of work, and its output: a folder of files on any of Beam's file systems, finished when it has its counts."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

from apache_beam.io.filesystems import FileSystems

from bert.beam.storage import make_folder, read, remove, write

MARK = "part.json"

Item = dict[str, Any]
"""One unit of work: JSON-able, with a unique `name` (the part's folder) and `bytes` (its weight)."""


class Part:
    """The output folder of one item, on any Beam file system."""

    def __init__(self, root: str, name: str) -> None:
        self.name = name
        self.folder = FileSystems.join(root, name)

    def path(self, name: str) -> str:
        return FileSystems.join(self.folder, name)

    @contextmanager
    def create(self, name: str) -> Iterator[IO[bytes]]:
        """A file that has its name only once it is whole."""
        make_folder(self.folder)
        # A name of its own: a worker that outlives its killed driver may still be writing the same part.
        temporary = self.path(f".{name}.{uuid.uuid4().hex[:8]}.tmp")
        try:
            with write(temporary) as f:
                yield f
            remove(self.path(name))
            FileSystems.rename([temporary], [self.path(name)])
        except BaseException:
            remove(temporary)
            raise

    def is_finished(self) -> bool:
        return FileSystems.exists(self.path(MARK))

    def counts(self) -> dict[str, Any] | None:
        """What the finished part counted; None while it is not finished."""
        if not self.is_finished():
            return None
        with read(self.path(MARK)) as f:
            return json.loads(f.read())

    def finish(self, counts: dict[str, Any]) -> None:
        with self.create(MARK) as f:
            f.write(json.dumps(counts).encode())

    def forget(self) -> None:
        """The part is not finished any more."""
        remove(self.path(MARK))
