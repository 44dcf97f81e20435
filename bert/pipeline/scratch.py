"""Scratch: where a stage works, so that a killed run goes on where it stopped.

DVC deletes a stage's outs before it runs it, so nothing in them can survive. A stage works in
`$DVC_ROOT/.scratch/<stage>-<fingerprint>` instead and copies the result into its out at the end. The fingerprint is
taken over the parameters and the inputs: under other ones a run starts afresh, under the same ones it continues,
also from `dvc exp run --temp`, whose working directory is another one.

A copy, not a move: if DVC dies before it has committed the out, it deletes the out again at the next run. The scratch
of a finished run goes when a later start finds the result in dvc.lock.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import logging
import os
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from bert.pipeline.errors import StageError
from bert.pipeline.files import sha256_of, write_json
from bert.pipeline.manifest import NAME as MANIFEST

log = logging.getLogger(__name__)

PUBLISHED = "published.json"
LOCK = "lock"
GOING = ".going"
SECONDS_BETWEEN_TRIES = 5.0
FINGERPRINT = "[0-9a-f]" * 16
"""As a pattern of file names."""


def scratch_root() -> Path:
    """`.scratch` of the repository; of the original one under `dvc exp run --temp`."""
    return Path(os.environ.get("DVC_ROOT", ".")).resolve() / ".scratch"


def provenance_folder() -> Path:
    """Where stages that make the same on every machine leave the record of their last run here."""
    return scratch_root() / "provenance"


def runs() -> list[Path]:
    """The folders of all runs, of any stage."""
    return sorted(f for f in scratch_root().glob("*-" + FINGERPRINT) if f.is_dir())


def input_hash(path: Path) -> str:
    """What an input holds: a folder by its manifest (which has each file's SHA-256), a file by its bytes.

    A folder without a manifest is taken file by file.
    """
    if not path.is_dir():
        return sha256_of(path)
    if (path / MANIFEST).exists():
        return sha256_of(path / MANIFEST)
    files = sorted(p for p in path.rglob("*") if p.is_file())
    return hashlib.sha256("".join(f"{p.relative_to(path)} {sha256_of(p)}\n" for p in files).encode()).hexdigest()


def fingerprint(params: Any, inputs: list[Path]) -> str:
    """16 hex digits over JSON-able `params` and the contents of `inputs` (not over where they lie)."""
    described = {"params": params, "inputs": [input_hash(p) for p in inputs]}
    return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()[:16]


def dvc_md5(out: Path) -> str:
    """The hash that DVC writes into dvc.lock for `out`: of a file its MD5, of a folder the MD5 of its listing."""

    def md5(path: Path) -> str:
        with open(path, "rb") as f:
            return hashlib.file_digest(f, "md5").hexdigest()

    if not out.is_dir():
        return md5(out)
    files = sorted((p.relative_to(out).as_posix(), p) for p in out.rglob("*") if p.is_file())
    listing = json.dumps([{"md5": md5(p), "relpath": relative} for relative, p in files], sort_keys=True)
    return hashlib.md5(listing.encode()).hexdigest() + ".dir"


def committed(folder: Path, lock_file: Path) -> bool:
    """Whether everything that `folder` published stands in dvc.lock."""
    try:
        published = json.loads((folder / PUBLISHED).read_text())
        stages = YAML(typ="safe", pure=True).load(lock_file)["stages"]
    except (OSError, KeyError, TypeError, YAMLError, json.JSONDecodeError):
        return False
    outs = {out["path"]: out.get("md5") for stage in stages.values() for out in stage.get("outs", [])}
    return all(outs.get(path) == md5 for path, md5 in published.items())


def _holder(lock: IO[str]) -> str:
    lock.seek(0)
    return lock.read().strip() or "another process"


@contextmanager
def _locked(folder: Path, wait: bool) -> Iterator[None]:
    said = False
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        with open(folder / LOCK, "a+", encoding="utf-8") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                message = f"{folder} is in use by {_holder(lock)}"
                if not wait:
                    raise StageError(
                        f"{message}; it goes on although the dvc that started it may be gone",
                        run="wait for it, or kill that process, then dvc repro: it continues from its last checkpoint",
                    ) from None
                if not said:
                    log.info("%s; waiting", message)
                    said = True
                time.sleep(SECONDS_BETWEEN_TRIES)
                continue
            if not _is_at(lock, folder / LOCK):  # its last holder has removed the folder since we opened it
                continue
            lock.truncate(0)
            now = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"
            lock.write(f"process {os.getpid()} on {socket.gethostname()} since {now}\n")
            lock.flush()
            yield
            return


def _is_at(file: IO[str], path: Path) -> bool:
    """Whether `path` still names the open `file`."""
    return path.exists() and os.path.samestat(os.fstat(file.fileno()), path.stat())


def in_use(folder: Path) -> bool:
    """Whether a living process holds `folder`."""
    try:
        with _locked(folder, wait=False):
            return False
    except StageError:
        return True


def sweep(stage: str) -> None:
    """Remove the scratch of finished runs of `stage` whose result DVC has committed."""
    for folder in sorted(scratch_root().glob(f"{stage}-" + FINGERPRINT)):
        if committed(folder, Path("dvc.lock")):
            with suppress(StageError), _locked(folder, wait=False):  # in use: not ours to remove
                discard(folder)
    for folder in scratch_root().glob(f".{stage}-" + FINGERPRINT + GOING):
        shutil.rmtree(folder, ignore_errors=True)


def discard(folder: Path) -> None:
    """Remove a run's folder, at once for whoever comes next: of a half-removed one, some parts would look finished."""
    going = folder.with_name(f".{folder.name}{GOING}")
    shutil.rmtree(going, ignore_errors=True)
    os.replace(folder, going)
    shutil.rmtree(going, ignore_errors=True)  # what stays, the next sweep takes


class Scratch:
    """The folder of one run. Everything under it survives a crash."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def publish(self, results: dict[Path, Path]) -> None:
        """Copy finished files or folders {in scratch: out}, each appearing under its final name only when whole."""
        for source, out in results.items():
            out.parent.mkdir(parents=True, exist_ok=True)
            temporary = out.parent / f".{out.name}.publishing"
            _remove(temporary)
            if source.is_dir():
                shutil.copytree(source, temporary, copy_function=_link)
            else:
                _link(source, temporary)
            _remove(out)
            os.replace(temporary, out)
        root = Path.cwd()
        if all(out.resolve().is_relative_to(root) for out in results.values()):
            hashes = {out.resolve().relative_to(root).as_posix(): dvc_md5(out) for out in results.values()}
            write_json(self.folder / PUBLISHED, hashes)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _link(source: str | Path, target: str | Path) -> None:
    """A hard link where the file system can, else a copy. Nothing writes into finished files: they are replaced."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


@contextmanager
def scratch(stage: str, params: Any, inputs: list[Path]) -> Iterator[Scratch]:
    """The locked scratch of `stage` under these params and inputs.

    In the workspace a second run fails at once and names the first one; under `dvc exp run --temp` or the queue
    (whose working directory is not DVC_ROOT) it waits. Without DVC the scratch goes as soon as the run succeeds.
    """
    name = stage.replace("@", "-")
    sweep(name)
    folder = scratch_root() / f"{name}-{fingerprint(params, inputs)}"
    elsewhere = Path.cwd() != scratch_root().parent
    with _locked(folder, wait=elsewhere):
        yield Scratch(folder)
        if "DVC_STAGE" not in os.environ:
            discard(folder)
