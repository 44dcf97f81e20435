"""Plain text and JSON lines -> documents."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator

from bert.documents.document import Document
from bert.documents.encodings import decode
from bert.documents.tidying import tidy

# Not str.splitlines(): a JSON string may hold U+2028 and the like, which are no ends of lines in JSON Lines.
LINE_END = re.compile(r"\r\n|\n|\r")
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


def _lines(file: Iterable[bytes], counts: Counter[str]) -> Iterator[str]:
    """Lines of an open file, one at a time: a corpus may be one file of many gigabytes."""
    for raw in file:
        line = decode(raw, counts)
        yield from LINE_END.split(line.removesuffix("\n").removesuffix("\r") if line.endswith("\n") else line)


def plain(file: Iterable[bytes], name: str, url: str, min_chars: int, counts: Counter[str]) -> Iterator[Document]:
    """A document a line: of a `.jsonl` file its object's `text` (and `id`, `title`, `url`), else the line itself.

    Without an `id` it is a hash of the text, so that the same line is the same document in whatever file it stands.

    Raises:
        ValueError: a line of a `.jsonl` file that is not an object with a text.
    """
    for number, line in enumerate(_lines(file, counts), start=1):
        if not line.strip():
            continue
        record = {"text": line}
        if name.endswith(".jsonl"):
            try:
                record = json.loads(line)
            except json.JSONDecodeError as error:
                raise ValueError(f"line {number}: {error.msg} at character {error.colno}") from None
            if not isinstance(record, dict) or not isinstance(record.get("text"), str):
                raise ValueError(f"line {number} is not a JSON object with a `text`")
        kept = keep(iter(LINE_END.split(record["text"])), min_chars, counts)
        if kept:
            text = "\n".join(kept)
            # Not the file's name and the line's number: they change with how a corpus is cut into files.
            identity = _text_or(record.get("id"), hashlib.sha256(text.encode()).hexdigest()[:32])
            source, title = _text_or(record.get("url"), url), _text_or(record.get("title"), "")
            yield Document(f"text:{identity}", source, title, text)
        else:
            counts["dropped:empty_line"] += 1
