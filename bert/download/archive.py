"""The members of a tar, taken safely: no path outside, regular files only."""

from __future__ import annotations

import hashlib
import tarfile
import zlib
from collections import Counter
from collections.abc import Callable
from lzma import LZMAError
from pathlib import Path, PurePosixPath
from typing import Any

from bert.download.coding import CHUNK
from bert.pipeline.errors import StageError, disk_full_as_error


def unpack(
    archive: Path,
    url: str,
    out: Path,
    prefix: str,
    about: dict[str, str],
    take: Callable[[str, str], None],
    dropped: Counter[str],
) -> list[dict[str, Any]]:
    """Write the regular files of `archive` under `out`/`prefix`; their entries for the stage's list.

    Args:
        url: of the archive, for messages and entries.
        about: further keys of each entry.
        take: called with each file's name, and where it is from, before it is written; may refuse it.
        dropped: counts hidden files and what is no file (links, devices).

    Raises:
        StageError: not a tar, one that ends early, or a member whose path leads outside.
    """
    entries = []
    try:
        with tarfile.open(archive, "r|*") as tar:
            for member in tar:
                tar.members = []  # type: ignore[attr-defined]  # else it keeps all that it has passed
                path = PurePosixPath(member.name)
                if path.is_absolute() or ".." in path.parts:
                    raise StageError(f"{url}: member {member.name!r} leads outside the archive", run="don't trust it")
                if member.isdir():
                    continue
                if not member.isreg():
                    dropped["not_a_regular_file"] += 1
                    continue
                if any(part.startswith(".") for part in path.parts):
                    dropped["hidden_file"] += 1
                    continue
                name = f"{prefix}/{path}" if prefix else str(path)
                take(name, f"{member.name} of {url}")
                source = tar.extractfile(member)
                assert source is not None, "a regular file has contents"
                (out / name).parent.mkdir(parents=True, exist_ok=True)
                digest = hashlib.sha256()
                with source, disk_full_as_error(out), open(out / name, "wb") as f:
                    while chunk := source.read(CHUNK):
                        digest.update(chunk)
                        f.write(chunk)
                entries.append({"path": name, "url": url, "bytes": member.size, "sha256": digest.hexdigest(), **about})
    except (tarfile.TarError, EOFError, OSError, zlib.error, LZMAError) as error:
        raise StageError(
            f"{url}: cannot be unpacked: {error or type(error).__name__}",
            run="replace it, and give it a sha256 in params.yaml, then dvc repro",
        ) from None
    return entries
