"""A small corpus in our own words: sentences from a grammar, so that no text of others is in the tests."""

from __future__ import annotations

import bz2
import re
from typing import Any
from xml.sax.saxutils import escape

import numpy as np

from bert.documents.settings import DocumentsSettings
from bert.tokens.vocabulary import SPECIAL_PIECES

WHO = "the old keeper;a young baker;her tall neighbour;the quiet clerk;every sailor;my third cousin".split(";")
DID = "painted;carried;forgot;repaired;sold;measured;found".split(";")
WHAT = "a wooden ladder;the green lamp;two heavy barrels;his only coat;seven letters;the broken clock".split(";")
WHERE = "by the harbour;before noon;near the mill;in early spring;without a word;behind the school".split(";")

LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
PIECES = [
    *SPECIAL_PIECES,
    *sorted({word for phrase in (*WHO, *DID, *WHAT, *WHERE) for word in phrase.split()}),
    *".,!?'-",
    *LETTERS,
    *(f"##{letter}" for letter in LETTERS if letter != "a"),
]
"""A vocabulary of its words and letters; no ##a, so that a few words are unknown. ("a" is one of the words.)"""
PIECES = list(dict.fromkeys(PIECES))


def sentence(rng: np.random.Generator) -> str:
    who, did, what, where = (str(rng.choice(words)) for words in (WHO, DID, WHAT, WHERE))
    return f"{who[0].upper()}{who[1:]} {did} {what} {where}."


def document(number: int, passages: int = 3) -> str:
    """Passages, a line each; the same for the same number."""
    rng = np.random.default_rng(number)
    return "\n".join(" ".join(sentence(rng) for _ in range(int(rng.integers(1, 5)))) for _ in range(passages))


def page(number: int, text: str, title: str | None = None, namespace: int = 0, redirect: str = "") -> str:
    """A <page> of a MediaWiki export."""
    target = f'<redirect title="{redirect}" />' if redirect else ""
    return (
        f"<page><title>{escape(title or f'Page {number}')}</title><ns>{namespace}</ns><id>{number}</id>{target}"
        f"<revision><id>{number + 900}</id><text>{escape(text)}</text></revision></page>\n"
    )


HEAD = (
    '<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/" version="0.11"><siteinfo>'
    "<base>https://de.example.org/wiki/Start</base><namespaces><namespace key='0' />"
    "<namespace key='6'>Datei</namespace><namespace key='3'>Benutzer Diskussion</namespace></namespaces></siteinfo>\n"
)
TAIL = "</mediawiki>\n"


def index_of(*streams: str) -> bytes:
    """The index of `multistream(HEAD, *streams, TAIL)`: offset, page id and title of every page."""
    lines, offset = [], len(bz2.compress(HEAD.encode()))
    for stream in streams:
        for title, number in re.findall(r"<title>(.*?)</title><ns>\d+</ns><id>(\d+)</id>", stream):
            lines.append(f"{offset}:{number}:{title}\n")
        offset += len(bz2.compress(stream.encode()))
    return "".join(lines).encode()


def documents_settings(**changes: Any) -> DocumentsSettings:
    """Settings for small texts."""
    given: dict[str, Any] = {
        "min_passage_chars": 1,
        "max_page_bytes": 10_000,
        "max_page_nodes": 1000,
        "max_page_depth": 20,
        "max_error_rate": 0.0,
        "tail_sections": ("see also", "notes", "references"),
        "language_variant": None,
    }
    return DocumentsSettings(**(given | changes))


def multistream(*streams: str) -> bytes:
    """Each part compressed by itself, one behind the other, as multistream dumps are."""
    return b"".join(bz2.compress(stream.encode()) for stream in streams)
