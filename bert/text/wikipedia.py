"""A MediaWiki XML dump -> documents: the articles of the main namespace."""

from __future__ import annotations

import bz2
import re
from collections import Counter
from collections.abc import Iterator
from typing import IO
from urllib.parse import quote
from xml.etree import ElementTree

from bert.text.document import Document
from bert.text.settings import DocumentsSettings
from bert.text.wikitext import passages

# English names work on every wiki, beside the localised ones that the dump's siteinfo lists.
ENGLISH_NAMESPACES = frozenset(
    {"file", "image", "media", "category", "template", "wikipedia", "help", "portal", "special"}
)
_INDEX = re.compile(r"-multistream-index\d*\.txt")


def _local(tag: str) -> str:
    """Tag name without the export schema's namespace, whose version changes."""
    return tag.rpartition("}")[2]


def _child(element: ElementTree.Element, *path: str) -> ElementTree.Element | None:
    current: ElementTree.Element | None = element
    for name in path:
        current = next((e for e in current if _local(e.tag) == name), None) if current is not None else None
    return current


def _text(element: ElementTree.Element, *path: str) -> str:
    found = _child(element, *path)
    return (found.text or "") if found is not None else ""


def articles(dump: IO[bytes], settings: DocumentsSettings, counts: Counter[str]) -> Iterator[Document]:
    """Documents of an open dump, uncompressed XML. Adds to `counts`: pages, and drops as `dropped:<reason>`.

    Raises:
        xml.etree.ElementTree.ParseError: the XML is broken or ends early.
    """
    namespaces = ENGLISH_NAMESPACES
    base = "https://en.wikipedia.org/wiki/"
    root: ElementTree.Element | None = None
    for event, element in ElementTree.iterparse(dump, events=("start", "end")):
        if root is None:
            root = element
        if event == "start":
            continue
        name = _local(element.tag)
        if name == "siteinfo":
            listed = _child(element, "namespaces")
            local = {(e.text or "").lower() for e in listed} if listed is not None else set()
            namespaces = ENGLISH_NAMESPACES | (local - {""})
            base = _text(element, "base").rpartition("/")[0] + "/" if _text(element, "base") else base
        elif name == "page":
            counts["pages"] += 1
            document = _article(element, base, namespaces, settings, counts)
            if document is not None:
                yield document
            root.clear()  # else the finished pages of the whole dump stay in memory


def _article(
    page: ElementTree.Element, base: str, namespaces: frozenset[str], settings: DocumentsSettings, counts: Counter[str]
) -> Document | None:
    wikitext = _text(page, "revision", "text")
    if _text(page, "ns") != "0":
        reason = "not_main_namespace"
    elif _child(page, "redirect") is not None or wikitext.lstrip()[:9].lower() == "#redirect":
        reason = "redirect"
    elif not wikitext.strip():
        reason = "empty_page"
    elif len(wikitext.encode()) > settings.max_page_bytes:
        reason = "page_too_large"
    else:
        kept, dropped = passages(wikitext, namespaces, settings.min_passage_chars)
        counts.update({f"dropped:{reason}": n for reason, n in dropped.items()})
        if kept:
            title = _text(page, "title")
            url = base + quote(title.replace(" ", "_"), safe="/:(),'!*@")
            return Document(f"wikipedia:{_text(page, 'id')}", url, title, "\n".join(kept))
        reason = "no_prose"
    counts[f"dropped:{reason}"] += 1
    return None


def is_index(name: str) -> bool:
    """Whether a file only lists where the pages of a multistream dump are."""
    return _INDEX.search(name) is not None


def open_dump(file: IO[bytes], name: str) -> IO[bytes]:
    """Undo bzip2 where the name says so; multistream files are read through."""
    return bz2.open(file) if name.endswith(".bz2") else file
