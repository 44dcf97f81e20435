"""Where a stage's workers read and write: its scratch, or a folder that a cluster sees (`BERT_WORK`)."""

from __future__ import annotations

import os
import posixpath
import shutil
from pathlib import Path
from typing import Any

from apache_beam.io.filesystems import FileSystems

from bert.beam.options import beam_options
from bert.beam.part import MARK, Part
from bert.beam.storage import CHUNK, is_remote, make_folder, read, write
from bert.pipeline.scratch import scratch_root


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
        make_folder(posixpath.dirname(target))
        with open(path, "rb") as source, write(target) as f:
            shutil.copyfileobj(source, f, CHUNK)
        return target

    def fetch(self, item: dict[str, Any], file: str, target: Path) -> None:
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
        """Remove what this stage left under `BERT_WORK`, once its result is safe in the scratch."""
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
