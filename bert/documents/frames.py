"""The frame that Project Gutenberg puts around a book, in the forms that it has had since the nineties.

A book begins behind its start mark (since about 2001) or behind the small print (before), and ends at its end mark;
from 2002 to 2004 the small print stands behind that. A file may hold several books, each in its frame, and lack any of
the marks; and what reads like a mark may stand in a book. So a start mark takes away what stands before it only as far
as that reads like a header, and an end mark what stands behind it only as far as that reads like a licence.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import groupby, pairwise

# What stands before the words of a mark: stars, or what people and programs have made of them. A dash alone, with a
# word right behind it, begins speech.
_RULE = r"(?:[ \t\xa0\u202f*_=]|[—–-]+(?=[ \t\xa0\u202f]))*"
_OF_THE_PROJECT = r"(?:\s+[\w’']+){0,4}?\s+proje\w+\s+gutenberg"


class Mark(Enum):
    """What a paragraph of a frame says; the first that fits. In the languages that are known to have said it."""

    SMALL_PRINT_END = re.compile(r"[ \t]*\*+[ \t]*END[ \t]*\*?[ \t]*(?:THE[ \t]+)?SMALL PRINT", re.IGNORECASE)
    SMALL_PRINT = re.compile(
        r"[ \t]*\*+[ \t]*(?:START[ \t*]*)?(?:THE[ \t]+)?[\"“]?(?:LEGAL SMALL PRINT\*|SMALL PRINT!)", re.IGNORECASE
    )
    START = re.compile(
        rf"{_RULE}(?:start|begin(?:n|ning)?|anfang|d[ée]but|in[ií]cio|inizio|comienzo)\b{_OF_THE_PROJECT}",
        re.IGNORECASE,
    )
    END = re.compile(
        rf"{_RULE}(?:(?:the\s+)?end|ende|fine?|fim|final|einde|slut(?:et)?|loppu|kon[ie]e?c)\b{_OF_THE_PROJECT}"
        rf"|{_RULE}ende\s+dieses\s+e-?(?:text|book)"
        rf"|{_RULE}proje\w+\s+gutenberg\w*(?:\s+\S+){{0,30}}?\s+loppui?\W*\Z",
        re.IGNORECASE,
    )
    FILE_NAME = re.compile(r"[ \t]*\*{3,}[ \t]*This file should be named ", re.IGNORECASE)


_BEGIN = (Mark.START, Mark.SMALL_PRINT_END)
# A mark with stars may stand beside text without an empty line; one without them is a paragraph.
_STAR, _CLOSED = re.compile(r"[ \t\xa0\u202f]*(?:_?\*|[-=—–]{2})"), re.compile(r"(?:\*_?|[-=—–]{2})[ \t\xa0]*$")
_LONGEST_MARK = 4  # lines
_GOES_ON = re.compile(r"[^\W_].*\*{3}[ \t]+\w", re.DOTALL)  # a sentence that quotes a mark
# Words that only frames have, and words that these have more often than books.
_FIELD = (
    r"^\W*(?:title|author|editor|translator|illustrator|(?:release |posting )?date|language|edition|credits|produced by"
    r"|character set[\w ]*|original publication|most recently updated)\W*:"
)
_OWN = r"gutenberg|small print!|\be-?texts?\b|\be-?books?\b|this file should be named"
_OWN_WORDS = re.compile(_OWN, re.IGNORECASE)
_ADDRESS = r"\w@\w+\.\w|\bftp\b"
_WORDS = re.compile(
    rf"{_OWN}|copyright|licen[cs]e|trademark|public domain|donation|royalt(?:y|ies)|electronic|^\W*section \d+\."
    rf"|{_ADDRESS}|{_FIELD}",
    re.IGNORECASE,
)
# Without a mark behind it a header ends with the last of the words that no book has (Gutenberg the printer has books),
# and is none without one of the lines that only headers have.
_FIELDS = re.compile(_FIELD, re.IGNORECASE)
_ONLY_HEADERS = re.compile(
    rf"{_FIELD}|\[(?:official )?(?:e-?text|e-?book)[ \t]*\W|this file should be named|copyright laws", re.IGNORECASE
)
_HEADER_WORDS = re.compile(
    rf"proje\w+\s+gutenberg|\be-?texts?\b|\be-?books?\b|this file should be named|{_ADDRESS}", re.IGNORECASE
)
_LONGEST_HEADER_GAP = 4
_FIRST_LINE = re.compile(r"\W*(?:the\s+)?proje\w+\s+gutenberg(?:[’']?s)?\s+e-?(?:text|book)\s+of\b", re.IGNORECASE)
# At least so many of the paragraphs of a header, or of a licence, have such words; a licence has them every few
# paragraphs, and what follows it is a book if few of its paragraphs have any and it is more than one.
_FRAME_SHARE, _LONGEST_HEADER, _LONGEST_GAP = 0.5, 40_000, 8
_FIRST_SHARE = 0.25  # of a file that begins with such words
_BOOK_SHARE, _LEAST_PARAGRAPHS = 0.25, 2


@dataclass(frozen=True)
class _Paragraph:
    """Lines between empty ones, with the line ends behind them."""

    text: str
    mark: Mark | None = None


def _has_words(paragraph: _Paragraph) -> bool:
    return _WORDS.search(paragraph.text) is not None


def _mark(text: str) -> Mark | None:
    return next((mark for mark in Mark if mark.value.match(text)), None)


def _marks_of(lines: list[str]) -> Iterator[tuple[int, int]]:
    """(first line, line behind the last) of the marks with stars in one paragraph, but not of those amid its lines."""
    at, is_free = 0, True  # is_free: a mark may begin here, behind an empty line or another mark
    while at < len(lines):
        if not _STAR.match(lines[at]) or _mark("".join(lines[at : at + 2])) is None:
            at, is_free = at + 1, False
            continue
        closing = (n for n in range(at, min(at + _LONGEST_MARK, len(lines))) if _CLOSED.search(lines[n].rstrip("\n")))
        end = next(closing, at) + 1
        if (is_free or end == len(lines) or _STAR.match(lines[end])) and not _GOES_ON.search("".join(lines[at:end])):
            yield at, end
            is_free = True
        at = end


def _paragraphs(text: str) -> Iterator[_Paragraph]:
    """All of `text`, cut at empty lines and around marks."""
    lines = text.splitlines(keepends=True) if text.isascii() else re.findall(r"[^\n]*\n|[^\n]+", text)
    for is_blank, group in groupby(lines, lambda line: not line.strip()):
        block = list(group)
        if is_blank:
            yield _Paragraph("".join(block))
            continue
        at = 0
        for start, end in _marks_of(block):
            if start > at:
                yield _Paragraph("".join(block[at:start]))
            whole = "".join(block[start:end])
            yield _Paragraph(whole, _mark(whole))
            at = end
        if at < len(block):
            rest = "".join(block[at:])
            yield _Paragraph(rest, None if _STAR.match(rest) else _mark(rest))


def _header(region: Sequence[_Paragraph], share: float) -> int:
    """Where the header begins that ends with `region`; its length, where it has none. share: of it, having words."""
    begin, characters, number, having = len(region), 0, 0, 0
    for at in range(len(region) - 1, -1, -1):
        paragraph = region[at]
        characters += len(paragraph.text)
        if characters > _LONGEST_HEADER:
            break
        number += bool(paragraph.text.strip())
        having += _has_words(paragraph)
        if _OWN_WORDS.search(paragraph.text) and having >= share * number:
            begin = at
    return begin


def _opening_header(region: Sequence[_Paragraph]) -> int:
    """Where the header ends that begins `region`, with no mark behind it; 0 where it begins with none."""
    end, gap, number, having, characters, is_header = 0, 0, 0, 0, 0, False
    for at, paragraph in enumerate(region):
        if not paragraph.text.strip():
            continue
        has_own = _HEADER_WORDS.search(paragraph.text) is not None
        number, characters = number + 1, characters + len(paragraph.text)
        if characters > _LONGEST_HEADER or (number == 1 and not has_own):
            break
        if is_header and gap >= _LEAST_PARAGRAPHS and _FIRST_LINE.match(paragraph.text):
            break  # the header of the next book
        having += _has_words(paragraph)
        if (has_own or (not gap and _FIELDS.search(paragraph.text))) and having >= _FRAME_SHARE * number:
            end, gap = at + 1, 0
        elif (gap := gap + 1) > _LONGEST_HEADER_GAP:
            break
        is_header = is_header or _ONLY_HEADERS.search(paragraph.text) is not None
    return end if is_header else 0


def _licence(region: Sequence[_Paragraph], least: int) -> int:
    """Where the licence ends that begins `region`, and a book of at least so many paragraphs follows."""
    end, gap, number, having = 0, 0, 0, 0
    for at, paragraph in enumerate(region):
        number += bool(paragraph.text.strip())
        gap += bool(paragraph.text.strip())
        if _has_words(paragraph):
            having, gap = having + 1, 0
            if having >= _FRAME_SHARE * number:
                end = at + 1
        elif gap > _LONGEST_GAP:
            break
    book = [p for p in region[end:] if p.text.strip()]
    is_book = len(book) >= least and sum(map(_has_words, book)) < _BOOK_SHARE * len(book)
    return end if is_book else len(region)


def _number(region: Sequence[_Paragraph]) -> int:
    return sum(bool(p.text.strip()) for p in region)


def _small_prints_behind(paragraphs: Sequence[_Paragraph]) -> set[int]:
    """The marks of small prints behind which no book begins, but a header or nothing: their book stands before them."""
    found: set[int] = set()
    begun: list[int] = []
    places = [n for n, p in enumerate(paragraphs) if p.mark not in (None, Mark.FILE_NAME)]
    for place, following in pairwise([*places, len(paragraphs)]):
        mark, region = paragraphs[place].mark, paragraphs[place + 1 : following]
        if mark not in (Mark.SMALL_PRINT, Mark.SMALL_PRINT_END):
            begun = []
            continue
        begun.append(place)
        is_last = following == len(paragraphs)
        if mark is Mark.SMALL_PRINT_END:
            is_behind = _opening_header(region) > 0 or (is_last and not _number(region))
        else:  # one without an end
            is_behind = is_last and _licence(region, _LEAST_PARAGRAPHS) == len(region)
        if is_behind:
            found.update(begun)
        if mark is Mark.SMALL_PRINT_END:
            begun = []
    return found


def _between_headers(region: Sequence[_Paragraph]) -> range:
    """The book without an end mark that stands between a header and the header that ends `region`; or nothing."""
    begin = _opening_header(region)
    end = begin + _header(region[begin:], _FRAME_SHARE)
    is_book = begin and _number(region[begin:end]) >= _LEAST_PARAGRAPHS and _opening_header(region[end:])
    return range(begin, end) if is_book else range(0)


@dataclass(frozen=True)
class _Region:
    """The paragraphs between two marks. is_begun: a header may begin it; is_ended: its book ends with it."""

    paragraphs: Sequence[_Paragraph]
    opened: Mark | None
    closed: Mark | None
    is_begun: bool
    is_ended: bool

    def header(self) -> int:
        """Where the header ends that no mark closes."""
        return _opening_header(self.paragraphs) if self.is_begun and self.is_ended else 0

    def book(self) -> range:
        """Which of the paragraphs are a book's."""
        region, opened, closed = self.paragraphs, self.opened, self.closed
        if opened is Mark.SMALL_PRINT and closed is Mark.SMALL_PRINT_END:
            return range(0)
        begin, end = self.header(), len(region)
        if opened is None and not self.is_ended and (between := _between_headers(region)):
            return between
        if closed not in (None, Mark.END) and not (opened is Mark.END and self.is_ended):
            first = next((p for p in region if p.text.strip()), None)
            names_itself = opened is None and not begin and first is not None and _OWN_WORDS.search(first.text)
            end = begin + _header(region[begin:], _FIRST_SHARE if names_itself else _FRAME_SHARE)
        if opened not in (None, *_BEGIN):
            begin = _licence(region[:end], 1 if closed is Mark.END else _LEAST_PARAGRAPHS)
        return range(begin, end)


