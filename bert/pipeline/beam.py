"""Beam, as every data stage uses it: a list of work items in, a finished part (files and counts) per item out.

What crosses a shuffle on a local runner sits in memory at several times its size, so no text does: elements are small
descriptions (path, offset, length), results are files. A part is written under a temporary name and marked by its
`part.json`, last; a restarted stage skips the parts that are there. The bytes depend on the item alone, so they are
the same on any runner with any number of workers.

Machine settings: `BERT_BEAM_OPTIONS` (any Beam options) and `BERT_WORK` (where the workers read and write).
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import posixpath
import shlex
import shutil
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, Any, Protocol

logging.getLogger().setLevel(logging.ERROR)  # importing Beam warns of Google Cloud libraries that nobody asked for
# Beam logs a failure's traceback at each layer that it passes, and then raises it: a StageError is one message.
logging.getLogger("apache_beam").setLevel(logging.CRITICAL)
import apache_beam as beam  # noqa: E402
from apache_beam.io.filesystem import CompressionTypes  # noqa: E402
from apache_beam.io.filesystems import FileSystems  # noqa: E402
from apache_beam.options.pipeline_options import PipelineOptions  # noqa: E402

from bert.pipeline.errors import StageError, disk_full_told  # noqa: E402
from bert.pipeline.progress import Progress  # noqa: E402
from bert.pipeline.scratch import scratch_root  # noqa: E402

log = logging.getLogger(__name__)

# Below this the 2 s that a worker process takes to start are not earned back.
IN_MEMORY_BYTES = 32 * 2**20
MOST_THREADS = 32
Item = dict[str, Any]
"""One unit of work: JSON-able, with a unique `name` (the part's folder) and `bytes` (its weight)."""


class Work(Protocol):
    """What is done with an item. Pickled to the workers; `setup` runs once in each."""

    def setup(self) -> None: ...

    def __call__(self, item: Item, part: Part) -> dict[str, Any]:
        """Write the item's files through `part`, return its JSON-able counts."""


def read(path: str) -> IO[bytes]:
    """Open a file of any Beam file system, as it lies there (no decompression by extension)."""
    return FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED)


class Part:
    """The output folder of one item, on any Beam file system."""

    def __init__(self, root: str, name: str) -> None:
        self.folder = FileSystems.join(root, name)

    def path(self, name: str) -> str:
        return FileSystems.join(self.folder, name)

    @contextmanager
    def create(self, name: str) -> Iterator[IO[bytes]]:
        """A file that has its name only once it is whole."""
        _make(self.folder)
        # A name of its own: a worker that outlives its killed driver may still be writing the same part.
        temporary = self.path(f".{name}.{uuid.uuid4().hex[:8]}.tmp")
        try:
            with FileSystems.create(temporary, compression_type=CompressionTypes.UNCOMPRESSED) as f:
                yield f
            _remove(self.path(name))
            FileSystems.rename([temporary], [self.path(name)])
        except BaseException:
            _remove(temporary)
            raise

    def counts(self) -> dict[str, Any] | None:
        """What the finished part counted; None while it is not finished."""
        mark = self.path("part.json")
        if not FileSystems.exists(mark):
            return None
        with read(mark) as f:
            return json.loads(f.read())

    def finish(self, counts: dict[str, Any]) -> None:
        with self.create("part.json") as f:
            f.write(json.dumps(counts).encode())

    def forget(self) -> None:
        """The part is not finished any more."""
        _remove(self.path("part.json"))


class _DoPart(beam.DoFn):
    """Does one item unless its part is there from an earlier run."""

    def __init__(self, work: Work, root: str) -> None:
        self._work, self._root = work, root
        self._ready = False

    def process(self, item: Item) -> Iterator[str]:
        part = Part(self._root, item["name"])
        if part.counts() is None:
            if not self._ready:  # not in DoFn.setup: a restart that finds all parts done need not load anything
                self._work.setup()
                self._ready = True
            with disk_full_told(self._root):
                part.finish(self._work(item, part))
        yield item["name"]


