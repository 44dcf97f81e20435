"""The download pipeline: each host's files dealt into a few lanes, a lane's files one after the other."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bert.beam.run import Item, Part, Workplace, run_parts
from bert.download.archive import unpack
from bert.download.expand import MISSING, expand
from bert.download.http import user_agent
from bert.download.lane import FILE, PARTIAL, Lane, digest
from bert.download.settings import AnySource, BookManifest, DownloadSettings, WikipediaDump
from bert.download.sources import Fetchable
from bert.pipeline import manifest
from bert.pipeline.errors import StageError
from bert.pipeline.files import write_text

# What a web file of unknown size weighs, so that lanes with much to do start first.
UNKNOWN_BYTES = 2**20
# By Wikimedia's rules for its dumps, whatever `connections` says.
MOST_CONNECTIONS = {"dumps.wikimedia.org": 2}


def _described(file: Fetchable) -> dict[str, Any]:
    """A file as an entry of its lane's item: the fields of Fetchable, and the name of its `part`.

    The part is named by all that is known of the file, size and date of a path too, but not by its addresses: with
    other mirrors, what has come stays good.
    """
    described = {**asdict(file), "path": file.path and str(file.path)}
    known = [described[key] for key in ("url", "name", "path", "size", "sha1", "sha256", "about")]
    return {**described, "part": f"file-{digest([known, file.path and file.path.stat().st_mtime_ns])}"}


def _by_host(files: list[Fetchable]) -> list[tuple[frozenset[str], list[Fetchable]]]:
    """Files by host; hosts that can stand in for each other (mirrors) together, in a stable order."""
    groups: list[tuple[frozenset[str], list[Fetchable]]] = []
    for file in files:
        hosts, together = file.hosts, [file]
        apart = []
        for group in groups:
            if group[0] & hosts:
                hosts, together = hosts | group[0], group[1] + together
            else:
                apart.append(group)
        groups = [*apart, (hosts, together)]
    return sorted(((hosts, sorted(fs, key=lambda f: (f.name, f.url))) for hosts, fs in groups), key=lambda g: min(g[0]))


def deal(files: list[Fetchable], connections: int) -> list[Item]:
    """Work items: at most `connections` lanes a host, so that no host sees more connections at a time.

    A lane is named by its files: dealt otherwise (more connections, another file), it is another lane.
    """
    lanes: list[Item] = []
    for hosts, of_host in _by_host(files):
        width = min(connections, len(of_host), *(MOST_CONNECTIONS.get(host, connections) for host in hosts))
        for lane in range(width):
            dealt = [_described(file) for file in of_host[lane::width]]
            weight = sum(UNKNOWN_BYTES if file["size"] is None else file["size"] for file in dealt)
            lanes.append({"name": f"lane-{digest([f['part'] for f in dealt])}", "bytes": weight, "files": dealt})
    return lanes


def _forget_unfinished(lanes: list[Item], place: Workplace) -> None:
    """Lanes of an earlier run that lack a file are not done: what failed may pass, and a server may let us in again."""
    for lane in lanes:
        part = Part(place.parts, lane["name"])
        counts = part.counts()
        if counts and ("failed" in counts or any("missing" in entry for entry in counts["files"])):
            part.forget()


def _fail_if_any_failed(done: list[dict[str, Any]]) -> None:
    failed = [counts["failed"] for counts in done if "failed" in counts]
    if failed:
        raise StageError("\n".join(dict.fromkeys(message for message, _ in failed)), run=failed[0][1])


def _check_minimum(
    sources: Sequence[AnySource], came: Counter[int], missing: list[dict[str, Any]], scratch: Path
) -> None:
    """Raises StageError where a source has given fewer files than its `minimum`."""
    for position, source in enumerate(sources):
        if isinstance(source, WikipediaDump) or came[position] >= source.minimum:
            continue
        listed = source.manifest if isinstance(source, BookManifest) else source.url
        message = f"{listed}: {came[position]} files came, expected at least {source.minimum}"
        if reasons := Counter(entry["reason"] for entry in missing if entry["source"] == position):
            _write_missing(scratch / MISSING, missing)
            counted = ", ".join(f"{n} times {reason}" for reason, n in sorted(reasons.items()))
            message += f"; {counted}; they are listed in {scratch / MISSING}"
        raise StageError(
            message,
            run="correct the source or its `minimum` in params.yaml, then dvc repro: it asks for the rest again",
        )


def _write_missing(path: Path, missing: list[dict[str, Any]]) -> None:
    lines = [{key: entry[key] for key in ("url", "title", "reason")} for entry in missing]
    write_text(path, "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))


def download(sources: Sequence[AnySource], settings: DownloadSettings, place: Workplace, out: Path) -> dict[str, Any]:
    """Get all files of `sources` into the folder `out`, with a manifest (url, bytes, sha256). Returns metrics.

    There is a source at least. Files that a list names and that their servers have lost are in `missing.jsonl` (url,
    title, reason), where any are.

    Raises:
        StageError: a file that cannot be had, with its url and the reason; or too few files.
    """
    shutil.rmtree(out, ignore_errors=True)  # of a killed run, whose folder source may have held other files
    out.mkdir(parents=True)
    dropped: Counter[str] = Counter()
    files, names = expand(sources, settings, place.scratch / "lists", dropped)
    for url in (url for file in files for url in file.addresses):
        user_agent(url, settings.contact)  # now, not after the hours that the other files take
    lanes = deal(files, settings.connections)
    for lane in lanes:
        for file in lane["files"]:
            file["path"] = file["path"] and place.share(Path(file["path"]))
    _forget_unfinished(lanes, place)
    work = Lane(settings, place.scratch / PARTIAL, place.parts)
    done = run_parts("download", lanes, work, place, waiting=True)
    _fail_if_any_failed(done)

    entries, missing, came = [], [], Counter[int]()
    for lane, counts in zip(lanes, done, strict=True):
        for file, entry in zip(lane["files"], counts["files"], strict=True):
            part = {"name": file["part"]}
            if "missing" in entry:
                missing.append({**file, "title": file["about"].get("title"), "reason": entry["reason"]})
                dropped[f"http_{entry['missing']}"] += 1
                continue
            if file["tar"]:
                archive = place.scratch / "archives" / file["part"]
                place.fetch(part, FILE, archive)
                got = unpack(archive, file["url"], out, file["name"], file["about"], names.take, dropped)
            else:
                place.fetch(part, FILE, out / entry["path"])
                got = [entry]
            entries += got
            came[file["source"]] += len(got)
    missing.sort(key=lambda file: file["name"])
    _check_minimum(sources, came, missing, place.scratch)
    if missing:
        _write_missing(out / MISSING, missing)
    entries.sort(key=lambda e: e["path"])
    manifest.write(out, entries)
    place.forget_uploads()
    return {
        "files": len(entries),
        "bytes": sum(e["bytes"] for e in entries),
        "dropped": {reason: n for reason, n in sorted(dropped.items()) if n},
    }
