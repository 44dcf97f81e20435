"""What a source's url stands for: one file over HTTP, files of this machine, or a file of an installed package."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import metadata
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from bert.download.settings import Source
from bert.pipeline import manifest
from bert.pipeline.errors import StageError


@dataclass(frozen=True)
class Fetchable:
    """One file to get. `path` is None for what comes over HTTP; `host` groups what must share connections."""

    url: str
    name: str
    sha256: str | None
    path: Path | None
    host: str


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


def _files(source: Source, path: Path) -> list[Fetchable]:
    if path.is_dir():
        if source.sha256 is not None:
            raise StageError(f"{source.url}: a folder cannot have one sha256", run="name its files one by one")
        found = sorted(p for p in path.rglob("*") if p.is_file() and not _is_hidden(p.relative_to(path)))
        if not found:
            raise StageError(f"{source.url}: the folder holds no files", run="correct the url in params.yaml")
        prefix = f"{source.name}/" if source.name else ""
        return [Fetchable(source.url, prefix + p.relative_to(path).as_posix(), None, p, "this machine") for p in found]
    if not path.is_file():
        raise StageError(f"{source.url}: no such file", run="correct the url in params.yaml, then dvc repro")
    return [Fetchable(source.url, source.name or path.name, source.sha256, path, "this machine")]


def expand(sources: list[Source]) -> list[Fetchable]:
    """All files that `sources` name, sorted by name.

    Raises:
        StageError: an unknown scheme, a missing file or package, two files of one name.
    """
    found: list[Fetchable] = []
    for source in sources:
        split = urlsplit(source.url)
        if split.scheme in ("http", "https"):
            name = source.name or unquote(split.path).rstrip("/").rsplit("/", 1)[-1]
            if name in ("", ".", ".."):
                raise StageError(f"{source.url}: the url ends in no file name", run="give the source a `name`")
            found.append(Fetchable(source.url, name, source.sha256, None, split.hostname or ""))
        elif split.scheme == "package":
            path = package_file(source.url)
            found.append(Fetchable(source.url, source.name or path.name, source.sha256, path, "this machine"))
        elif split.scheme == "file":
            found += _files(source, Path(unquote(split.path)))
        elif split.scheme == "":
            found += _files(source, Path(source.url).expanduser())
        else:
            raise StageError(
                f"{source.url}: scheme {split.scheme!r} is none of https, http, file, package or a plain path",
                run="correct the url in params.yaml",
            )
    found.sort(key=lambda f: f.name)
    named: dict[str, Fetchable] = {}
    for file in found:
        if file.name == manifest.NAME:
            raise StageError(f"{file.url}: {file.name} is the name of the stage's own list", run="give it a `name`")
        for name in (file.name, *map(str, PurePosixPath(file.name).parents)):
            if other := named.get(name):
                raise StageError(
                    f"{other.url} and {file.url} are both named {name}", run="give one of them a `name` in params.yaml"
                )
        named[file.name] = file
    return found
