"""A list of books, one JSON object a line -> the files that it names."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from pydantic import ValidationError

from bert.download.http import Missing, fetch_small
from bert.download.settings import BookManifest, DownloadSettings, FileName, Reading, Sha256, Source
from bert.download.sources import Fetchable, files_of, mismatch
from bert.pipeline.errors import StageError
from bert.pipeline.misfits import misfits


class _Book(Reading):
    url: str
    title: str | None = None
    sha256: Sha256 | None = None
    licence: str | None = None
    name: FileName | None = None


def _books(lines: bytes, listed: str) -> Iterator[tuple[str, _Book]]:
    """(`<list>: line <n>`, book) of each line that is not empty."""
    for number, line in enumerate(lines.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        where = f"{listed}: line {number}"
        if line.strip():
            try:
                yield where, _Book.model_validate_json(line)
            except ValidationError as error:
                said = "; ".join(misfit.named() for misfit in misfits(error))
                raise StageError(
                    f"{where}: {said}; expected an object with url and, where known, title, sha256, licence, name, "
                    "encoding, format",
                    run=f"correct {listed}, then dvc repro",
                ) from None


def book_files(source: BookManifest, settings: DownloadSettings, scratch: Path) -> list[Fetchable]:
    """All files of the list, optional, with title and licence. A url in it is relative to the list's own.

    Raises:
        StageError: the list cannot be had, is empty, or has a line that is no book; names the line.
    """
    one = Source(url=source.manifest, sha256=source.sha256)
    (own, *more) = files_of(one, Counter())
    if more or own.tar:
        raise StageError(f"{source.manifest}: expected a list of books, one JSON object a line", run="name the file")
    try:
        lines = own.path.read_bytes() if own.path else fetch_small(source.manifest, scratch, settings)
    except Missing as missing:
        raise missing.as_error() from None
    if source.sha256 not in (None, digest := hashlib.sha256(lines).hexdigest()):
        raise mismatch(source.manifest, "sha256", digest, str(source.sha256))
    prefix = f"{source.name}/" if source.name else ""
    found: list[Fetchable] = []
    for where, book in _books(lines, source.manifest):
        url = book.url
        if not urlsplit(url).scheme and not url.startswith("~"):
            url = str(own.path.parent / url) if own.path else urljoin(source.manifest, url)
        try:
            (file, *others) = files_of(Source(url=url, sha256=book.sha256, name=book.name), Counter())
            if others or file.tar:
                raise StageError(f"{url}: expected one book, not a folder or a tar")
        except StageError as error:
            raise StageError(f"{where}: {error.args[0]}", run=f"correct {source.manifest}, then dvc repro") from None
        about = {key: value for key in ("title", "licence") if (value := getattr(book, key)) is not None}
        about |= {**source.about(), **book.about()}
        found.append(replace(file, name=prefix + file.name, optional=True, about=about))
    if not found:
        raise StageError(f"{source.manifest}: not one book in it", run=f"fill {source.manifest}, then dvc repro")
    return found
