"""The download pipeline: each host's files dealt into a few lanes, a lane's files one after the other."""

from __future__ import annotations

import hashlib
import logging
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from bert.download.http import CHUNK, fetch
from bert.download.settings import DownloadSettings, Source
from bert.download.sources import Fetchable, expand
from bert.pipeline import manifest
from bert.pipeline.beam import Item, Part, Workplace, run_parts
from bert.pipeline.errors import StageError

log = logging.getLogger(__name__)


def deal(files: list[Fetchable], connections: int) -> list[Item]:
    """Work items: at most `connections` lanes a host, so that no host sees more connections at a time."""
    hosts: dict[str, list[Fetchable]] = defaultdict(list)
    for file in files:
        hosts[file.host].append(file)
    lanes: list[Item] = []
    for n, host in enumerate(sorted(hosts)):
        for lane in range(min(connections, len(hosts[host]))):
            dealt = hosts[host][lane::connections]
            described = [
                {"url": f.url, "name": f.name, "sha256": f.sha256, "path": f.path and str(f.path)} for f in dealt
            ]
            lanes.append({"name": f"host-{n:03d}-lane-{lane:02d}", "bytes": 1, "files": described})
    return lanes


def stored_name(name: str) -> str:
    """A file's name inside a part: flat, also for names with folders in them."""
    return hashlib.sha256(name.encode()).hexdigest()[:24]


class _Lane:
    """Downloads the files of one lane. What has come of a broken one stays in `partial`."""

    def __init__(self, settings: DownloadSettings, partial: str) -> None:
        self._settings, self._partial = settings, partial

    def setup(self) -> None:
        pass

    def _bring(self, file: dict[str, Any], part: Part) -> dict[str, Any]:
        if file["path"] is not None:
            source = Path(file["path"])
        else:
            source = Path(self._partial) / stored_name(file["url"])
            said = time.monotonic()

            def progress(have: int, total: int) -> None:
                nonlocal said
                if time.monotonic() - said >= 5.0:
                    said = time.monotonic()
                    log.info("%s: %.1f of %.1f MB", file["url"], have / 1e6, total / 1e6)

            fetch(file["url"], source, self._settings, progress)
        digest = hashlib.sha256()
        size = 0
        with open(source, "rb") as f, part.create(stored_name(file["name"])) as out:
            while chunk := f.read(CHUNK):
                digest.update(chunk)
                size += len(chunk)
                out.write(chunk)
            if file["sha256"] is not None and digest.hexdigest() != file["sha256"]:
                if file["path"] is None:
                    source.unlink()
                raise StageError(
                    f"{file['url']}: sha256 {digest.hexdigest()}, expected {file['sha256']} ({size} bytes came)",
                    run="check the file; if it is the right one, put its sha256 into params.yaml, then dvc repro",
                )
        if file["path"] is None:
            source.unlink()
        return {"path": file["name"], "url": file["url"], "bytes": size, "sha256": digest.hexdigest()}

    def __call__(self, item: Item, part: Part) -> dict[str, Any]:
        return {"files": [self._bring(file, part) for file in item["files"]]}


def download(sources: list[Source], settings: DownloadSettings, scratch: Path, out: Path) -> dict[str, Any]:
    """Get all files of `sources` into the folder `out`, with a manifest (url, bytes, sha256). Returns metrics.

    Raises:
        StageError: a file that cannot be had, with its url and the reason.
    """
    out.mkdir(parents=True, exist_ok=True)
    if not sources:
        manifest.write_unconfigured(out)
        return {"files": 0, "bytes": 0}
    place = Workplace(scratch)
    lanes = deal(expand(sources), settings.connections)
    done = run_parts("download", lanes, _Lane(settings, str(scratch / "partial")), place)
    entries = []
    for lane, counts in zip(lanes, done, strict=True):
        for file in counts["files"]:
            place.fetch(lane, stored_name(file["path"]), out / file["path"])
            entries.append(file)
    entries.sort(key=lambda e: e["path"])
    manifest.write(out, entries)
    place.forget_uploads()
    return {"files": len(entries), "bytes": sum(e["bytes"] for e in entries)}
