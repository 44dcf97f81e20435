"""The formats of a text: which one a file has, by what it begins with.

lines   a document a line
jsonl   a JSON object a line: `text`, and where known `id`, `title`, `url`
bert    as BERT's create_pretraining_data.py reads it: a sentence a line, an empty line between documents
"""

from __future__ import annotations

import json
import re
from itertools import groupby
from typing import Literal

from bert.documents.signatures import markup

Format = Literal["lines", "jsonl", "bert"]
_JSON_NAME = re.compile(r"\.(?:json|jsonl|ndjson|jl)$", re.IGNORECASE)
_ARRAY = re.compile(r"\s*\[\s*(?:[\[{\"\]]|-?\d|true|false|null|$)")
_CUT_OBJECT = re.compile(r'\s*\{\s*"(?:[^"\\]|\\.)*"\s*:')


def _first_line(head: str) -> tuple[str, bool]:
    """The first line of `head` that is not empty, and whether it is whole."""
    begun = head.lstrip()
    line, end, _ = begun.partition("\n")
    return line, bool(end)


def _is_object(line: str, is_whole: bool) -> bool:
    if not is_whole and _CUT_OBJECT.match(line):
        return True
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _is_array(head: str) -> bool:
    line, _ = _first_line(head)
    try:
        return isinstance(json.loads(line), list)
    except (ValueError, RecursionError):
        return _ARRAY.match(head) is not None


def format_of(head: str, name: str) -> Format:
    """The format of a text that begins with `head`: `jsonl` where its first line is a JSON object, else `lines`.

    Raises:
        ValueError: it is JSON, but not an object a line; or markup.
    """
    if kind := markup(head):
        raise ValueError(f"it is {kind}; expected plain text, or a JSON object a line")
    if _is_object(*_first_line(head)):
        return "jsonl"
    if _JSON_NAME.search(name) and head.strip():
        if _is_array(head):
            raise ValueError("it is one JSON array; expected a JSON object a line (jq -c '.[]' makes it)")
        if not name.lower().endswith(".jsonl"):
            raise ValueError("it is no JSON object a line (jq -c . makes it of one that is spread over lines)")
        return "jsonl"  # whose first line is told by the worker that reads it
    if _is_array(head) and "{" in head[:200]:
        raise ValueError("it is one JSON array; expected a JSON object a line (jq -c '.[]' makes it)")
    return "lines"


def looks_like_bert(head: str) -> bool:
    """Whether lines stand in groups of two and more (on the average) between empty lines, as sentences of documents."""
    by_line = groupby(head.split("\n"), lambda line: not line.strip())
    groups = [len(list(lines)) for is_empty, lines in by_line if not is_empty]
    return len(groups) > 1 and sum(groups) >= 2 * len(groups)
