"""What a worker does with one lane: its files one after the other, each from the first server that has it."""

from __future__ import annotations

import fcntl
import hashlib
import json
import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bert.beam.run import Item, Part, read
from bert.download.coding import CHUNK, opened, readings
from bert.download.http import Missing, encoding_of, fetch
from bert.download.settings import DownloadSettings
from bert.download.sources import mismatch
from bert.pipeline.errors import StageError, disk_full_as_error

log = logging.getLogger(__name__)

# A finished file in its part; the folder of those that are coming, in the scratch.
FILE, PARTIAL = "file", "partial"


def digest(value: Any) -> str:
    """24 hex digits for a JSON-able value, to name files by."""
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:24]


def partial_of(folder: Path, file: dict[str, Any], url: str) -> Path:
    """Where `file` comes to from `url`. Beside the same url under another name, it is a file of its own."""
    return folder / digest([url, file["name"]])


@contextmanager
def _alone(partial: Path) -> Iterator[None]:
    """Wait until no other process writes `partial`: a worker can outlive its killed driver for a while."""
    partial.parent.mkdir(parents=True, exist_ok=True)
    with open(partial.with_name(partial.name + ".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


class Lane:
    """Downloads the files of one lane, each into a part of its own. What has come of a broken one stays in `partial`.

    The lane's own part only lists them: a lane that was killed at its last file has the others already. A file that
    cannot be had ends its lane, not the others: they bring what they can, and then the stage fails.
    """

    def __init__(self, settings: DownloadSettings, partial: Path, parts: str) -> None:
        self._settings, self._partial, self._parts = settings, partial, parts
        self._failed: set[str | None] = set()

    def setup(self) -> None:
        pass

    def _keep(self, file: dict[str, Any], content: Iterable[bytes], part: Part) -> dict[str, Any]:
        """Write `content` into the file's part and finish it; returns the file's entry in the manifest.

        Raises:
            StageError: another size or checksum than the file has to have.
        """
        sha1, sha256, size = hashlib.sha1(usedforsecurity=False), hashlib.sha256(), 0
        with part.create(FILE) as out:
            for chunk in content:
                sha256.update(chunk)
                if file["sha1"] is not None:
                    sha1.update(chunk)
                size += len(chunk)
                out.write(chunk)
            came: dict[str, str | int] = {"size": size, "sha1": sha1.hexdigest(), "sha256": sha256.hexdigest()}
            for what, value in came.items():
                if file[what] not in (None, value):
                    raise mismatch(file["url"], what, value, file[what])
        entry = {"path": file["name"], "url": file["url"], "bytes": size, "sha256": sha256.hexdigest(), **file["about"]}
        part.finish(entry)
        return entry

    def _bring(self, file: dict[str, Any], part: Part) -> dict[str, Any]:
        """Get a file from the first address that has it; hosts that have failed this worker come last.

        Returns its entry in the manifest, or `{"path": name, "missing": HTTP status, "reason": ...}`.

        Raises:
            StageError: what each address said.
        """
        if file["path"] is not None:
            with read(file["path"]) as f:
                return self._keep(file, iter(lambda: f.read(CHUNK), b""), part)
        refused: list[StageError] = []
        for url in sorted(file["addresses"], key=lambda url: urlsplit(url).hostname in self._failed):
            source = partial_of(self._partial, file, url)
            with _alone(source):
                try:
                    return part.counts() or self._from_web(file, url, source, part)
                except Missing as missing:
                    if file["optional"]:
                        return {"path": file["name"], "missing": missing.status, "reason": missing.reason}
                    refused.append(missing.as_error())
                except StageError as error:
                    refused.append(error)
            self._failed.add(urlsplit(url).hostname)
            if len(refused) < len(file["addresses"]):
                log.warning("%s; asking another server", refused[-1].args[0])
        said = "\n".join(str(error.args[0]) for error in refused)
        raise StageError(said, run=refused[-1].run)

    def _from_web(self, file: dict[str, Any], url: str, source: Path, part: Part) -> dict[str, Any]:
        fetch(url, source, self._settings)
        try:
            entry = self._keep_as_meant(file, url, source, part)
        except StageError:  # it is another file: the next try must not go on from it
            source.unlink()
            raise
        source.unlink()
        return entry

    def _keep_as_meant(self, file: dict[str, Any], url: str, source: Path, part: Part) -> dict[str, Any]:
        """`_keep` of what came, read in the likelier way; where that is not the file that is known, in the other."""
        is_known = any(file[what] is not None for what in ("size", "sha1", "sha256"))
        failures: list[StageError] = []
        try:
            likely = readings(source, url, encoding_of(source))
        except StageError as failure:
            if not is_known:
                raise
            failures, likely = [failure], ["raw"]
        for reading in likely if is_known else likely[:1]:
            try:
                return self._keep(file, opened(source, url, reading), part)
            except StageError as failure:
                failures.append(failure)
        raise failures[0]

    def __call__(self, item: Item, part: Part) -> dict[str, Any]:
        done: list[dict[str, Any]] = []
        for file in item["files"]:
            own = Part(self._parts, file["part"])
            try:
                with disk_full_as_error(self._parts):
                    done.append(own.counts() or self._bring(file, own))
            except StageError as error:
                log.warning("%s", error.args[0])
                return {"files": done, "failed": error.args}
        return {"files": done}
