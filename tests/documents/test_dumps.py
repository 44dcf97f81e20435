"""bert/documents/dumps.py: where a dump may be cut, and what its pieces hold."""

from __future__ import annotations

import bz2
import io
import tracemalloc
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError

import pytest

from bert.documents.dumps import Piece, Site, cut, indexed_by, is_index, pages, site
from bert.documents.namespaces import without_text
from bert.pipeline.errors import StageError
from tests.corpus import HEAD, TAIL, document, index_of, multistream, page

PAGES = [page(n, document(n)) for n in range(1, 31)]
STREAMS = ["".join(PAGES[first : first + 3]) for first in range(0, 30, 3)]
DUMP = multistream(HEAD, *STREAMS, TAIL)
XML = (HEAD + "".join(PAGES) + TAIL).encode()
NUMBERS = [str(n) for n in range(1, 31)]


def number(element: Element) -> str:
    return next(e.text or "" for e in element if e.tag.endswith("id"))


def read(dump: Path, piece: Piece) -> list[str]:
    with open(dump, "rb") as f:
        return [number(element) for element in pages(f, piece)]


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    path = tmp_path / "wiki-pages-articles-multistream.xml.bz2"
    path.write_bytes(DUMP)
    return path


@pytest.fixture
def index(tmp_path: Path) -> Path:
    path = tmp_path / "wiki-pages-articles-multistream-index.txt.bz2"
    path.write_bytes(bz2.compress(index_of(*STREAMS)))
    return path


@pytest.mark.parametrize("most", [1, 700, 1500, 10**6])
@pytest.mark.parametrize("how", ["index", "plain index", "index packed under another name", "search", "xml"])
def test_pieces_cover_the_file_and_hold_each_page_once(dump: Path, index: Path, how: str, most: int) -> None:
    if how == "plain index":
        index.write_bytes(bz2.decompress(index.read_bytes()))
        index = index.rename(index.with_suffix(""))
    if how == "index packed under another name":
        index = index.rename(index.with_suffix(""))
    if how == "xml":
        dump = dump.with_suffix("")
        dump.write_bytes(XML)
        most *= 4
    pieces = cut(dump, index if "index" in how else None, most)
    assert [p.offset for p in pieces] == [0, *(p.offset + p.length for p in pieces[:-1])]
    assert pieces[-1].offset + pieces[-1].length == dump.stat().st_size
    assert [p.is_last for p in pieces] == [False] * (len(pieces) - 1) + [True]
    assert [n for piece in pieces for n in read(dump, piece)] == NUMBERS
    if most == 10**6:
        assert len(pieces) == 1
    elif most < 10**3 or how != "xml":
        assert len(pieces) > 3
    if most > 700 and how != "xml":
        assert all(p.length <= most for p in pieces)


def test_the_index_and_the_search_find_the_same_streams(dump: Path, index: Path) -> None:
    by_index, by_search = cut(dump, index, 1), cut(dump, None, 1)
    assert len(by_index) == 1 + len(STREAMS)  # the end tag's stream is in no index
    assert [p.offset for p in by_search[:-1]] == [p.offset for p in by_index]


def test_a_dump_of_one_stream_is_one_piece(dump: Path) -> None:
    dump.write_bytes(bz2.compress(XML))
    (piece,) = cut(dump, None, 1)
    assert read(dump, piece) == NUMBERS


def test_streams_that_begin_anywhere_are_not_cut(dump: Path) -> None:
    # As parallel compressors make them: each so many bytes of the text, whatever stands there.
    dump.write_bytes(b"".join(bz2.compress(XML[at : at + 900]) for at in range(0, len(XML), 900)))
    (piece,) = cut(dump, None, 1)
    assert read(dump, piece) == NUMBERS


def test_the_mark_of_a_stream_inside_another_one_is_noticed(dump: Path) -> None:
    begin = len(bz2.compress(HEAD.encode()))
    with pytest.raises(ValueError, match=f"stream at byte {begin} ended before the end-of-stream marker"):
        read(dump, Piece(begin, 200, is_last=False))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda lines: [*lines[3:-1], b"99999:1:x"], f"27 lists a stream at byte 99999 of a file of {len(DUMP)} bytes"),
        (lambda lines: [b"200:1:x", *lines], "line 1 lists a stream at byte 200, where none begins"),
        (lambda lines: [lines[9], lines[0]], "line 2 goes back to byte"),
        (lambda lines: [lines[0], b"<html>"], "line 2 is not offset:page:title but b'<html>'"),
    ],
)  # fmt: skip
def test_an_index_that_does_not_match_is_an_error(dump: Path, index: Path, change, reason: str) -> None:
    index.write_bytes(bz2.compress(b"\n".join(change(index_of(*STREAMS).splitlines()))))
    with pytest.raises(StageError, match=f"{index.name}: not the index of {dump.name}: .*{reason}") as caught:
        cut(dump, index, 1)
    assert "or leave the index out" in str(caught.value.run)


