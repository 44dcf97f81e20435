"""The formats of a text: which one a file has, by what it begins with.

lines   a document a line
jsonl   a JSON object a line: `text`, and where known `id`, `title`, `url`
bert    as BERT's create_pretraining_data.py reads it: a sentence a line, an empty line between documents
"""

from __future__ import annotations

import json
import re
from itertools import groupby, islice
from typing import Literal

from bert.documents.signatures import markup

Format = Literal["lines", "jsonl", "bert"]
_JSON_NAME = re.compile(r"\.(?:json|jsonl|ndjson|jl)$", re.IGNORECASE)
_ARRAY = re.compile(r"\s*\[\s*(?:[\[{\"\]]|-?\d|true|false|null|$)")
_STRING = r'"(?:[^"\\\n]|\\.)*"'
_CUT_OBJECT = re.compile(rf"\s*\{{\s*{_STRING}\s*:")
# Without a name that says JSON: what no prose begins with, as it may with [1] or ["Why," he said]. Python writes
# a dict with other quotation marks.
_OBJECT = re.compile(rf"\s*\{{\s*(?:{_STRING}|'(?:[^'\\\n]|\\.)*')\s*:")
_NEXT = r"(?:[\"\[{\d-]|true\b|false\b|null\b|$)"
_ARRAY_OF_TEXT = re.compile(
    rf"\s*\[(?:\s*\[){{0,3}}\s*(?:\{{\s*[\"'}}]|\{{\s*$|{_STRING}\s*(?:,\s*{_NEXT}|\]\s*(?:[\],]|\n|$)))"
)
_ONE_ARRAY = "it is one JSON array; expected a JSON object a line (jq -c '.[]' makes it)"
_NO_OBJECT_A_LINE = (
    "it is no JSON object a line (jq -c . makes it of objects that are spread over lines, or have others beside them)"
)


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


def _is_array_a_line(head: str) -> bool:
    """Whether the first two lines are arrays, and hold more than numbers."""
    begun = list(islice((line for line in head.split("\n") if line.strip()), 2))
    try:
        values = [json.loads(line) for line in begun]
    except (ValueError, RecursionError):
        return False
    return len(values) == 2 and all(
        isinstance(v, list) and any(isinstance(w, str | list | dict) for w in v) for v in values
    )


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
            raise ValueError(_ONE_ARRAY)
        if not name.lower().endswith(".jsonl"):
            raise ValueError(_NO_OBJECT_A_LINE)
        return "jsonl"  # whose first line is told by the worker that reads it
    if _is_array_a_line(head):
        raise ValueError("it is a JSON array a line; expected a JSON object with a `text` a line")
    if _ARRAY_OF_TEXT.match(head):
        raise ValueError(_ONE_ARRAY)
    if _OBJECT.match(head):
        raise ValueError(_NO_OBJECT_A_LINE)
    return "lines"


def looks_like_bert(head: str) -> bool:
    """Whether lines stand in groups of two and more (on the average) between empty lines, as sentences of documents."""
    by_line = groupby(head.split("\n"), lambda line: not line.strip())
    groups = [len(list(lines)) for is_empty, lines in by_line if not is_empty]
    return len(groups) > 1 and sum(groups) >= 2 * len(groups)
