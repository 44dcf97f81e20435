"""bert/documents/texts.py: plain text and JSON lines -> documents."""

from __future__ import annotations

import hashlib
import io
import json
import tracemalloc
from collections import Counter

import pytest

from bert.documents.document import Document, Failure
from bert.documents.formats import Format
from bert.documents.texts import by_empty_line, by_line
from tests.documents.languages import RUSSIAN


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
        (f'{{"text": "x", "n": {"[" * 100_000}', "line 3: .*recursion"),
        (f'{{"text": "x", "n": {"9" * 5000}}}', "line 3: .*4300 digits"),
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


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r", "\r\r\n", "\n\r"])
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


BERT = """
The keeper painted a lamp.
He sold it.
NO!

\x20\t
A baker, who was deaf,
sold two barrels.\r

Hm.

"""


def by_empty_lines(text: str | bytes, encoding: str | None = None) -> tuple[list[Document | Failure], Counter[str]]:
    counts: Counter[str] = Counter()
    encoded = text if isinstance(text, bytes) else text.encode()
    return list(by_empty_line(io.BytesIO(encoded), "https://text.example.org/1", 10, counts, encoding)), counts


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r", "\r\r\n", "\n\r"])
def test_a_text_between_empty_lines_is_a_document_with_a_passage_a_line(line_end: str) -> None:
    documents, counts = by_empty_lines(BERT.replace("\r", "").replace("\n", line_end))
    texts = ["The keeper painted a lamp.\nHe sold it.", "A baker, who was deaf,\nsold two barrels."]
    assert documents == [Document(by_hash(text), "https://text.example.org/1", "", text) for text in texts]
    assert counts == {"dropped:no_lower_case": 1, "dropped:short_document": 1}


@pytest.mark.parametrize("encoding", ["utf-16", "cp1251"])
def test_documents_between_empty_lines_are_read_in_a_named_encoding(encoding: str) -> None:
    found, _ = by_empty_lines(f"{RUSSIAN}\n\n{RUSSIAN}\n{RUSSIAN}".encode(encoding), encoding)
    assert [document.passages for document in found if isinstance(document, Document)] == [[RUSSIAN], [RUSSIAN] * 2]


def test_a_line_that_cannot_be_decoded_is_a_failure_and_the_others_stay() -> None:
    data = b"The keeper painted a lamp.\n" + RUSSIAN.encode("cp1251") + b"\nA baker sold two barrels.\n"
    counts: Counter[str] = Counter()
    first, failure, last = by_line(io.BytesIO(data), "lines", "u", 10, counts)
    assert [d.text for d in (first, last) if isinstance(d, Document)] == [
        "The keeper painted a lamp.",
        "A baker sold two barrels.",
    ]
    assert isinstance(failure, Failure) and failure.id == "line 2"
    assert "Ðåêà" in failure.reason and "name the `encoding` of its source" in failure.reason
    assert counts == {"dropped:mojibake": 1}
    found, counts = by_empty_lines(data)
    assert [type(f) for f in found] == [Failure, Document] and counts == {"dropped:mojibake": 1}


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-32"])
def test_json_lines_are_read_in_a_wide_encoding(encoding: str) -> None:
    records = [{"text": RUSSIAN, "id": n} for n in range(3)]
    data = "\n".join(json.dumps(record, ensure_ascii=False) for record in records).encode(encoding)
    found = by_line(io.BytesIO(data), "jsonl", "u", 10, Counter(), encoding)
    assert [(d.id, d.text) for d in found if isinstance(d, Document)] == [(f"text:{n}", RUSSIAN) for n in range(3)]


def test_an_object_without_a_text_is_told_with_what_it_has() -> None:
    with pytest.raises(ValueError, match=r"it has 'content', 'n'; where the lines are no JSON, .*`format: lines`"):
        lines('{"content": "The keeper", "n": 1}', "a.jsonl")


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r", "\r\r\n", "\n\r"])
def test_lines_are_counted_as_an_editor_shows_them(line_end: str) -> None:
    with pytest.raises(ValueError, match=r"^line 3 is not"):
        lines(line_end.join([json.dumps({"text": "The keeper painted."}), "", "5", ""]), "a.jsonl")
