"""What a source's url stands for: one file over HTTP, files of this machine, or a file of an installed package."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bert.download.settings import Source
from bert.pipeline.errors import StageError

_TAR = re.compile(r"\.(tar|tgz|tar\.(gz|bz2|xz))$", re.IGNORECASE)
CORRECT = "correct the url in params.yaml, then dvc repro"


@dataclass(frozen=True)
class Fetchable:
    """One file to get.

    url: as it stands in the manifest.
    name: in the stage's folder; of a tar, the folder for its members (empty: the stage's own).
    path: of a file of this machine.
    addresses: the urls of a file of another machine, in the order in which they are tried.
    size, sha1, sha256: what it has to have, where that is known. In bytes; hex digits.
    tar: its members are wanted.
    optional: where its server has lost it for good, it is counted as missing, which is no error.
    source: the position of its source in the parameter.
    about: further keys of its entry in the manifest, such as title and encoding.
    """

    url: str
    name: str
    path: Path | None = None
    addresses: tuple[str, ...] = ()
    size: int | None = None
    sha1: str | None = None
    sha256: str | None = None
    tar: bool = False
    optional: bool = False
    source: int = 0
    about: dict[str, str] = field(default_factory=dict)

    @property
    def hosts(self) -> frozenset[str]:
        """Which machines it can come from."""
        return frozenset(urlsplit(url).hostname or "" for url in self.addresses) or frozenset({"this machine"})


def mismatch(url: str, what: str, came: str | int, expected: str | int) -> StageError:
    """A file that is not what it has to be. what: sha256, sha1, size."""
    return StageError(
        f"{url}: {what} {came}, expected {expected}",
        run="check the file; if it is the right one, correct its sha256 where it is given, then dvc repro",
    )


def package_file(url: str) -> Path:
    """The file behind `package://<distribution>/<path>`, found through the package's metadata, never imported."""
    split = urlsplit(url)
    distribution, wanted = split.netloc, unquote(split.path.lstrip("/"))
    try:
        files = metadata.files(distribution) or []
    except (metadata.PackageNotFoundError, ValueError):
        raise StageError(f"{url}: package {distribution} is not installed", run=f"pip install {distribution}") from None
    for file in files:
        if str(file) == wanted and (path := Path(str(file.locate()))).is_file():
            return path
    raise StageError(
        f"{url}: {distribution} {metadata.version(distribution)} ships no such file", run="correct the url"
    )


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _file(source: Source, name: str, path: Path | None) -> Fetchable:
    tar = _TAR.search(name) is not None
    return Fetchable(
        source.url,
        source.name or ("" if tar else name),
        path=path,
        addresses=() if path else (source.url,),
        size=path.stat().st_size if path else None,
        sha256=source.sha256,
        tar=tar,
        about=source.about(),
    )


def _of_path(source: Source, path: Path, dropped: Counter[str]) -> list[Fetchable]:
    if path.is_dir():
        if source.sha256 is not None:
            raise StageError(f"{source.url}: a folder cannot have one sha256", run="name its files one by one")
        there = sorted(p for p in path.rglob("*") if p.is_file())
        found = [p for p in there if not _is_hidden(p.relative_to(path))]
        if not found:
            raise StageError(f"{source.url}: the folder holds no files", run=CORRECT)
        dropped["hidden_file"] += len(there) - len(found)
        prefix = f"{source.name}/" if source.name else ""
        return [
            Fetchable(
                source.url, prefix + p.relative_to(path).as_posix(), p, size=p.stat().st_size, about=source.about()
            )
            for p in found
        ]
    if not path.is_file():
        raise StageError(f"{source.url}: no such file", run=CORRECT)
    return [_file(source, path.name, path)]


def files_of(source: Source, dropped: Counter[str]) -> list[Fetchable]:
    """The files that one url stands for. Counts in `dropped` what is there and not taken.

    Raises:
        StageError: an unknown scheme, a missing file or package, an empty folder.
    """
    split = urlsplit(source.url)
    if split.scheme in ("http", "https"):
        name = unquote(split.path).rstrip("/").rsplit("/", 1)[-1]
        if name in ("", ".", ".."):
            if source.name is None:
                raise StageError(f"{source.url}: the url ends in no file name", run="give the source a `name`")
            name = source.name
        return [_file(source, name, None)]
    if split.scheme == "package":
        path = package_file(source.url)
        return [_file(source, path.name, path)]
    if split.scheme == "file":
        return _of_path(source, Path(unquote(split.path)), dropped)
    if split.scheme == "":
        return _of_path(source, Path(source.url).expanduser(), dropped)
    raise StageError(
        f"{source.url}: scheme {split.scheme!r} is none of https, http, file, package or a plain path", run=CORRECT
    )
