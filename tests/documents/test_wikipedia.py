"""bert/documents/wikipedia.py: a dump's pages -> documents."""

from __future__ import annotations

import io
from collections import Counter

import pytest

from bert.documents import wikipedia as module
from bert.documents import wikitext
from bert.documents.document import Document, Failure
from bert.documents.dumps import Piece, pages, site
from bert.documents.settings import DocumentsSettings
from bert.documents.wikipedia import articles
from tests.corpus import HEAD, TAIL, documents_settings, page

SETTINGS = documents_settings(min_passage_chars=5, max_page_bytes=1000)


def read(xml: str, name: str = "dump.xml") -> tuple[list[Document | Failure], Counter[str]]:
    counts: Counter[str] = Counter()
    data, size = xml.encode(), len(xml.encode())
    head = site(io.BytesIO(data), size)
    found = pages(io.BytesIO(data), Piece(0, size, is_last=True))
    return list(articles(found, head, SETTINGS, counts)), counts


def test_an_article_becomes_a_document() -> None:
    documents, counts = read(HEAD + page(12, "First line.\n\nSecond line.", title="Größe & Maß/1") + TAIL)
    assert documents == [
        Document(
            id="wikipedia:12",
            url="https://de.example.org/wiki/Gr%C3%B6%C3%9Fe_%26_Ma%C3%9F/1",
            title="Größe & Maß/1",
            text="First line.\nSecond line.",
        )
    ]
    assert counts == {"pages": 1, "articles": 1}


def test_what_is_no_article_is_dropped_and_counted_by_reason() -> None:
    xml = HEAD + "".join(
        [
            page(1, "A keeper keeps."),
            page(2, "A template.", namespace=10),
            page(3, "A talk page.", namespace=1),
            page(4, "#WEITERLEITUNG [[Page 1]]", redirect="Page 1"),
            page(5, "#redirect [[Page 1]]"),
            page(6, "  \n"),
            page(7, "* only a list"),
            page(9, "A baker bakes."),
        ]
    )
    documents, counts = read(xml + TAIL)
    assert [d.id for d in documents] == ["wikipedia:1", "wikipedia:9"]
    assert counts == {
        "pages": 8,
        "articles": 3,
        "dropped:not_main_namespace": 2,
        "dropped:redirect": 2,
        "dropped:empty_page": 1,
        "dropped:no_prose": 1,
        "dropped:list_item": 1,
    }


def test_links_into_namespaces_vanish_under_their_local_and_english_names() -> None:
    text = "A keeper [[Datei:A.jpg|mini|Bild]] keeps [[benutzer_diskussion:Anna|x]] a [[Category:B]] mill."
    (kept,), _ = read(HEAD + page(1, text) + TAIL)
    assert isinstance(kept, Document)
    assert kept.text == "A keeper keeps a mill."


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("ä" * 501, "1002 bytes, more than 1000"),
        ("{{" * 21, "markup nested more than 20 deep"),
    ],
)
def test_a_page_over_a_limit_is_a_failure_that_says_which(text: str, reason: str) -> None:
    found, counts = read(HEAD + page(1, text, title="Long") + page(2, "A baker bakes.") + TAIL)
    assert found[0] == Failure("wikipedia:1", "Long", reason)
    assert isinstance(found[1], Document)
    assert counts == {"pages": 2, "articles": 2, "dropped:page_over_a_limit": 1}


def test_an_error_in_one_page_is_a_failure_and_the_next_page_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    real = wikitext.passages

    def fails(source: str, namespaces: frozenset[str], settings: DocumentsSettings) -> object:
        if "worse" in source:
            raise IndexError("no such thing")
        return real(source, namespaces, settings)

    monkeypatch.setattr(module, "passages", fails)
    found, counts = read(HEAD + page(1, "Good or worse.", title="A") + page(2, "A baker bakes.") + TAIL)
    assert found[0] == Failure("wikipedia:1", "A", "IndexError: no such thing")
    assert isinstance(found[1], Document) and counts["dropped:page_failed"] == 1
