"""Progress of a download, seen from outside: by the files in which it comes."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bert.beam.run import Item, Part, Workplace
from bert.beam.storage import is_remote
from bert.download.http import state_of
from bert.download.lane import FILE, PARTIAL, partial_of
from bert.pipeline.periodic import looking
from bert.watch.progress import Progress

SECONDS_BETWEEN_LOOKS = 2.0


class Look:
    """Bytes that have come and bytes in all, as far as one can know: files of unknown size count as the average one.

    Args:
        files: as the items of the lanes list them; `size` is in bytes, None where no list gives it.
        finished: the path that a file has once it is there.
        partial: the paths where it comes, one an address.
    """

    def __init__(
        self,
        files: Sequence[dict[str, Any]],
        finished: Callable[[dict[str, Any]], Path],
        partial: Callable[[dict[str, Any]], list[Path]],
    ) -> None:
        self._left = list(files)
        self._finished, self._partial = finished, partial
        self.files, self.done, self._bytes = len(files), 0, 0
        self.have = self.total = 0

    def look(self) -> None:
        left, coming, expected, known = [], 0, 0, 0
        for file in self._left:
            if (whole := _size(self._finished(file))) is not None:
                self.done += 1
                self._bytes += whole
                continue
            left.append(file)
            size = file["size"]
            for part in self._partial(file):
                if (come := _size(part)) is not None:
                    coming += come
                    size = size or _announced(part)
            if size is not None:
                expected, known = expected + size, known + 1
        self._left = left
        self.have = self._bytes + coming
        self.total = self._bytes + expected
        if sized := self.done + known:
            self.total += (self.files - sized) * self.total // sized


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return None


def _announced(part: Path) -> int | None:
    """The size that the server has announced for a file that is coming."""
    try:
        return json.loads(state_of(part).read_text())["bytes"]
    except (OSError, ValueError, KeyError):
        return None


@contextmanager
def watch_download(label: str, lanes: Sequence[Item], place: Workplace) -> Iterator[None]:
    """Shows megabytes, time left, files, megabytes a second; nothing where the parts lie in a bucket."""
    if is_remote(place.parts):
        yield
        return
    partial = place.scratch / PARTIAL
    seen = Look(
        [file for lane in lanes for file in lane["files"]],
        lambda file: Path(Part(place.parts, file["part"]).path(FILE)),
        lambda file: [partial_of(partial, file, url) for url in file["addresses"]],
    )
    seen.look()
    before, began = seen.have, time.monotonic()

    def show() -> None:
        seen.look()
        rate = (seen.have - before) / 1e6 / (time.monotonic() - began)
        progress.total = seen.total // 10**6
        progress.update(seen.have // 10**6, f"{seen.done}/{seen.files} files, {rate:.1f} MB/s")

    with Progress(label, seen.total // 10**6, "MB", start=before // 10**6) as progress:
        with looking(lambda stop: show(), SECONDS_BETWEEN_LOOKS):
            yield
        show()