def unframe(text: str, counts: Counter[str]) -> str:
    """The text of the books in `text`, whose lines end in LF. Counts stripped_headers and stripped_footers."""
    paragraphs = list(_paragraphs(text))
    behind = _small_prints_behind(paragraphs)
    kept: set[int] = set()
    headers = {n for n, p in enumerate(paragraphs) if p.mark in _BEGIN and n not in behind}
    footers = {n for n, p in enumerate(paragraphs) if p.mark in (Mark.END, Mark.FILE_NAME)} | behind
    opened, at = None, 0
    for place, mark in [*((n, p.mark) for n, p in enumerate(paragraphs) if p.mark), (len(paragraphs), None)]:
        begun = paragraphs[at:place]
        is_begun = opened is None or at - 1 in behind
        if mark is Mark.FILE_NAME and (opened not in _BEGIN or (is_begun and _opening_header(begun))):
            footers -= {place} if opened in (None, *_BEGIN) else set()
            continue  # a line of a header, or of a licence that has begun
        region = _Region(begun, opened, mark, is_begun, mark in (None, Mark.END) or place in behind)
        book = region.book()
        if book.start and is_begun:
            headers.add(at)
        kept.update(at + n for n in book)
        opened, at = mark, place + 1
    written = {n for n in kept if paragraphs[n].text.strip()}
    if written:
        headers = {n for n in headers - kept if n < max(written)}
        footers = {n for n in footers - kept if n > min(written)}
        for name, marks in (("stripped_headers", headers), ("stripped_footers", footers)):
            for place in marks:
                counts[name] += _is_first(place, marks, written)
    return "".join(p.text for n, p in enumerate(paragraphs) if n in kept)


def _is_first(at: int, marks: set[int], written: set[int]) -> bool:
    """Whether none of `marks` stands between the paragraph `at` and the written one before it."""
    while at and (at := at - 1) not in written:
        if at in marks:
            return False
    return True
