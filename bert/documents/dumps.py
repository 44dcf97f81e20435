"""Where a MediaWiki dump may be cut, and the pages of one piece of it.

A multistream dump is a row of bz2 streams: the head with its siteinfo, a hundred pages each, and the end tag
(https://meta.wikimedia.org/wiki/Data_dumps/Dump_format#Multistream_dumps). So a piece is a range of bytes that begins
and ends with a stream, and many workers read one file. Uncompressed XML is cut before a `<page>`, which stands nowhere
but where a page starts: in text it is escaped. A dump of one stream is one piece.
"""

from __future__ import annotations

import bz2
import mmap
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, cast
from xml.etree import ElementTree

from bert.documents.encodings import HEAD, detect
from bert.documents.namespaces import normal, without_text
from bert.documents.signatures import BZIP2, markup, no_text, root_of
from bert.pipeline.errors import StageError

# The start of a bz2 stream, but for its block size between the two: "BZh", 1 to 9, and the first block's mark.
# A compressed file holds the ten bytes by chance once in 2^77, and then the piece before them is found to be cut off.
_STREAM, _LEVELS, _BLOCK = b"BZh", b"123456789", bytes.fromhex("314159265359")
_INDEX_NAME = re.compile(r"-multistream-index\d*\.txt", re.IGNORECASE)
_CHUNK = 1 << 20
# A declaration of another encoding than that of all of Wikimedia's dumps.
_ENCODING = re.compile(r"""<\?xml[^>]*\sencoding\s*=\s*["'](?!utf-?8["']|us-ascii["'])""", re.IGNORECASE)
_ROOT = b"mediawiki"
_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
# https://www.mediawiki.org/wiki/Manual:Namespace
_MAIN, _FILE, _CATEGORY = "0", "6", "14"
# The names that work on every wiki (MediaWiki's NamespaceInfo, canonical names), and the two that Wikipedias add.
_WITH_TALK = ("user", "project", "file", "image", "mediawiki", "template", "help", "category", "wikipedia", "portal")
_CANONICAL = frozenset(("media", "special", "talk", *_WITH_TALK, *(f"{name} talk" for name in _WITH_TALK)))


@dataclass(frozen=True)
class Site:
    """The head of a dump: its root's language, and its siteinfo.

    language: the wiki's, such as `de`. without_text: names, as `namespaces.normal` gives them, of the namespaces whose
    links show no text. base: an article's url without its title. namespaces: names of all but the main one.
    """

    language: str = "en"
    without_text: frozenset[str] = without_text("en")
    base: str = "https://en.wikipedia.org/wiki/"
    namespaces: frozenset[str] = _CANONICAL

    def is_main(self, page: str, title: str) -> bool:
        """Whether a page is of the main namespace, by the text of its `<ns>`, which exports have from 0.6 on, or else
        by its title's prefix.
        """
        prefix, colon, _ = title.partition(":")
        return page.strip() == _MAIN if page.strip() else not colon or normal(prefix) not in self.namespaces

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "without_text": sorted(self.without_text), "namespaces": sorted(self.namespaces)}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Site:
        names, others = frozenset(value["without_text"]), frozenset(value["namespaces"])
        return cls(value["language"], names, value["base"], others)


@dataclass(frozen=True)
class Piece:
    """A range of bytes of a dump that holds whole pages."""

    offset: int
    length: int
    is_last: bool


def local(tag: str) -> str:
    """Tag name without the export schema's namespace, whose version changes."""
    return tag.rpartition("}")[2]


def is_index(name: str) -> bool:
    """Whether a file lists the streams of a dump."""
    return _INDEX_NAME.search(name) is not None


def indexed_by(name: str) -> str:
    """An index's dump, in small letters: `...-multistream-index1.txt-p1p9.bz2` -> `...-multistream1.xml-p1p9.bz2`."""
    dump = name.lower().replace("-multistream-index", "-multistream").replace(".txt", ".xml")
    return dump if dump.endswith(".bz2") else f"{dump}.bz2"


def _head(file: Path) -> bytes:
    with open(file, "rb") as f:
        return f.read(HEAD)


def is_packed(head: bytes) -> bool:
    """Whether a file that begins with `head` is packed by bzip2."""
    return no_text(head) == BZIP2


def _beginning(head: bytes) -> str | None:
    """What a dump that begins with `head` says first; None where that is packed, and damaged or cut off."""
    if is_packed(head):
        try:
            head = bz2.BZ2Decompressor().decompress(head, HEAD)
        except OSError:
            return None
        if not head:
            return None
    return head.decode(detect(head) or "utf-8", errors="replace").removeprefix("\ufeff")


