"""benchmarks/copies.py: a corpus of any size out of a small one."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from benchmarks.copies import Copies, changed, pages
from bert.documents.dumps import Piece, cut
from bert.documents.dumps import pages as read_pages
from tests.corpus import HEAD, TAIL, document, multistream, page


@pytest.fixture
def copies(tmp_path: Path) -> Copies:
    texts = [page(n, document(n, passages=6)).replace("<text>", "\n<text>") for n in range(1, 8)]
    (tmp_path / "dump.xml.bz2").write_bytes(multistream(HEAD, *texts, TAIL))
    (tmp_path / "text.txt").write_text("".join(f"{document(n, passages=1)}\n" for n in range(5)))
    (tmp_path / "books").mkdir()
    for n in range(2):
        (tmp_path / f"books/{n}.txt").write_text(document(n))
    return Copies(tmp_path / "dump.xml.bz2", tmp_path / "text.txt", tmp_path / "books", tmp_path / "cache")


def test_words_change_places_and_nothing_else_does() -> None:
    text = document(3, passages=30)
    one, two = changed(text, 1, "a"), changed(text, 2, "a")
    assert changed(text, 0, "a") == text and changed(text, 1, "a") == one
    assert len({text, one, two}) == 3
    assert Counter(text.split()) == Counter(one.split()) and len(one) == len(text)
    assert 0.1 < sum(a != b for a, b in zip(text.split(), one.split(), strict=True)) / len(text.split()) < 0.34


def test_copies_are_as_many_pages_lines_and_books_and_none_repeats_another(copies: Copies, tmp_path: Path) -> None:
    made = copies.write(tmp_path / "three", 3)
    dump, size = made["wikipedia"], made["wikipedia"].stat().st_size
    with open(dump, "rb") as f:
        texts_of = [[e.text for e in p.iter() if e.text] for p in read_pages(f, Piece(0, size, is_last=True))]
    ids = [next(text for text in texts if text.isdigit() and text != "0") for texts in texts_of]
    assert len(texts_of) == len(set(ids)) == 21 and len({texts[-1] for texts in texts_of}) == 21
    assert len(cut(dump, None, 10)) == 5, "the head, a stream a copy, the end"
    lines = made["text"].read_text().splitlines()
    assert len(lines) == 15 and len(set(lines)) > 12
    assert len(list(made["books"].iterdir())) == 6
    assert sum(1 for _ in pages(dump)) == 22


def test_the_first_copy_is_the_source_and_a_share_of_it_its_beginning(copies: Copies, tmp_path: Path) -> None:
    one, few = copies.write(tmp_path / "one", 1), copies.write(tmp_path / "few", 1, most=2)
    assert list(pages(one["wikipedia"])) == list(pages(tmp_path / "dump.xml.bz2"))
    assert list(pages(few["wikipedia"])) == list(pages(one["wikipedia"]))[:3]
    assert one["text"].read_text() == (tmp_path / "text.txt").read_text()
    assert few["text"].read_text().splitlines() == one["text"].read_text().splitlines()[:2]
    assert len(list(few["books"].iterdir())) == 1
