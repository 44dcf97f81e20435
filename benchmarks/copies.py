"""A corpus of any size out of a small one: copies in which words have changed places, so that none repeats another.

In each copy but the first, every third plain word of a page, line or book changes places with others of it, and ids and
titles are new. So bytes, words and markup of a copy are those of its original, but hardly a shingle of five words is.
"""

from __future__ import annotations

import bz2
import random
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

PAGES_A_STREAM = 100
# More than any page's id.
IDS_A_COPY = 10**9
# Words between two spaces: those are in no link, and hardly ever in a template.
_WORD = re.compile(r"(?<= )[a-z]{3,}(?= )")
_ID, _TITLE_END = re.compile(r"(?<=<id>)\d+"), re.compile(r"(?=</title>)")


def changed(text: str, copy: int, key: str) -> str:
    """`text` with every third plain word in the place of another one; as it is in copy 0."""
    places = [match.span() for match in _WORD.finditer(text)][::3] if copy else []
    words = [text[start:end] for start, end in places]
    random.Random(f"{copy} {key}").shuffle(words)
    parts, at = list[str](), 0
    for (start, end), word in zip(places, words, strict=True):
        parts += (text[at:start], word)
        at = end
    return "".join([*parts, text[at:]])


def pages(dump: Path) -> Iterator[str]:
    """What stands before the first page of a dump, then its pages."""
    with bz2.open(dump, "rt", encoding="utf-8") if dump.name.endswith(".bz2") else open(dump, encoding="utf-8") as f:
        lines: list[str] = []
        for line in f:
            if "<page>" in line and lines:
                yield "".join(lines)
                lines = []
            if line.strip() != "</mediawiki>":
                lines.append(line)
        yield "".join(lines)


def _page(text: str, copy: int) -> str:
    text = _ID.sub(lambda match: str(int(match[0]) + copy * IDS_A_COPY), text, count=1)
    return _TITLE_END.sub(f" ({copy})" if copy else "", changed(text, copy, text[:80]), count=1)


def dump_streams(dump: Path, copy: int, most: int | None = None) -> Iterator[bytes]:
    """A copy of the first `most` pages of a dump, as bz2 streams."""
    found = (_page(text, copy) for text in islice(pages(dump), 1, most and most + 1))
    while stream := "".join(islice(found, PAGES_A_STREAM)):
        yield bz2.compress(stream.encode())


def text_lines(text: Path, copy: int, most: int | None = None) -> Iterator[bytes]:
    """A copy of the first `most` lines of a text of a document a line."""
    with open(text, encoding="utf-8", newline="\n") as f:
        for number, line in enumerate(islice(f, most)):
            yield changed(line, copy, str(number)).encode()


class Copies:
    """Corpora of several sizes out of one dump, one text and one folder of books; None leaves a source out.

    `cache` keeps each copy of the dump, since compressing it takes longest.
    """

    def __init__(self, dump: Path | None, text: Path | None, books: Path | None, cache: Path) -> None:
        self._dump, self._text, self._books, self._cache = dump, text, books, cache
        cache.mkdir(parents=True, exist_ok=True)

    def _streams(self, copy: int) -> bytes:
        assert self._dump is not None
        kept = self._cache / f"{copy}.bz2"
        if not kept.exists():
            kept.write_bytes(b"".join(dump_streams(self._dump, copy)))
        return kept.read_bytes()

    def write(self, folder: Path, copies: int, most: int | None = None) -> dict[str, Path]:
        """{corpus: its file or folder}: so many copies, or of one the first `most` pages and lines, and one book."""
        folder.mkdir(parents=True, exist_ok=True)
        made: dict[str, Path] = {}
        if self._dump is not None:
            made["wikipedia"] = folder / "copies-pages-articles-multistream.xml.bz2"
            with open(made["wikipedia"], "wb") as out:
                out.write(bz2.compress(next(pages(self._dump)).encode()))
                if most is not None:
                    out.writelines(dump_streams(self._dump, 0, most))
                else:
                    out.writelines(map(self._streams, range(copies)))
                out.write(bz2.compress(b"</mediawiki>\n"))
        if self._text is not None:
            made["text"] = folder / f"text{self._text.suffix}"
            with open(made["text"], "wb") as out:
                for copy in range(copies):
                    out.writelines(text_lines(self._text, copy, most))
        if self._books is not None:
            made["books"] = folder / "books"
            made["books"].mkdir(exist_ok=True)
            for copy in range(copies):
                for book in sorted(self._books.rglob("*.txt"))[: 1 if most else None]:
                    text = book.read_text(encoding="utf-8", errors="replace")
                    (made["books"] / f"{book.stem}-{copy}.txt").write_text(changed(text, copy, book.name))
        return made