def check_dump(head: bytes) -> None:
    """Raise ValueError, which says what it is, where a file that begins with `head` is no dump."""
    said = _beginning(head)
    if said and root_of(said) != _ROOT.decode():
        found = markup(said) or f"text that begins with {said.strip()[:20]!r}"
        raise ValueError(f"it is {found}; expected a MediaWiki dump: XML from <mediawiki> on, or that packed by bzip2")


def _from_index(dump: Path, index: Path, size: int) -> list[int]:
    """Starts of the streams that an index lists (lines of `offset:page id:title`), in ascending order.

    Raises:
        StageError: the index is not of this dump.
    """

    def refuse(reason: str) -> StageError:
        return StageError(
            f"{index}: not the index of {dump.name}: {reason}",
            run="get both again, or leave the index out (the dump itself is then searched), then dvc repro",
        )

    starts: list[int] = []
    try:
        unpacked = bz2.open if is_packed(_head(index)) else open
        with unpacked(index, "rb") as lines, open(dump, "rb") as f:
            for number, line in enumerate(lines, start=1):
                offset, colon, _ = line.partition(b":")
                if not colon or not offset.isdigit():
                    raise refuse(f"line {number} is not offset:page:title but {line[:40]!r}")
                start = int(offset)
                if starts and start == starts[-1]:
                    continue
                if starts and start < starts[-1]:
                    raise refuse(f"line {number} goes back to byte {start} from {starts[-1]}")
                if start >= size:
                    raise refuse(f"line {number} lists a stream at byte {start} of a file of {size} bytes")
                f.seek(start)
                if not _is_start(f.read(len(_STREAM) + 1 + len(_BLOCK))):
                    raise refuse(f"line {number} lists a stream at byte {start}, where none begins")
                starts.append(start)
    except (OSError, EOFError) as error:
        raise refuse(f"it cannot be read ({error})") from None
    return starts


def _is_start(data: bytes) -> bool:
    return data[:3] == _STREAM and data[3:4] in _LEVELS and data[4:10] == _BLOCK


def _by_search(dump: Path) -> Iterator[int]:
    """Starts of the streams behind the first one, as the file's bytes show them."""
    with open(dump, "rb") as f, mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ) as data:
        at = data.find(_BLOCK, len(_STREAM) + 1 + 1)
        while at >= 0:
            start = at - len(_STREAM) - 1
            if _is_start(data[start : at + len(_BLOCK)]):
                yield start
            at = data.find(_BLOCK, at + 1)


def _begins_with_page(dump: Path, start: int) -> bool:
    """Whether a stream begins with a page. Parallel compressors make streams too, which begin anywhere."""
    with open(dump, "rb") as f:
        f.seek(start)
        decompressor, text = bz2.BZ2Decompressor(), b""
        try:
            while len(text) < 64 and not decompressor.eof and (data := f.read(1 << 16)):
                text += decompressor.decompress(data, 64 - len(text))
        except OSError:
            return True  # corrupt: the worker that reads it says so
    return text.lstrip().startswith((b"<page>", b"</mediawiki>"))


def _page_starts(dump: Path, step: int) -> Iterator[int]:
    """The first page of uncompressed XML behind each multiple of `step` bytes."""
    with open(dump, "rb") as f, mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ) as data:
        at = step
        while (at := data.find(b"<page>", at)) >= 0:
            yield at
            at += step


def cut(dump: Path, index: Path | None, most: int) -> list[Piece]:
    """Pieces of a dump, of at most `most` bytes where its streams (or pages) allow; they cover the whole file.

    Raises:
        StageError: the index does not match the dump.
    """
    size = dump.stat().st_size
    starts: Iterator[int]
    if index is not None:
        starts = iter(_from_index(dump, index, size))
    elif size <= most:
        starts = iter(())
    elif _ENCODING.match(_beginning(head := _head(dump)) or ""):
        starts = iter(())  # the root tags that a piece gets would be in another encoding than its pages
    elif not is_packed(head):
        starts = _page_starts(dump, most)
    else:
        starts = _by_search(dump)
        first = next(starts, None)
        starts = iter((first, *starts)) if first is not None and _begins_with_page(dump, first) else iter(())
    cuts, before = [0], 0
    for start in (*starts, size):
        # Cut where the next stream would not fit any more.
        if start - cuts[-1] > most and before > cuts[-1]:
            cuts.append(before)
        before = start
    ends = (*cuts[1:], size)
    return [Piece(start, end - start, end == size) for start, end in zip(cuts, ends, strict=True)]


