"""How much of a download has come, seen from outside: by the files in which it comes."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event
from typing import Any

from bert.download.http import state_of
from bert.watch.progress import Progress

SECONDS_BETWEEN_LOOKS = 2.0


class _Look:
    """Bytes that have come and bytes in all, as far as one can know: files of unknown size count as the average one.

    files: as the lanes' workers get them. finished(file): whether it is there; partial(file): where it comes.
    """

    def __init__(
        self,
        files: Sequence[dict[str, Any]],
        finished: Callable[[dict[str, Any]], Path],
        partial: Callable[[dict[str, Any]], list[Path]],
    ) -> None:
        self._left = list(files)
        self._finished, self._partial = finished, partial
        self.files, self.done, self._bytes, self._known = len(files), 0, 0, 0
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
    try:
        return json.loads(state_of(part).read_text())["bytes"]
    except (OSError, ValueError, KeyError):
        return None


def watcher(
    label: str,
    files: Sequence[dict[str, Any]],
    finished: Callable[[dict[str, Any]], Path],
    partial: Callable[[dict[str, Any]], list[Path]],
) -> Callable[[Event], None]:
    """What shows, until the event is set: megabytes, time left, files, megabytes a second."""

    def watch(stop: Event) -> None:
        seen = _Look(files, finished, partial)
        seen.look()
        before, began = seen.have, time.monotonic()
        with Progress(label, seen.total // 10**6, "MB", start=before // 10**6) as progress:
            while not stop.wait(SECONDS_BETWEEN_LOOKS):
                seen.look()
                rate = (seen.have - before) / 1e6 / (time.monotonic() - began)
                progress.total = seen.total // 10**6
                progress.update(seen.have // 10**6, f"{seen.done}/{seen.files} files, {rate:.1f} MB/s")

    return watch