def _is_remote(path: str) -> bool:
    return "://" in path


def _make(folder: str) -> None:
    """Create a folder where the file system has such a thing, also when it is there or another worker is faster."""
    if not _is_remote(folder):
        os.makedirs(folder, exist_ok=True)


def _remove(file: str) -> None:
    """Delete a file, if it is there. Beam's delete takes a local path for a pattern: `[` in a folder's name."""
    if not _is_remote(file):
        Path(file).unlink(missing_ok=True)
    elif FileSystems.exists(file):
        FileSystems.delete([file])


class Workplace:
    """Where the workers of one stage read and write.

    By default that is the stage's scratch and nothing is moved. With `BERT_WORK` set (a folder or a url of any Beam
    file system that the workers can see) inputs are uploaded there and results fetched.
    """

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch
        given = os.environ.get("BERT_WORK")
        self._away: str | None = None
        if given:
            # Under the name of the whole run, fingerprint and all: another run must not take these parts for its own.
            folder = scratch.resolve()
            base = scratch_root() if folder.is_relative_to(scratch_root()) else folder.anchor
            self._away = FileSystems.join(given, *folder.relative_to(base).parts)
            FileSystems.set_options(beam_options(0, 0))  # credentials and endpoints; Beam itself sets them too late
        self.parts = FileSystems.join(self._away, "parts") if self._away else str(scratch / "parts")

    def share(self, path: Path) -> str:
        """A name under which the workers can read the local file `path`."""
        if self._away is None:
            return str(path.resolve())
        seen = path.stat()
        target = FileSystems.join(self._away, "inputs", str(seen.st_mtime_ns), *path.resolve().parts[1:])
        if FileSystems.exists(target) and FileSystems.get_filesystem(target).size(target) == seen.st_size:
            return target
        _make(posixpath.dirname(target))
        with (
            open(path, "rb") as source,
            FileSystems.create(target, compression_type=CompressionTypes.UNCOMPRESSED) as f,
        ):
            shutil.copyfileobj(source, f, 2**20)
        return target

    def fetch(self, item: Item, file: str, target: Path) -> None:
        """Bring a finished part's `file` to the local path `target`: a hard link where it is local already."""
        target.parent.mkdir(parents=True, exist_ok=True)
        source = Part(self.parts, item["name"]).path(file)
        target.unlink(missing_ok=True)
        if self._away is None:
            os.link(source, target)
            return
        with read(source) as f, open(target, "wb") as out:
            shutil.copyfileobj(f, out, 2**20)

    def forget_uploads(self) -> None:
        """Remove what this stage left under `BERT_WORK`, once its result is safe in the scratch."""
        if self._away is None:
            return
        if _is_remote(self._away):
            FileSystems.delete([self._away + "/"])  # the slash: object stores know names that begin so, not folders
        else:
            shutil.rmtree(self._away, ignore_errors=True)


def _known_options() -> argparse.ArgumentParser:
    known = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    waiting = [PipelineOptions]
    while waiting:
        cls = waiting.pop()
        waiting += cls.__subclasses__()
        if cls is not PipelineOptions and "_add_argparse_args" in vars(cls):
            # A few options are declared by two classes.
            group = argparse.ArgumentParser(add_help=False, conflict_handler="resolve")
            cls._add_argparse_args(group)
            for action in group._actions:
                new = [o for o in action.option_strings if o not in known._option_string_actions]
                if new and action.nargs == 0:
                    known.add_argument(*new, nargs="?")
                elif new:
                    known.add_argument(*new, nargs=action.nargs, type=action.type or str, choices=action.choices)
    return known


