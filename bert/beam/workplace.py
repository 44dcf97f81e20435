"""Where and how the workers of one stage work: their folder, Beam's options, and who watches them."""

from __future__ import annotations

import os
import posixpath
import shutil
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Protocol

from apache_beam.io.filesystems import FileSystems

from bert.beam.options import beam_options
from bert.beam.part import MARK, Item, Part
from bert.beam.storage import CHUNK, is_remote, make_folder, read, write
from bert.pipeline.scratch import scratch_root


class Watch(Protocol):
    """Shows how many of the items are done, for as long as its context lasts."""

    def __call__(self, label: str, items: Sequence[Item], place: Workplace, /) -> AbstractContextManager[object]: ...


def unwatched(label: str, items: Sequence[Item], place: Workplace) -> AbstractContextManager[object]:
    """Shows nothing."""
    return nullcontext()


class Workplace:
    """Where the workers of one stage read and write, and how Beam runs them.

    By default they work in the stage's scratch and nothing is moved. With a work folder inputs are uploaded there and
    results fetched.

    Args:
        scratch: a local folder that survives a kill. What is finished in it is not done again.
        work_folder: a folder, or a url of any Beam file system, that all workers can see (`BERT_WORK`).
        options: Beam's, as on a command line (`BERT_BEAM_OPTIONS`).
        watch: shows the progress of each run.

    Raises:
        StageError: options that Beam refuses, where there is a work folder; without one, when the work begins.
    """

    def __init__(
        self, scratch: Path, work_folder: str | None = None, options: Sequence[str] = (), watch: Watch = unwatched
    ) -> None:
        self.scratch, self.options, self.watch = scratch, tuple(options), watch
        self._work_folder = work_folder
        self._away: str | None = None
        if work_folder:
            # Under the name of the whole run, fingerprint and all: another run must not take these parts for its own.
            folder = scratch.resolve()
            base = scratch_root() if folder.is_relative_to(scratch_root()) else folder.anchor
            self._away = FileSystems.join(work_folder, *folder.relative_to(base).parts)
            # Credentials and endpoints; Beam itself sets them too late.
            FileSystems.set_options(beam_options(self.options, 0, 0))
        self.parts = FileSystems.join(self._away, "parts") if self._away else str(scratch / "parts")

    def inside(self, name: str) -> Workplace:
        """The workplace of one pass of several: the same settings, in the sub-folder `name`."""
        return Workplace(self.scratch / name, self._work_folder, self.options, self.watch)

    def share(self, path: Path) -> str:
        """A name under which the workers can read the local file `path`."""
        if self._away is None:
            return str(path.resolve())
        seen = path.stat()
        target = FileSystems.join(self._away, "inputs", str(seen.st_mtime_ns), *path.resolve().parts[1:])
        if FileSystems.exists(target) and FileSystems.get_filesystem(target).size(target) == seen.st_size:
            return target
        make_folder(posixpath.dirname(target))
        with open(path, "rb") as source, write(target) as f:
            shutil.copyfileobj(source, f, CHUNK)
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
            shutil.copyfileobj(f, out, CHUNK)

    def forget_uploads(self) -> None:
        """Remove what this stage left in the work folder, once its result is safe in the scratch."""
        if self._away is None:
            return
        # The marks first: of a stage that is killed meanwhile, no part may look finished that has lost its files.
        if is_remote(self._away):
            (found,) = FileSystems.match([FileSystems.join(self.parts, "*", MARK)])
            FileSystems.delete([mark.path for mark in found.metadata_list])
            FileSystems.delete([self._away + "/"])  # the slash: object stores know names that begin so, not folders
        else:
            for mark in Path(self.parts).glob(f"*/{MARK}"):
                mark.unlink()
            shutil.rmtree(self._away, ignore_errors=True)
