"""Parameters of the download stage."""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field

from bert.pipeline.errors import StageError
from bert.pipeline.params import Section

Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
# A relative path without hidden parts: it cannot leave the stage's folder.
FileName = Annotated[str, Field(pattern=r"^\w[\w.+ -]*(/\w[\w.+ -]*)*$")]
# Encodings of Python's that change how characters are written, and are of no text as it lies in files.
_NO_TABLES = (
    "idna",
    "punycode",
    "unicode-escape",
    "unicode_escape",
    "raw-unicode-escape",
    "raw_unicode_escape",
    "undefined",
)
WebAddress = Annotated[str, Field(pattern=r"^https?://[^/?#]+[^?#]*$")]


def _is_text_encoding(value: str) -> str:
    """Python's name of an encoding; raises ValueError where it is none, or no table of characters (hex, idna)."""
    try:
        "a\n".encode(value)
        name = codecs.lookup(value).name
    except (LookupError, ValueError):
        name = ""
    if name in ("", *_NO_TABLES):
        raise ValueError("no encoding that Python knows, such as cp1251, koi8-r, shift-jis, gb18030 or utf-16-le")
    return name


class Reading(Section):
    """How the files of a source are read, where their bytes don't show it. Goes into the manifest.

    encoding: Python's name of it. A byte order mark in a file is stronger.
    format: of a text; see bert/documents/formats.py. auto: JSON lines are recognised, all else is `lines`.
    """

    encoding: Annotated[str, AfterValidator(_is_text_encoding)] | None = None
    format: Literal["auto", "lines", "jsonl", "bert"] = "auto"

    def about(self) -> dict[str, str]:
        """The keys of a file's entry in the manifest."""
        return self.model_dump(include={"encoding", "format"}, exclude_defaults=True)


class Source(Reading):
    """A file, a local folder of files, or a tar of files.

    url: `https://`, `http://`, `file://`, a plain path, or `package://<distribution>/<path in it>` for a file that an
        installed Python package ships. What ends in .tar, .tar.gz, .tgz, .tar.bz2 or .tar.xz stands for its members.
    sha256: checked where given. DVC does not see a file change behind a path in params, so give it for paths.
    name: the file's name in the stage's folder (default: the url's last part); of a folder or tar, the sub-folder.
    minimum: with fewer files than that the stage fails.
    licence: of what it holds, for model cards: cc-by-sa-4.0, or in words.
    """

    url: str
    sha256: Sha256 | None = None
    name: FileName | None = None
    minimum: Annotated[int, Field(ge=1)] = 1
    licence: str | None = None


class BookManifest(Reading):
    """Files by a list of them, one JSON object a line: `url`, and where known `title`, `sha256`, `licence`, `name`.

    A line may have an `encoding` and a `format` of its own.

    What its server says is gone for good is listed as missing, and not an error while `minimum` files come.

    manifest: the list's url or path, as of a Source. A url in it may be relative to it.
    sha256: of the list itself.
    name: the sub-folder for its files.
    licence: of its books, for model cards.
    """

    manifest: str
    sha256: Sha256 | None = None
    name: FileName | None = None
    minimum: Annotated[int, Field(ge=1)] = 1
    licence: str | None = None


def _dated(value: Any) -> Any:
    if value == "latest":
        raise ValueError("'latest' is another dump every few weeks, so nobody could repeat this run: give a date")
    return str(value) if type(value) is int else value  # YAML reads an unquoted 20260901 as a number


class WikipediaDump(Section):
    """One dump of one wiki: the parts of its articles and their indexes, with the checksums that Wikimedia lists.

    wiki: as in the dump's url: enwiki, simplewiki, zh_min_nanwiki.
    date: as in the dump's url: 20260901.
    """

    wiki: Annotated[str, Field(pattern="^[a-z][a-z0-9_]*$")]
    date: Annotated[str, BeforeValidator(_dated), Field(pattern=r"^20\d\d[01]\d[0-3]\d$")]


def _of_its_kind(value: Any) -> Any:
    """A source by the key that only its kind has, so that an error speaks of this kind alone."""
    if isinstance(value, Section):
        return value
    keys = value.keys() if isinstance(value, dict) else ()
    kind = WikipediaDump if "wiki" in keys else BookManifest if "manifest" in keys else Source
    return kind.model_validate(value)


AnySource = Annotated[Source | BookManifest | WikipediaDump, BeforeValidator(_of_its_kind)]


# The sources whose files a later stage reads as text, and what may be said of that.
_READ_AS_TEXT = {"books": {"encoding"}, "text": {"encoding", "format"}}


def check_reading(name: str, sources: Sequence[AnySource]) -> None:
    """Raise StageError where an entry of download.<name> says how its files are read, and nothing reads them so."""
    for position, source in enumerate(sources):
        said = source.about() if isinstance(source, Reading) else {}
        if unread := sorted(said.keys() - _READ_AS_TEXT.get(name, set())):
            of = " and ".join(f"download.{other}" for other, keys in _READ_AS_TEXT.items() if unread[0] in keys)
            raise StageError(
                f"params.yaml: download.{name}.{position}.{unread[0]}: only entries of {of} have one "
                f"(got {said[unread[0]]!r})",
                run="leave it out, then dvc repro",
            )


class DownloadSettings(Section):
    """How to download: none of this changes a byte, so no stage lists it in its `params`.

    dumps: where the list of a Wikipedia dump's files and checksums is.
    mirrors: of the same layout, asked for a dump's files before `dumps` is, in this order. What they serve is checked
        by the checksums from `dumps`.

    Other keys of the section are sources.
    """

    model_config = ConfigDict(extra="ignore")

    contact: Annotated[str, Field(pattern=r"^[ -~]+$")] | None
    connections: Annotated[int, Field(ge=1, le=16)]
    retries: Annotated[int, Field(ge=0)]
    timeout_seconds: Annotated[float, Field(gt=0)]
    dumps: WebAddress
    mirrors: list[WebAddress]