def _unpack(f: IO[bytes], piece: Piece) -> Iterator[bytes]:
    """The text of a piece's streams.

    Raises:
        ValueError: a stream is corrupt or ends early; says at which byte of the dump it begins.
    """
    left, begin, data = piece.length, piece.offset, b""
    decompressor = bz2.BZ2Decompressor()
    while left or data or decompressor.needs_input is False:
        if decompressor.eof:
            begin = piece.offset + piece.length - left - len(data)
            decompressor = bz2.BZ2Decompressor()
        if not data and decompressor.needs_input and left:
            data = f.read(min(_CHUNK, left))
            if not data:
                raise ValueError(f"it ends {left} bytes early")
            left -= len(data)
        try:
            text = decompressor.decompress(data, _CHUNK)
        except OSError:
            raise ValueError(f"the bz2 stream at byte {begin} is corrupt") from None
        data = decompressor.unused_data if decompressor.eof else b""
        if text:
            yield text
        if decompressor.eof and not data and not left:
            return
    raise ValueError(f"the bz2 stream at byte {begin} ended before the end-of-stream marker")


def _read(f: IO[bytes], piece: Piece) -> Iterator[bytes]:
    left = piece.length
    while left:
        data = f.read(min(_CHUNK, left))
        if not data:
            raise ValueError(f"it ends {left} bytes early")
        left -= len(data)
        yield data


def _elements(f: IO[bytes], piece: Piece) -> Iterator[tuple[ElementTree.Element, ElementTree.Element]]:
    """(root, element) at each end tag of a piece, which gets the root tags that it lacks."""
    f.seek(piece.offset)
    packed = is_packed(f.read(len(_STREAM) + 1 + len(_BLOCK)))
    f.seek(piece.offset)
    parser: ElementTree.XMLPullParser[Any] = ElementTree.XMLPullParser(("start", "end"))
    if piece.offset:
        parser.feed(b"<" + _ROOT + b">")
    root: Any = None
    for text in (_unpack if packed else _read)(f, piece):
        parser.feed(text)
        for event, element in cast(Iterator[tuple[str, ElementTree.Element]], parser.read_events()):
            if root is None:
                root = element
            if event == "end":
                yield root, element
    if not piece.is_last:
        parser.feed(b"</" + _ROOT + b">")
    parser.close()


def _age(revision: ElementTree.Element) -> tuple[str, int]:
    """(timestamp in ISO 8601, id) of a revision, as far as it has them: greater is newer."""
    children = {local(child.tag): child.text or "" for child in revision}
    number = children.get("id", "").strip()
    return children.get("timestamp", "").strip(), int(number) if number.isdigit() else 0


def pages(f: IO[bytes], piece: Piece) -> Iterator[ElementTree.Element]:
    """The `<page>` elements of a piece of an open dump, each valid until the next one.

    Of a page's revisions, which a dump with history has, all but the newest are empty.

    Raises:
        ValueError, xml.etree.ElementTree.ParseError: the piece is cut off, corrupt or no XML.
    """
    newest: ElementTree.Element | None = None
    for root, element in _elements(f, piece):
        if local(element.tag) == "revision":
            if newest is None or _age(newest) <= _age(element):
                newest, element = element, newest
            if element is not None:
                element.clear()  # a page may have thousands
        elif local(element.tag) == "page":
            yield element
            root.clear()  # else the finished pages of the whole piece stay in memory
            newest = None


def site(f: IO[bytes], size: int) -> Site:
    """The siteinfo in the head of an open dump of `size` bytes; English defaults where it has none.

    Raises:
        ValueError, xml.etree.ElementTree.ParseError: the beginning is corrupt or no XML.
    """
    language = Site.language
    for root, element in _elements(f, Piece(0, size, is_last=True)):
        language = root.get(_LANGUAGE, "")
        if local(element.tag) == "page":
            break
        if local(element.tag) == "siteinfo":
            children = {local(child.tag): child for child in element}
            spaces = [(space.get("key"), normal(space.text or "")) for space in children.get("namespaces", ())]
            names = {name for key, name in spaces if key in (_FILE, _CATEGORY)} - {""}
            others = {name for key, name in spaces if key != _MAIN} - {""}
            base = (children["base"].text or "") if "base" in children else ""
            url = f"{base.rpartition('/')[0]}/" if base else Site.base
            return Site(language, without_text(language) | names, url, _CANONICAL | without_text(language) | others)
    return Site(language, without_text(language), namespaces=_CANONICAL | without_text(language))
