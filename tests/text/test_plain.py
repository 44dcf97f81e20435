"""bert/text/plain.py: books and plain text -> documents."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from bert.text.document import Document
from bert.text.plain import book, plain

BODY = "The keeper painted\nthe lamp by\nthe harbour.\n\n  \n\nA baker sold  two\r\nbarrels before noon.\n"
HEADER = "The Project Gutenberg eBook of Lamps\n\nThis book is for anyone.\n\n"
START = "*** START OF THE PROJECT GUTENBERG EBOOK LAMPS ***"
END = "*** END OF THE PROJECT GUTENBERG EBOOK LAMPS ***"
FOOTER = "\n\nSection 1. A long licence that is no part of the book.\n"
PARAGRAPHS = ["The keeper painted the lamp by the harbour.", "A baker sold two barrels before noon."]


def one_book(data: bytes | str, name: str = "lamps.txt") -> tuple[list[Document], Counter[str]]:
    counts: Counter[str] = Counter()
    encoded = data if isinstance(data, bytes) else data.encode()
    return list(book(encoded, name, "https://books.example.org/1", 10, counts)), counts


def lines(text: str | bytes, name: str) -> tuple[list[Document], Counter[str]]:
    counts: Counter[str] = Counter()
    encoded = text if isinstance(text, bytes) else text.encode()
    return list(plain(encoded, name, "https://text.example.org/1", 10, counts)), counts


def test_hard_wrapped_lines_are_joined_to_paragraphs() -> None:
    (document,), counts = one_book(BODY, "old/The_Lamps.txt")
    assert document == Document(
        "books:old/The_Lamps.txt", "https://books.example.org/1", "The Lamps", "\n".join(PARAGRAPHS)
    )
    assert counts == {}


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (START, END),
        (START.replace("THE", "THIS"), END.replace("THE", "THIS")),
        ("***START OF THE PROJECT GUTENBERG EBOOK LAMPS***", "***END OF THE PROJECT GUTENBERG EBOOK LAMPS***"),
        (START, f"End of the Project Gutenberg EBook of Lamps\n\n{END}"),
        (START, f"End of Project Gutenberg's Lamps, by A. Baker\n\n{END}"),
        (START, f"  {END}"),
    ],
)
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_header_and_footer_of_project_gutenberg_are_stripped(start: str, end: str, line_end: str) -> None:
    text = f"\ufeff{HEADER}{start}\n\n{BODY}\n\n{end}{FOOTER}".replace("\r\n", "\n").replace("\n", line_end)
    (document,), _ = one_book(text)
    assert document.passages == PARAGRAPHS


def test_short_paragraphs_and_those_without_lower_case_are_dropped_and_counted() -> None:
    (document,), counts = one_book(f"CHAPTER THE FIRST\n\n* * * * * * * *\n\nShort.\n\n{BODY}")
    assert document.passages == PARAGRAPHS
    assert counts == {"dropped:no_lower_case": 2, "dropped:short_passage": 1}


def test_a_book_without_prose_is_counted() -> None:
    documents, counts = one_book("1 2 3 4 5 6 7 8 9\n")
    assert documents == [] and counts["dropped:empty_book"] == 1


def test_what_is_not_utf_8_is_read_as_windows_1252_and_counted() -> None:
    text = "The café “Harbour” – closed since 1905.\x81"
    (document,), counts = one_book(text.encode("cp1252", errors="ignore") + b"\x81")
    assert document.text == "The café “Harbour” – closed since 1905."  # 0x81 is nothing, there
    assert counts["decoded_as_cp1252"] == 1
    assert one_book(text.encode())[1]["decoded_as_cp1252"] == 0


def test_a_line_of_plain_text_is_a_document() -> None:
    documents, counts = lines("The keeper painted a lamp.\n\n  \nShort.\r\nA baker sold two barrels.", "news/a.txt")
    assert [(d.id, d.url, d.title, d.text) for d in documents] == [
        ("text:news/a.txt:1", "https://text.example.org/1", "", "The keeper painted a lamp."),
        ("text:news/a.txt:5", "https://text.example.org/1", "", "A baker sold two barrels."),
    ]
    assert counts == {"dropped:short_passage": 1, "dropped:empty_line": 1}


def test_a_line_of_json_lines_is_a_document_with_its_own_names() -> None:
    told = [
        {"text": "The keeper painted a lamp.\nA baker sold\r\ntwo barrels of it.", "id": 7, "title": "T", "url": "u"},
        {"text": "A sailor found seven letters.", "id": None, "title": None, "url": None, "more": [1]},
    ]
    documents, _ = lines("\n".join(map(json.dumps, told)) + "\n", "a.jsonl")
    assert documents == [
        Document("text:7", "u", "T", "The keeper painted a lamp.\nA baker sold\ntwo barrels of it."),
        Document("text:a.jsonl:2", "https://text.example.org/1", "", "A sailor found seven letters."),
    ]


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\x85"])
def test_unicode_s_own_line_separators_end_no_line_of_json(separator: str) -> None:
    text = json.dumps({"text": f"The keeper{separator}painted a lamp."}, ensure_ascii=False)
    (document,), _ = lines(text, "a.jsonl")
    assert document.text.split() == "The keeper painted a lamp.".split()


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
