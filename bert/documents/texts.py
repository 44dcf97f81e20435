"""Text in one of its formats (bert/documents/formats.py) -> documents."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from bert.documents.document import Document, Failure
from bert.documents.encodings import Undecodable, decode_lines
from bert.documents.formats import Format
from bert.documents.lines import WHITE
from bert.documents.tidying import tidy

# Not str.splitlines(): a JSON string may hold U+2028 and the like, which are no ends of lines in JSON Lines.
# Copying between systems has made CR CR LF, and LF CR, of one end of a line.
LINE_END = re.compile(r"\r+\n|\n\r(?!\r*\n)|\n|\r")
_OTHERWISE = "; where the lines are no JSON, give their source `format: lines`"
_LOWER = re.compile(r"[^\W\d_A-Z]")


def keep(lines: Iterator[str], min_chars: int, counts: Counter[str]) -> list[str]:
    """The lines that are passages, tidied."""
    kept = []
    for line in lines:
        text = tidy(line)
        if not text:
            continue
        if len(text) < min_chars:
            counts["dropped:short_passage"] += 1
        elif not _LOWER.search(text):  # headings in capitals, rules, tables of numbers
            counts["dropped:no_lower_case"] += 1
        else:
            kept.append(text)
    return kept


def _text_or(value: object, default: str) -> str:
    return default if value is None else str(value)


def _lines(
    file: Iterable[bytes], counts: Counter[str], encoding: str | None
) -> Iterator[tuple[int, str | Undecodable]]:
    """(number, line) of an open file, one at a time: a corpus may be one file of many gigabytes."""
    number = 0
    for decoded in decode_lines(file, counts, encoding):
        if isinstance(decoded, Undecodable):
            yield (number := number + 1), decoded
            continue
        line = decoded[:-1].rstrip("\r") if decoded.endswith("\n") else decoded
        for part in LINE_END.split(line.removeprefix("\r")):  # of an LF CR, whose LF ended the line before
            yield (number := number + 1), part


def _undecodable(number: int, error: Undecodable, counts: Counter[str]) -> Failure:
    counts["dropped:mojibake"] += 1
    return Failure(f"line {number}", "", str(error))


def _document(record: dict[str, Any], kept: list[str], url: str) -> Document:
    text = "\n".join(kept)
    # Not the file's name and the line's number: they change with how a corpus is cut into files.
    identity = _text_or(record.get("id"), hashlib.sha256(text.encode()).hexdigest()[:32])
    return Document(f"text:{identity}", _text_or(record.get("url"), url), _text_or(record.get("title"), ""), text)


def _record(line: str, number: int) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except json.JSONDecodeError as error:
        raise ValueError(f"line {number}: {error.msg} at character {error.colno}{_OTHERWISE}") from None
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, brackets in brackets
        raise ValueError(f"line {number}: {error}{_OTHERWISE}") from None
    if not isinstance(record, dict) or not isinstance(record.get("text"), str):
        has = f"; it has {', '.join(map(repr, record))}" if isinstance(record, dict) else ""
        raise ValueError(f"line {number} is not a JSON object with a `text`{has}{_OTHERWISE}")
    return record


def by_line(
    file: Iterable[bytes], form: Format, url: str, min_chars: int, counts: Counter[str], encoding: str | None = None
) -> Iterator[Document | Failure]:
    """A document a line: of JSON lines its object's `text` (and `id`, `title`, `url`), else the line itself.

    Without an `id` it is a hash of the text, so that the same line is the same document in whatever file it stands.
    A line that cannot be decoded is a failure.

    Raises:
        ValueError: a line of JSON lines that is not an object with a text.
    """
    for number, line in _lines(file, counts, encoding):
        if isinstance(line, Undecodable):
            yield _undecodable(number, line, counts)
            continue
        if not line.strip():
            continue
        record = _record(line, number) if form == "jsonl" else {"text": line}
        if kept := keep(iter(LINE_END.split(record["text"])), min_chars, counts):
            yield _document(record, kept, url)
        else:
            counts["dropped:empty_line"] += 1


def by_empty_line(
    file: Iterable[bytes], url: str, min_chars: int, counts: Counter[str], encoding: str | None = None
) -> Iterator[Document | Failure]:
    """A document between empty lines, of a sentence a line, each of which is a passage, however short it is.

    `min_chars` is asked of the document: its sentences were chosen by whoever made the file.
    """
    sentences: list[str] = []

    def ended() -> Iterator[Document]:
        if not sentences:
            return
        kept = keep(iter(sentences), 1, counts)
        sentences.clear()
        if sum(map(len, kept)) >= min_chars:
            yield _document({}, kept, url)
        else:
            counts["dropped:short_document"] += 1

    for number, line in _lines(file, counts, encoding):
        if isinstance(line, Undecodable):
            yield _undecodable(number, line, counts)
        elif line.strip(WHITE):
            sentences.append(line)
        else:
            yield from ended()
    yield from ended()
