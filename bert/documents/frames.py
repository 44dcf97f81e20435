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
from itertools import groupby

_OF_THE_PROJECT = r"(?:\s+[\w’']+){0,4}?\s+proje\w+\s+gutenberg"


class Mark(Enum):
    """What a paragraph of a frame says; the first that fits. In the languages that are known to have said it."""

    SMALL_PRINT_END = re.compile(r"[ \t]*\*+[ \t]*END[ \t]*\*?[ \t]*(?:THE[ \t]+)?SMALL PRINT", re.IGNORECASE)
    SMALL_PRINT = re.compile(
        r"[ \t]*\*+[ \t]*(?:START[ \t*]*)?(?:THE[ \t]+)?[\"“]?(?:LEGAL SMALL PRINT\*|SMALL PRINT!)", re.IGNORECASE
    )
    START = re.compile(
        rf"[ \t*]*(?:start|begin(?:n|ning)?|anfang|d[ée]but|in[ií]cio|inizio|comienzo)\b{_OF_THE_PROJECT}",
        re.IGNORECASE,
    )
    END = re.compile(
        rf"[ \t*]*(?:(?:the\s+)?end|ende|fine?|fim|final|einde|slut|loppu)\b{_OF_THE_PROJECT}"
        r"|[ \t*]*ende\s+dieses\s+e-?(?:text|book)",
        re.IGNORECASE,
    )
    FILE_NAME = re.compile(r"[ \t]*\*{3,}[ \t]*This file should be named ", re.IGNORECASE)


_BEGIN = (Mark.START, Mark.SMALL_PRINT_END)
# A mark with stars may stand beside text without an empty line; one without them is a paragraph.
_STAR, _CLOSED = re.compile(r"[ \t]*\*"), re.compile(r"\*[ \t]*$")
_LONGEST_MARK = 4  # lines
_GOES_ON = re.compile(r"\w.*\*{3}[ \t]+\w", re.DOTALL)  # a sentence that quotes a mark
# Words that only frames have, and words that these have more often than books.
_OWN = r"gutenberg|small print!|\be-?texts?\b|\be-?books?\b|this file should be named"
_OWN_WORDS = re.compile(_OWN, re.IGNORECASE)
_WORDS = re.compile(
    rf"{_OWN}|copyright|licen[cs]e|trademark|public domain|donation|royalt(?:y|ies)|electronic"
    r"|^\W*section \d+\.|^\W*(?:title|author|editor|translator|illustrator|(?:release |posting )?date|language|edition"
    r"|credits|produced by|character set[\w ]*|original publication|most recently updated)\W*:",
    re.IGNORECASE,
)
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


def _book(region: Sequence[_Paragraph], opened: Mark | None, closed: Mark | None) -> range:
    """Which paragraphs between two marks are a book's."""
    if opened is Mark.SMALL_PRINT and closed is Mark.SMALL_PRINT_END:
        return range(0)
    end = len(region)
    if closed not in (None, Mark.END):
        first = next((p for p in region if p.text.strip()), None)
        names_itself = opened is None and first is not None and _OWN_WORDS.search(first.text)
        end = _header(region, _FIRST_SHARE if names_itself else _FRAME_SHARE)
    begin = 0
    if opened not in (None, *_BEGIN):
        begin = _licence(region[:end], 1 if closed is Mark.END else _LEAST_PARAGRAPHS)
    return range(begin, end)


def unframe(text: str, counts: Counter[str]) -> str:
    """The text of the books in `text`, whose lines end in LF. Counts stripped_headers and stripped_footers."""
    paragraphs = list(_paragraphs(text))
    kept: set[int] = set()
    opened, at = None, 0
    for place, mark in [*((n, p.mark) for n, p in enumerate(paragraphs) if p.mark), (len(paragraphs), None)]:
        if mark is Mark.FILE_NAME and opened not in _BEGIN:
            continue  # a line of a header, or of a licence that has begun
        kept.update(at + n for n in _book(paragraphs[at:place], opened, mark))
        opened, at = mark, place + 1
    written = {n for n in kept if paragraphs[n].text.strip()}
    if written:
        for n, paragraph in enumerate(paragraphs):
            if paragraph.mark in _BEGIN and n not in kept and n < max(written):
                counts["stripped_headers"] += _is_first(n, paragraphs, written, _BEGIN)
            elif paragraph.mark in (Mark.END, Mark.FILE_NAME) and n not in kept and n > min(written):
                counts["stripped_footers"] += _is_first(n, paragraphs, written, (Mark.END, Mark.FILE_NAME))
    return "".join(p.text for n, p in enumerate(paragraphs) if n in kept)


def _is_first(at: int, paragraphs: Sequence[_Paragraph], written: set[int], marks: tuple[Mark, ...]) -> bool:
    """Whether none of `marks` stands between the paragraph `at` and the written one before it."""
    while at and (at := at - 1) not in written:
        if paragraphs[at].mark in marks:
            return False
    return True
