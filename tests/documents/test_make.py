"""bert/documents/make.py: the files of books and texts -> JSON lines, on Beam in this process."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
from pathlib import Path

import pytest

from bert.documents import items
from bert.documents.make import make_documents
from bert.pipeline import manifest
from bert.pipeline.errors import StageError
from tests.corpus import HEAD, document
from tests.documents.downloaded import SETTINGS, Corpus, books, jsonl, text
from tests.project import files


@books
def test_each_file_of_books_is_a_document(corpus: Corpus) -> None:
    documents = corpus(
        a_txt=document(1).replace("\n", "\n\n"), b_txt=document(2).encode("cp1252") + "é à la".encode("cp1252")
    )
    assert [d["id"] for d in documents] == ["books:a.txt", "books:b.txt"]
    assert documents[0]["text"] == document(1)
    assert corpus.metrics["decoded_as_cp1252"] == 1


@text
def test_each_line_of_text_is_a_document(corpus: Corpus) -> None:
    lines = [{"id": n, "text": document(n)} for n in (1, 2)]
    documents = corpus(a_txt=document(3), b_jsonl="\n".join(map(json.dumps, lines)))
    assert [d["text"] for d in documents] == [*document(3).split("\n"), document(1), document(2)]
    assert [d["id"] for d in documents[3:]] == ["text:1", "text:2"] and len({d["id"] for d in documents}) == 5


@text
def test_a_malformed_line_names_file_and_line(corpus: Corpus) -> None:
    with pytest.raises(StageError, match=r"text: b\.jsonl .*line 2: Expecting value") as caught:
        corpus(a_txt=document(3), b_jsonl='{"text": "' + document(1).replace("\n", " ") + '"}\nneither here\n')
    assert "download@text" in str(caught.value.run)
    assert files(corpus.out) == {}


@text
def test_many_items_read_one_text_and_the_documents_are_the_same(
    corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    contents = {"a_jsonl": jsonl(range(40)), "b_jsonl": jsonl(range(40, 44)), "c_jsonl": ""}
    whole = corpus(**contents)
    assert len(list(corpus.out.glob("documents-*"))) == 1
    monkeypatch.setattr(items, "LEAST_ITEM_BYTES", 2000)
    cut = Corpus(tmp_path / "cut", "text")
    assert cut(**contents) == whole and len(whole) == 44
    sizes = [path.stat().st_size for path in cut.out.glob("documents-*")]
    assert len(sizes) > 4 and max(sizes) < 4000
    assert cut.metrics == corpus.metrics and cut.metrics["files"] == 3


@text
def test_a_malformed_line_of_a_large_file_is_told_with_its_place(
    corpus: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(items, "LEAST_ITEM_BYTES", 2000)
    message = r"text: b\.jsonl .* cannot be read from byte [0-9]+ on: line [0-9]+ is not a JSON object with a `text`"
    with pytest.raises(StageError, match=message):
        corpus(b_jsonl=jsonl(range(40)) + '{"txt": "x"}\n' + jsonl(range(1)) * 8)
    assert files(corpus.out) == {}


@pytest.mark.parametrize("corpus", ["books", "text"], indirect=True)
@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (gzip.compress(b"The keeper."), "packed by gzip; unpack it"),
        (bz2.compress(b"The keeper."), "packed by bzip2; unpack it"),
        (lzma.compress(b"The keeper."), "packed by xz; unpack it"),
        (b"\x28\xb5\x2f\xfd\x04\x00", "packed by zstd; unpack it"),
        (b"7z\xbc\xaf\x27\x1c\x00\x04", "a 7z archive; expected text"),
        (b"PK\x03\x04" + bytes(26), r"a ZIP archive .*; expected text"),
        (b"PK\x03\x04" + bytes(26) + b"mimetypeapplication/epub+zip", "an EPUB e-book; expected text"),
        (b"%PDF-1.7\n", "a PDF; expected text"),
        (rb"{\rtf1 The keeper.}", "RTF; expected text"),
        (b"<!DOCTYPE html>\n<html><p>The keeper.</p></html>", "an HTML page; expected plain text"),
        (b"\xef\xbb\xbf<?xml version='1.0'?>\n<TEI><p>The keeper.</p></TEI>", r"XML \(<TEI>\); expected plain text"),
        (HEAD.encode(), r"XML \(<mediawiki>\); expected plain text"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "a pointer of Git LFS"),
        (bytes(range(256)) * 9, "has NUL bytes and is no UTF-16; expected text"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",  # gzip's bytes have the time in them
)
@pytest.mark.parametrize("name", ["a_txt", "without-a-suffix"])
def test_what_is_no_text_is_told_whatever_its_name(corpus: Corpus, data: bytes, reason: str, name: str) -> None:
    file = name.replace("_", ".")
    with pytest.raises(StageError, match=rf"{corpus.corpus}: {file} .* cannot be read: it (is )?{reason}"):
        corpus(**{name: data}, b_txt=document(1))
    assert files(corpus.out) == {}


@books
@pytest.mark.parametrize("name", ["a_txt", "a_json"])
def test_json_among_books_is_no_book_of_braces(corpus: Corpus, name: str) -> None:
    with pytest.raises(StageError, match=r"it is JSON, an object a line; .* under download\.text"):
        corpus(**{name: jsonl(range(3))})
    with pytest.raises(StageError, match="it is one JSON array"):
        corpus(**{name: json.dumps([{"text": document(1)}])})


@books
def test_all_files_that_are_no_books_are_told_at_once(corpus: Corpus) -> None:
    with pytest.raises(StageError, match=r"b\.txt .* it is a PDF; .*; nor can c\.txt, d\.txt") as caught:
        corpus(a_txt=document(1), b_txt=b"%PDF-1", c_txt=gzip.compress(b""), d_txt=b"<html>")
    assert caught.value.run == "replace the files, then dvc repro -f download@books && dvc repro"


@text
def test_a_truncated_download_is_noticed(corpus: Corpus) -> None:
    corpus(a_txt=document(3))
    (corpus.source / "a.txt").write_text("cut")
    with pytest.raises(StageError, match=r"a\.txt: 3 bytes, expected") as caught:
        make_documents("text", corpus.source, SETTINGS, corpus.place, corpus.out)
    assert caught.value.run == "dvc repro download@text"


@books
def test_small_files_share_an_output_and_large_ones_do_not(corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(items, "LEAST_ITEM_BYTES", 1000)
    contents = {f"{n}_txt": document(n).replace("\n", "\n\n") for n in range(8)} | {"9_txt": document(9, passages=20)}
    documents = corpus(**contents)
    entries = manifest.read(corpus.out, "x")["files"]
    sizes = [(corpus.source / name.replace("_", ".")).stat().st_size for name in contents]
    assert 1 < len(entries) < 9 and sum(e["documents"] for e in entries) == 9
    assert sizes[-1] > 1000 and entries[-1]["documents"] == 1
    assert [d["id"] for d in documents] == [f"books:{n}.txt" for n in (*range(8), 9)]
