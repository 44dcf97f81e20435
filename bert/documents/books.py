"""Books, hard-wrapped plain text as e-text projects publish it -> documents."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import PurePosixPath

from bert.documents.document import Document, Failure
from bert.documents.encodings import HEAD, Undecodable, decode, detect
from bert.documents.frames import unframe
from bert.documents.texts import LINE_END, keep

# Paragraphs of those who made the e-text.
_PRODUCTION = re.compile(
    r"project gutenberg|gutenberg\.(?:org|net)|pgdp\.net|distributed proofread"
    r"|^\W*transcriber[’']?s?[’']? note|^e-?text prepared",
    re.IGNORECASE,
)
_BLANK_LINES = re.compile(r"\n\s*\n\s*")
_ILLUSTRATION = re.compile(r"\[(?:illustration|frontispiece|plate)\b|illustration:", re.IGNORECASE)
_FOOTNOTE = re.compile(r"\[(?:footnote\b|\d{1,3}\]|[A-Z]\])|\(\*\d{1,3}\)", re.IGNORECASE)
_FOOTNOTE_MARK = re.compile(r" ?\[(?:\d{1,3}|[A-Z*])\]| ?\(\*\d{1,3}\)")
_NUMERAL = re.compile(r"\s*(?:(?i:chapter)\b|[IVXLC]+[.):]|[IVXLC]{2,}\s|\d+\b)")
_ENDED = re.compile(r"[.,;:!?\-—–…)\]_*'\"’”»]\s*$")
_DIGIT_END = re.compile(r"\d[.,]?\s*$")
# Longer lines than these are not wrapped: each is a paragraph.
LONGEST_WRAP = 120
# Lines of a paragraph come this near to the width of the wrap, counting the word that did not fit any more.
SLACK = 8


def wrap_width(lines: list[str]) -> int:
    """The width that a text is wrapped at: only one line in twenty is longer."""
    lengths = sorted(len(line) for line in lines)
    return lengths[int(0.95 * len(lengths))] if lengths else 0


def is_wrapped(lines: list[str], width: int) -> bool:
    """Whether at least half of the lines of a paragraph end because the next word did not fit.

    It is nearly all or nearly none: of 42,880 paragraphs of three lines or more in 48 books, 99 lie in between.
    """
    full = sum(len(a) + 1 + len(b.split()[0]) > width - SLACK for a, b in pairwise(lines))
    return 2 * full >= len(lines) - 1


def is_verse(lines: list[str]) -> bool:
    """Whether lines that are not wrapped are verse: they end with points as sentences do, contents and tables don't."""
    ended = sum(bool(_ENDED.search(line)) and not _DIGIT_END.search(line) for line in lines)
    numbered = sum(bool(_NUMERAL.match(line)) for line in lines)
    return 3 * ended >= len(lines) and 2 * numbered <= len(lines)


def join(lines: list[str]) -> str:
    """Lines as one: nothing is put behind a hyphen or a dash, which stand between two words (`north-east`)."""
    text = ""
    for line in lines:
        line = line.strip()
        behind_dash = text.endswith(("-", "—")) and not text.endswith((" -", " —", " --"))
        text += line if behind_dash or not text else f" {line}"
    return text


def _paragraphs(text: str, counts: Counter[str]) -> Iterator[str]:
    width = wrap_width([line.rstrip() for line in text.split("\n") if line.strip()])
    for block in _BLANK_LINES.split(text):
        lines = [line.rstrip() for line in block.split("\n") if line.strip()]
        if not lines:
            continue
        whole = join(lines)
        first = lines[0].lstrip(" _*")
        if width > LONGEST_WRAP:
            yield from lines
        elif _PRODUCTION.search(whole):
            counts["dropped:note_of_the_publisher"] += 1
        elif _ILLUSTRATION.match(first):
            counts["dropped:illustration"] += 1
        elif _FOOTNOTE.match(first):
            counts["dropped:footnote"] += 1
        elif len(lines) == 1 and not _ENDED.search(whole):
            counts["dropped:heading"] += 1
        elif whole.count("|") > 2 or (len(lines) > 1 and not is_wrapped(lines, width) and not is_verse(lines)):
            counts["dropped:contents_or_table"] += 1
        else:
            yield whole


def book(
    data: bytes, name: str, url: str, min_chars: int, counts: Counter[str], encoding: str | None = None
) -> Iterator[Document | Failure]:
    """One document of a whole text file: a passage a paragraph, or a stanza. Or a failure, where that has a reason.

    Args:
        encoding: of `data`; None: what `detect` and `decode` make of it.
    """
    identity, title = f"books:{name}", PurePosixPath(name).stem.replace("_", " ")
    try:
        text = LINE_END.sub("\n", decode(data, counts, encoding or detect(data[:HEAD])))
    except Undecodable as error:
        counts["dropped:mojibake"] += 1
        yield Failure(identity, title, str(error))
        return
    unframed = unframe(text, counts)
    marked = (_FOOTNOTE_MARK.sub("", paragraph) for paragraph in _paragraphs(unframed, counts))
    kept = keep((paragraph.replace("_", "") for paragraph in marked), min_chars, counts)  # italics
    if kept:
        yield Document(identity, url, title, "\n".join(kept))
        return
    counts["dropped:empty_book"] += 1
    if text.strip() and not unframed.strip():
        yield Failure(identity, title, "between the marks of Project Gutenberg's frame stands no text")
