"""bert/documents/texts.py: plain text and JSON lines -> documents."""

from __future__ import annotations

import hashlib
import io
import json
import tracemalloc
from collections import Counter

import pytest

from bert.documents.document import Document
from bert.documents.formats import Format
from bert.documents.texts import by_empty_line, by_line


def lines(text: str | bytes, name: str) -> tuple[list[Document], Counter[str]]:
    counts: Counter[str] = Counter()
    encoded = text if isinstance(text, bytes) else text.encode()
    form: Format = "jsonl" if name.endswith(".jsonl") else "lines"
    found = list(by_line(io.BytesIO(encoded), form, "https://text.example.org/1", 10, counts))
    return [document for document in found if isinstance(document, Document)], counts


def by_hash(text: str) -> str:
    return "text:" + hashlib.sha256(text.encode()).hexdigest()[:32]


def test_a_line_of_plain_text_is_a_document() -> None:
    documents, counts = lines("The keeper painted a lamp.\n\n  \nShort.\r\nA baker sold two barrels.", "news/a.txt")
    assert [(d.id, d.url, d.title, d.text) for d in documents] == [
        (by_hash("The keeper painted a lamp."), "https://text.example.org/1", "", "The keeper painted a lamp."),
        (by_hash("A baker sold two barrels."), "https://text.example.org/1", "", "A baker sold two barrels."),
    ]
    assert counts == {"dropped:short_passage": 1, "dropped:empty_line": 1}


def test_a_line_of_json_lines_is_a_document_with_its_own_names() -> None:
    records = [
        {"text": "The keeper painted a lamp.\nA baker sold\r\ntwo barrels of it.", "id": 7, "title": "T", "url": "u"},
        {"text": "A sailor found seven letters.", "id": None, "title": None, "url": None, "more": [1]},
    ]
    documents, _ = lines("\n".join(map(json.dumps, records)) + "\n", "a.jsonl")
    sailor = "A sailor found seven letters."
    assert documents == [
        Document("text:7", "u", "T", "The keeper painted a lamp.\nA baker sold\ntwo barrels of it."),
        Document(by_hash(sailor), "https://text.example.org/1", "", sailor),
    ]


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\x85"])
def test_unicode_s_own_line_separators_end_no_line_of_json(separator: str) -> None:
    text = json.dumps({"text": f"The keeper{separator}painted a lamp."}, ensure_ascii=False)
    (document,), _ = lines(text, "a.jsonl")
    # ftfy reads a lone \x85 as what it is in Windows-1252: an ellipsis.
    assert document.text.replace("…", " ").split() == "The keeper painted a lamp.".split()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"text": "cut sh', "line 3: Unterminated string .* character 10"),
        ('["a list"]', "line 3 is not a JSON object with a `text`"),
        ('{"title": "A"}', "line 3 is not a JSON object with a `text`"),
        ('{"text": 5}', "line 3 is not a JSON object with a `text`"),
    ],
)
def test_a_malformed_line_is_told_by_its_number(line: str, message: str) -> None:
    good = json.dumps({"text": "The keeper painted a lamp."})
    with pytest.raises(ValueError, match=message):
        lines(f"{good}\n\n{line}\n{good}\n", "a.jsonl")


def test_text_that_utf_8_cannot_hold_is_left_out() -> None:
    (document,), _ = lines('{"text": "Half a \\ud83d pair of characters."}', "a.jsonl")
    assert document.to_json()
    assert document.text == "Half a pair of characters."


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_every_kind_of_line_end_ends_a_line(line_end: str) -> None:
    documents, _ = lines(line_end.join(["The keeper painted.", "", "A baker sold two.", ""]), "a.txt")
    assert [d.text for d in documents] == ["The keeper painted.", "A baker sold two."]


def test_a_line_in_another_encoding_is_counted_and_the_others_stay() -> None:
    text = "The café is closed.".encode() + b"\n" + "The café is open.".encode("cp1252") + b"\n"
    documents, counts = lines(text, "a.txt")
    assert [d.text for d in documents] == ["The café is closed.", "The café is open."]
    assert counts == {"decoded_as_cp1252": 1}


def test_a_large_file_is_read_line_by_line() -> None:
    file = io.BytesIO(b"The keeper painted a lamp by the harbour.\n" * 20_000)
    tracemalloc.start()
    assert sum(1 for _ in by_line(file, "lines", "u", 10, Counter())) == 20_000
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < len(file.getvalue()) / 10
