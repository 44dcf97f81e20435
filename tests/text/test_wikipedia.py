"""bert/text/wikipedia.py: a dump's pages -> documents."""

from __future__ import annotations

import io
import tracemalloc
from collections import Counter
from xml.etree.ElementTree import ParseError

import pytest

from bert.text.document import Document
from bert.text.settings import DocumentsSettings
from bert.text.wikipedia import articles, open_dump
from tests.corpus import HEAD, TAIL, document, multistream, page

SETTINGS = DocumentsSettings(min_passage_chars=5, max_page_bytes=1000)


def read(xml: str | bytes, name: str = "dump.xml") -> tuple[list[Document], Counter[str]]:
    counts: Counter[str] = Counter()
    data = xml if isinstance(xml, bytes) else xml.encode()
    return list(articles(open_dump(io.BytesIO(data), name), SETTINGS, counts)), counts


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
    assert counts == {"pages": 1}


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
            page(8, "A long page. " * 100),
            page(9, "A baker bakes."),
        ]
    )
    documents, counts = read(xml + TAIL)
    assert [d.id for d in documents] == ["wikipedia:1", "wikipedia:9"]
    assert counts == {
        "pages": 9,
        "dropped:not_main_namespace": 2,
        "dropped:redirect": 2,
        "dropped:empty_page": 1,
        "dropped:no_prose": 1,
        "dropped:list_item": 1,
        "dropped:page_too_large": 1,
    }


def test_links_into_namespaces_vanish_under_their_local_and_english_names() -> None:
    text = "A keeper [[Datei:A.jpg|mini|Bild]] keeps [[benutzer_diskussion:Anna|x]] a [[Category:B]] mill."
    (kept,), _ = read(HEAD + page(1, text) + TAIL)
    assert kept.text == "A keeper keeps a mill."


def test_every_stream_of_a_multistream_dump_is_read() -> None:
    pages = [page(n, document(n)) for n in range(1, 10)]
    dump = multistream(HEAD, *("".join(pages[first : first + 2]) for first in range(0, 9, 2)), TAIL)
    documents, _ = read(dump, "dump.xml.bz2")
    assert [d.id for d in documents] == [f"wikipedia:{n}" for n in range(1, 10)]
    assert documents == read(HEAD + "".join(pages) + TAIL)[0]


def test_a_dump_that_ends_early_is_an_error() -> None:
    with pytest.raises(ParseError, match="no element found"):
        read(HEAD + page(1, "A keeper keeps."))


def test_finished_pages_do_not_stay_in_memory() -> None:
    xml = io.BytesIO((HEAD + "".join(page(n, f"A keeper keeps {n}. " * 40) for n in range(500)) + TAIL).encode())
    tracemalloc.start()
    assert sum(1 for _ in articles(xml, SETTINGS, Counter())) == 500
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < len(xml.getvalue()) / 2