def test_an_index_that_cannot_be_read_is_an_error(dump: Path, index: Path) -> None:
    index.write_bytes(index.read_bytes()[:-20])
    with pytest.raises(StageError, match=r"not the index of .*cannot be read"):
        cut(dump, index, 1)


def test_a_corrupt_stream_in_the_middle_is_told_by_its_byte_and_the_others_are_read(dump: Path) -> None:
    pieces = cut(dump, None, 1)
    bad = bytearray(DUMP)
    bad[pieces[5].offset + 40 : pieces[5].offset + 80] = bytes(40)
    dump.write_bytes(bad)
    with pytest.raises(ValueError, match=f"the bz2 stream at byte {pieces[5].offset} is corrupt"):
        read(dump, Piece(0, len(DUMP), is_last=True))
    assert read(dump, pieces[6]) == ["16", "17", "18"]
    with pytest.raises(ValueError, match="is corrupt"):
        read(dump, pieces[5])


@pytest.mark.parametrize(
    ("data", "error", "reason"),
    [
        (DUMP[:-30], ValueError, "ended before the end-of-stream marker"),
        (DUMP[:300], ValueError, "the bz2 stream at byte [1-9][0-9]+ ended before"),
        (DUMP + b"\0\0\0\0", ValueError, f"stream at byte {len(DUMP)} is corrupt|ended before"),
        (multistream(HEAD, PAGES[0]), ParseError, "no element found"),
        (XML[:-30], ParseError, "no element found|unclosed token"),
        (XML.replace(b"</page>", b"</pag>", 1), ParseError, "mismatched tag"),
        (b"", ParseError, "no element found"),
    ],
)
def test_a_broken_dump_is_an_error(data: bytes, error: type[Exception], reason: str) -> None:
    with pytest.raises(error, match=reason):
        list(pages(io.BytesIO(data), Piece(0, len(data), is_last=True)))


def test_a_file_that_has_become_shorter_is_an_error() -> None:
    with pytest.raises(ValueError, match="it ends 10 bytes early"):
        list(pages(io.BytesIO(DUMP), Piece(0, len(DUMP) + 10, is_last=True)))


def test_the_head_tells_namespaces_and_address() -> None:
    head = site(io.BytesIO(DUMP), len(DUMP))
    assert head.base == "https://de.example.org/wiki/"
    assert {"datei", "file", "category"} <= head.without_text
    assert not {"benutzer diskussion", ""} & head.without_text
    assert Site.from_json(head.to_json()) == head
    xml = f'<mediawiki xml:lang="sv">{PAGES[0]}</mediawiki>'.encode()
    swedish = site(io.BytesIO(xml), len(xml))
    assert swedish == Site("sv", without_text("sv"), namespaces=swedish.namespaces)
    assert {"fil", "bild", "user talk"} < swedish.namespaces and "benutzer diskussion" in head.namespaces


def test_finished_pages_do_not_stay_in_memory() -> None:
    xml = io.BytesIO((HEAD + "".join(page(n, f"A keeper keeps {n}. " * 400) for n in range(3000)) + TAIL).encode())
    size = len(xml.getvalue())
    tracemalloc.start()
    assert sum(1 for _ in pages(xml, Piece(0, size, is_last=True))) == 3000
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < size / 4


@pytest.mark.parametrize(
    ("index", "of"),
    [
        ("dewiki-pages-articles-multistream-index.TXT.BZ2", "dewiki-pages-articles-multistream.xml.bz2"),
        ("dewiki-pages-articles-multistream-index.txt.bz2", "dewiki-pages-articles-multistream.xml.bz2"),
        (
            "x/enwiki-20260901-pages-articles-multistream-index12.txt-p7p9.bz2",
            "x/enwiki-20260901-pages-articles-multistream12.xml-p7p9.bz2",
        ),
        ("wiki-pages-articles-multistream-index.txt", "wiki-pages-articles-multistream.xml.bz2"),
    ],
)  # fmt: skip
def test_an_index_belongs_to_the_dump_of_its_name(index: str, of: str) -> None:
    assert is_index(index) and not is_index(of)
    assert indexed_by(index) == of
