"""The sources of the parameter -> all files to get, each with a name of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from bert.download.book_manifest import book_files
from bert.download.settings import AnySource, BookManifest, DownloadSettings, WikipediaDump
from bert.download.sources import Fetchable, files_of
from bert.download.wikimedia import dump_files
from bert.pipeline import manifest
from bert.pipeline.errors import StageError

MISSING = "missing.jsonl"


class Names:
    """The names of the files in the stage's folder, each taken once."""

    def __init__(self) -> None:
        self._files: dict[str, str] = {}
        self._folders: dict[str, str] = {}

    def take(self, name: str, url: str) -> None:
        """Raises StageError where `name` is taken, is a folder of another file, or cannot be written."""
        if name in (manifest.NAME, MISSING):
            raise StageError(f"{url}: {name} is the name of the stage's own list", run="give it a `name`")
        folders = [str(folder) for folder in PurePosixPath(name).parents]
        taken = [(name, self._files.get(name) or self._folders.get(name))]
        taken += [(folder, self._files.get(folder)) for folder in folders]
        for clash, other in taken:
            if other is not None:
                raise StageError(f"{other} and {url} are both named {clash}", run="give one of them a `name`")
        if name != name.encode(errors="ignore").decode():
            raise StageError(f"{url!r}: the name {name!r} is not in UTF-8", run="rename the file, then dvc repro")
        self._files[name] = url
        self._folders |= dict.fromkeys(folders, url)


def expand(
    sources: Sequence[AnySource], settings: DownloadSettings, scratch: Path, dropped: Counter[str]
) -> tuple[list[Fetchable], Names]:
    """All files that `sources` name, sorted by name, and their names. Reads lists of files, from the web too.

    Args:
        scratch: a folder for such lists.
        dropped: counts what is there and not taken, by reason.

    Raises:
        StageError: a source that cannot be read, or two files of one name.
    """
    found: list[Fetchable] = []
    for position, source in enumerate(sources):
        if isinstance(source, WikipediaDump):
            files = dump_files(source, settings, scratch)
        elif isinstance(source, BookManifest):
            files = book_files(source, settings, scratch)
        else:
            files = files_of(source, dropped)
        found += [replace(file, source=position) for file in files]
    found.sort(key=lambda file: (file.name, file.url))
    names = Names()
    for file in found:
        if not file.tar:  # its members have names, once it is here
            names.take(file.name, file.url)
    return found, names
