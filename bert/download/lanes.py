"""The download pipeline: each host's files dealt into a few lanes, a lane's files one after the other."""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from bert.download.http import CHUNK, fetch
from bert.download.settings import DownloadSettings, Source
from bert.download.sources import Fetchable, expand
from bert.pipeline import manifest
from bert.pipeline.beam import Item, Part, Workplace, read, run_parts
from bert.pipeline.errors import StageError

log = logging.getLogger(__name__)


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:24]


def _described(file: Fetchable) -> dict[str, Any]:
    """A file as a lane's worker gets it. Its part is named by all that is known of it, size and date of a path too."""
    told = {"url": file.url, "name": file.name, "sha256": file.sha256, "path": file.path and str(file.path)}
    seen = file.path and file.path.stat()
    return {**told, "part": f"file-{_digest([told, seen and (seen.st_size, seen.st_mtime_ns)])}"}


def deal(files: list[Fetchable], connections: int) -> list[Item]:
    """Work items: at most `connections` lanes a host, so that no host sees more connections at a time.

    A lane is named by its files: dealt otherwise (more connections, another file), it is another lane.
    """
    hosts: dict[str, list[Fetchable]] = defaultdict(list)
    for file in files:
        hosts[file.host].append(file)
    lanes: list[Item] = []
    for host in sorted(hosts):
        for lane in range(min(connections, len(hosts[host]))):
            dealt = [_described(file) for file in hosts[host][lane::connections]]
            lanes.append({"name": f"lane-{_digest(dealt)}", "bytes": 1, "files": dealt})
    return lanes


class _Lane:
    """Downloads the files of one lane, each into a part of its own. What has come of a broken one stays in `partial`.

    The lane's own part only lists them: a lane that was killed at its last file has the others already.
    """

    def __init__(self, settings: DownloadSettings, partial: str, parts: str) -> None:
        self._settings, self._partial, self._parts = settings, partial, parts

    def setup(self) -> None:
        pass

    def _bring(self, file: dict[str, Any], part: Part) -> dict[str, Any]:
        source: Path | None = None
        if file["path"] is None:
            source = Path(self._partial) / _digest(file["url"])
            said = time.monotonic()

            def progress(have: int, total: int) -> None:
                nonlocal said
                if time.monotonic() - said >= 5.0:
                    said = time.monotonic()
                    log.info("%s: %.1f of %.1f MB", file["url"], have / 1e6, total / 1e6)

            fetch(file["url"], source, self._settings, progress)
        digest = hashlib.sha256()
        size = 0
        with read(str(source or file["path"])) as f, part.create("file") as out:
            while chunk := f.read(CHUNK):
                digest.update(chunk)
                size += len(chunk)
                out.write(chunk)
            if file["sha256"] is not None and digest.hexdigest() != file["sha256"]:
                if source is not None:
                    source.unlink()
                raise StageError(
                    f"{file['url']}: sha256 {digest.hexdigest()}, expected {file['sha256']} ({size} bytes came)",
                    run="check the file; if it is the right one, put its sha256 into params.yaml, then dvc repro",
                )
        told = {"path": file["name"], "url": file["url"], "bytes": size, "sha256": digest.hexdigest()}
        part.finish(told)
        if source is not None:
            source.unlink()
        return told

    def __call__(self, item: Item, part: Part) -> dict[str, Any]:
        done = []
        for file in item["files"]:
            own = Part(self._parts, file["part"])
            done.append(own.counts() or self._bring(file, own))
        return {"files": done}


def download(sources: list[Source], settings: DownloadSettings, scratch: Path, out: Path) -> dict[str, Any]:
    """Get all files of `sources` into the folder `out`, with a manifest (url, bytes, sha256). Returns metrics.

    Raises:
        StageError: a file that cannot be had, with its url and the reason.
    """
    shutil.rmtree(out, ignore_errors=True)  # of a killed run, whose folder source may have held other files
    out.mkdir(parents=True)
    if not sources:
        manifest.write_unconfigured(out)
        return {"files": 0, "bytes": 0}
    place = Workplace(scratch)
    lanes = deal(expand(sources), settings.connections)
    for lane in lanes:
        for file in lane["files"]:
            file["path"] = file["path"] and place.share(Path(file["path"]))
    done = run_parts("download", lanes, _Lane(settings, str(scratch / "partial"), place.parts), place)
    entries = []
    for lane, counts in zip(lanes, done, strict=True):
        for file, entry in zip(lane["files"], counts["files"], strict=True):
            place.fetch({"name": file["part"]}, "file", out / entry["path"])
            entries.append(entry)
    entries.sort(key=lambda e: e["path"])
    manifest.write(out, entries)
    place.forget_uploads()
    return {"files": len(entries), "bytes": sum(e["bytes"] for e in entries)}