def beam_options(weight: int, items: int, waiting: bool = False) -> PipelineOptions:
    """Beam's options for `items` work items of `weight` bytes in all, from `BERT_BEAM_OPTIONS`.

    `FnApiRunner` only where no runner is given: DirectRunner would be another engine (Prism) wherever it can download
    one. In memory for little input, else one process a core; a thread an item for work that is `waiting` for others.

    Raises:
        StageError: an option that Beam does not know (Beam itself would ignore it), or a value that it does not take.
    """
    correct = "correct BERT_BEAM_OPTIONS, then dvc repro"
    try:
        given = shlex.split(os.environ.get("BERT_BEAM_OPTIONS", ""))
        _, unknown = _known_options().parse_known_args(given)
    except (ValueError, argparse.ArgumentError) as error:
        raise StageError(f"BERT_BEAM_OPTIONS: {error}", run=correct) from None
    if unknown:
        raise StageError(f"BERT_BEAM_OPTIONS: Beam does not know {' '.join(unknown)}", run=correct)
    names = {option.split("=")[0] for option in given}
    if "--runner" not in names:
        given.append("--runner=FnApiRunner")
        cores = min(os.cpu_count() or 1, items)
        if "--direct_running_mode" in names:
            pass
        elif waiting and items > 1:
            given += ["--direct_running_mode=multi_threading", f"--direct_num_workers={min(items, MOST_THREADS)}"]
        elif weight > IN_MEMORY_BYTES and cores > 1:
            given += ["--direct_running_mode=multi_processing", f"--direct_num_workers={cores}"]
    return PipelineOptions(given)


def _watch(place: Workplace, items: Sequence[Item], label: str, stop: threading.Event) -> None:
    """Progress of any runner: count the parts that are finished."""
    with Progress(label, len(items), "parts") as progress:
        left = list(items)
        while not stop.wait(1.0):
            left = [i for i in left if not FileSystems.exists(Part(place.parts, i["name"]).path("part.json"))]
            progress.update(len(items) - len(left))
        progress.update(len(items))


def run_parts(
    label: str,
    items: Sequence[Item],
    work: Work,
    place: Workplace,
    watch: Callable[[threading.Event], None] | None = None,
    waiting: bool = False,
) -> list[dict[str, Any]]:
    """Do all items on the configured runner; their counts, in the order of `items`.

    Args:
        watch: shows progress in a thread until the event is set. Default: how many parts are finished.
        waiting: the work is to wait for other machines, not to compute.

    Raises:
        StageError: as a worker raised it, in the words that name the file.
    """
    if not items:
        return []
    names = [item["name"] for item in items]
    assert len(set(names)) == len(names), "work items must have names of their own"
    _make(place.parts)
    options = beam_options(sum(item["bytes"] for item in items), len(items), waiting)
    stop = threading.Event()
    watch = watch or partial(_watch, place, items, label)
    watcher = threading.Thread(target=watch, args=(stop,), daemon=True)
    watcher.start()
    # Work is dealt out statically on the local runner: the big ones first, so that no worker ends with one alone.
    heavy_first = sorted(items, key=lambda item: (-item["bytes"], item["name"]))
    try:
        with beam.Pipeline(options=options) as pipeline:
            _ = (
                pipeline
                | f"{label}: items" >> beam.Create(heavy_first)
                | f"{label}: parts" >> beam.ParDo(_DoPart(work, place.parts))
            )
    except Exception as error:
        raise _own_words(error) from error
    finally:
        stop.set()
        watcher.join()
    counts = [Part(place.parts, name).counts() for name in names]
    assert all(c is not None for c in counts), "a part is missing after the pipeline said DONE"
    return [c for c in counts if c is not None]


def _own_words(error: Exception) -> Exception:
    """The StageError inside what a runner made of it, else the error itself.

    Runners in other processes send a traceback as text; the last line that names StageError starts our message. To
    the message, not to the command below it, Beam adds ` [while running 'step']`.
    """
    marker, next_line = "bert.pipeline.errors.StageError: ", "\n  next: "
    if isinstance(error, StageError):
        text = str(error)
    elif marker in str(error):
        text = str(error).rpartition(marker)[2]
    else:
        return error
    what, tagged, rest = text.partition(" [while running ")
    command = rest.partition("]")[2] if tagged else next_line + what.partition(next_line)[2]
    run = command.removeprefix(next_line).split("\n")[0].strip() if command.startswith(next_line) else ""
    return StageError(what.partition(next_line)[0].strip(), run=run or None)
