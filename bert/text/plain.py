"""Books and plain text -> documents."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import PurePosixPath

from bert.text.document import Document
from bert.text.tidy import tidy

_GUTENBERG_START = re.compile(r"^\s*\*\*\* ?START OF (?:THE|THIS) PROJECT GUTENBERG.*$", re.MULTILINE | re.IGNORECASE)
_GUTENBERG_END = re.compile(
    r"^\s*(?:\*\*\* ?END OF (?:THE|THIS) PROJECT GUTENBERG|End of (?:the )?Project Gutenberg)", re.M | re.I
)
_BLANK_LINES = re.compile(r"\n[ \t]*\n\s*")
# Not str.splitlines(): a JSON string may hold U+2028 and the like, which are no ends of lines in JSON Lines.
_LINE_END = re.compile(r"\r\n|\n|\r")
_LOWER = re.compile(r"[^\W\d_A-Z]")


def decode(data: bytes, counts: Counter[str]) -> str:
    """UTF-8, else Windows-1252 (what old e-texts are in), counted."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        counts["decoded_as_cp1252"] += 1
        return data.decode("cp1252", errors="replace")


def _keep(lines: Iterator[str], min_chars: int, counts: Counter[str]) -> list[str]:
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


def book(data: bytes, name: str, url: str, min_chars: int, counts: Counter[str]) -> Iterator[Document]:
    """One document of a whole text file: its hard-wrapped lines joined, a passage a paragraph."""
    text = _LINE_END.sub("\n", decode(data, counts))
    if start := _GUTENBERG_START.search(text):
        text = text[start.end() :]
    if end := _GUTENBERG_END.search(text):
        text = text[: end.start()]
    paragraphs = (" ".join(p.split("\n")) for p in _BLANK_LINES.split(text))
    kept = _keep(paragraphs, min_chars, counts)
    if kept:
        yield Document(f"books:{name}", url, PurePosixPath(name).stem.replace("_", " "), "\n".join(kept))
    else:
        counts["dropped:empty_book"] += 1


def _or(value: object, default: str) -> str:
    return default if value is None else str(value)


def plain(data: bytes, name: str, url: str, min_chars: int, counts: Counter[str]) -> Iterator[Document]:
    """A document a line: of a `.jsonl` file its object's `text` (and `id`, `title`, `url`), else the line itself.

    Raises:
        ValueError: a line of a `.jsonl` file that is not an object with a text.
    """
    for number, line in enumerate(_LINE_END.split(decode(data, counts)), start=1):
        if not line.strip():
            continue
        told = {"text": line}
        if name.endswith(".jsonl"):
            try:
                told = json.loads(line)
            except json.JSONDecodeError as error:
                raise ValueError(f"line {number}: {error.msg} at character {error.colno}") from None
            if not isinstance(told, dict) or not isinstance(told.get("text"), str):
                raise ValueError(f"line {number} is not a JSON object with a `text`")
        kept = _keep(iter(_LINE_END.split(told["text"])), min_chars, counts)
        if kept:
            identity = _or(told.get("id"), f"{name}:{number}")
            yield Document(f"text:{identity}", _or(told.get("url"), url), _or(told.get("title"), ""), "\n".join(kept))
        else:
            counts["dropped:empty_line"] += 1
