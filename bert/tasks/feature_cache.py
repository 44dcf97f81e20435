"""Features on disk: made once, then read by every rank of every run that would make the same.

    .scratch/features/squad-train-v1.1-0123456789abcdef/    an entry: a file for each array, counts.json, entry.json

An entry's name has a hash of all that its bits depend on, so it is never out of date. It gets that name when it is
whole: what a kill leaves behind has another one, and goes when the next entry is asked for. Arrays are read
memory-mapped: of the rows that a rank does not need it reads nothing, and the ranks of a machine share the memory. The
folder may be deleted at any time: what a run has opened stays readable to it.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import shutil
import socket
import tempfile
import time
import unicodedata
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from importlib import metadata
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

import numpy as np

from bert.pipeline.errors import StageError
from bert.pipeline.files import write_json
from bert.pipeline.scratch import fingerprint, scratch_root

log = logging.getLogger(__name__)

# Entries that stay: those used last.
KEEP = 8
COUNTS, ENTRY, LOCK, MAKING = "counts.json", "entry.json", "lock", ".making-"
# Files, and a folder, that make the features of all tasks.
MAKERS = ("bert/tokens/", "bert/pipeline/files.py", "bert/tasks/token_rows.py", "bert/tasks/feature_cache.py")


class Features(Protocol):
    """A dataclass of NumPy arrays, and the counts of what was made and dropped, by reason."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    def __init__(self, *, counts: Counter[str], **arrays: Any) -> None: ...

    @property
    def counts(self) -> Counter[str]: ...


F = TypeVar("F", bound=Features)


def features_folder() -> Path:
    """Where all stages have theirs; may be removed."""
    return scratch_root() / "features"


@dataclass(frozen=True)
class FeatureCache:
    """The entries in a folder, which all ranks see.

    code: {file: hash} of the code that makes the features.
    """

    folder: Path
    code: Mapping[str, str]

    @classmethod
    def of(cls, makers: Sequence[str], code: Mapping[str, str]) -> FeatureCache:
        """That of this repository.

        Args:
            makers: the files that make the features, beside those that make the features of all tasks.
            code: {file: hash} of these files and of any others.
        """
        makers = (*MAKERS, *makers)
        return cls(features_folder(), {file: digest for file, digest in code.items() if file.startswith(makers)})

    def entry(self, name: str, settings: Mapping[str, Any], inputs: list[Path], make: Callable[[], Features]) -> str:
        """The name of the entry with these features; `make` is called where there is none, or a damaged one.

        Another process that asks for an entry waits meanwhile.

        Args:
            name: for people; the entry's begins with it.
            settings: JSON-able; what the features depend on beside these, code and libraries.
            inputs: files; their contents count.
        """
        made_from = {"settings": dict(settings), "code": dict(self.code), "libraries": _libraries()}
        entry = self.folder / f"{name}-{fingerprint(made_from, inputs)}"
        with self._locked():
            if _is_whole(entry):
                log.info("%s: made by an earlier run, read again", entry)
            else:
                began = time.perf_counter()
                self._write(entry, make(), made_from)
                log.info("%s: made in %.1f s", entry, time.perf_counter() - began)
            os.utime(entry)
            self._tidy()
        return entry.name

    def read(self, entry: str, kind: type[F]) -> F:
        """The features of an entry; their arrays are memory-mapped and read-only.

        Raises:
            StageError: it is not there.
        """
        folder = self.folder / entry
        try:
            names = [field.name for field in fields(kind) if field.name != "counts"]
            arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in names}
            return kind(counts=Counter(json.loads((folder / COUNTS).read_bytes())), **arrays)
        except FileNotFoundError:
            raise StageError(
                f"{folder}: the first rank has it, but the rank on {socket.gethostname()} does not see it: they do not "
                "see the same folder",
                run="put the repository in a folder that all hosts share, then dvc repro",
            ) from None

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self.folder.mkdir(parents=True, exist_ok=True)
        with open(self.folder / LOCK, "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _write(self, entry: Path, features: Features, made_from: dict[str, Any]) -> None:
        with tempfile.TemporaryDirectory(prefix=MAKING, dir=self.folder, ignore_cleanup_errors=True) as temporary:
            folder = Path(temporary) / entry.name
            folder.mkdir()
            for field in fields(features):
                if field.name != "counts":
                    np.save(folder / f"{field.name}.npy", getattr(features, field.name))
            write_json(folder / COUNTS, dict(sorted(features.counts.items())))
            crc32 = {path.name: _crc32(path) for path in sorted(folder.iterdir())}
            write_json(folder / ENTRY, {"made_from": made_from, "crc32": crc32})
            if entry.exists():
                entry.rename(Path(temporary) / "damaged")
            folder.rename(entry)

    def _tidy(self) -> None:
        """Remove what killed processes have left, and all entries but those used last. Under the lock."""
        for left in self.folder.glob(f"{MAKING}*"):
            shutil.rmtree(left, ignore_errors=True)
        entries = [path for path in self.folder.iterdir() if path.is_dir()]
        for old in sorted(entries, key=lambda path: path.stat().st_mtime_ns)[:-KEEP]:
            shutil.rmtree(old, ignore_errors=True)


def _is_whole(entry: Path) -> bool:
    """Whether an entry is there, with the very bytes that were written; says what is damaged."""
    if not entry.exists():
        return False
    try:
        crc32 = json.loads((entry / ENTRY).read_bytes())["crc32"]
        damaged = [name for name, expected in crc32.items() if _crc32(entry / name) != expected]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        damaged = [str(error)]
    if damaged:
        log.warning("%s: damaged (%s); made again", entry, ", ".join(damaged))
    return not damaged


def _crc32(path: Path) -> int:
    """Of a file's bytes: GBs a second, and enough against accidents."""
    return zlib.crc32(np.memmap(path, np.uint8, mode="r").data)


def _libraries() -> dict[str, str]:
    """Those that decide what a text's tokens are, and which characters they stand for."""
    return {"tensorflow-text": metadata.version("tensorflow-text"), "Unicode": unicodedata.unidata_version}
