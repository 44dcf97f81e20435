"""bert/documents/lines.py: the ranges of a text, and the lines of each."""

from __future__ import annotations

import io
import re

import pytest

from bert.documents.lines import documents, lines, ranges

TEXT = b"".join(b"%d the keeper sold %s.\n" % (n, b"a lamp, " * (n % 7)) for n in range(100))


@pytest.mark.parametrize("data", [TEXT, TEXT[:-1], b"\n" * 50, b"one line without an end", b"", b"a\n" + b"b" * 5000])
@pytest.mark.parametrize("most", [1, 7, 100, 1000, 10**6])
def test_ranges_hold_every_line_once(data: bytes, most: int) -> None:
    cuts = ranges(len(data), most)
    assert [offset for offset, _ in cuts] == [0, *(offset + length for offset, length in cuts[:-1])]
    assert sum(length for _, length in cuts) == len(data) and max(length for _, length in cuts) <= most
    f = io.BytesIO(data)
    assert [line for cut in cuts for line in lines(f, *cut)] == data.splitlines(keepends=True)


def test_ranges_are_about_equal() -> None:
    sizes = [length for _, length in ranges(len(TEXT), 1000)]
    assert len(sizes) == -(-len(TEXT) // 1000) and max(sizes) - min(sizes) <= 1


def test_a_file_that_has_become_shorter_is_an_error() -> None:
    with pytest.raises(ValueError, match="it ends 5 bytes early"):
        list(lines(io.BytesIO(TEXT), 10, len(TEXT) - 5))


def by_empty_lines(data: bytes) -> list[bytes]:
    """The documents of a text in BERT's format, by a way of its own."""
    return [block for block in re.split(rb"\n(?:[ \t\r]*\n)+", b"\n" + data + b"\n") if block.strip()]


DOCUMENTS = b"".join(
    b"".join(b"%d.%d the keeper sold %s.\n" % (n, s, b"a lamp, " * (s % 3)) for s in range(1 + n % 5)) + b"\n" * (n % 4)
    for n in range(60)
)


@pytest.mark.parametrize(
    "data",
    [
        DOCUMENTS,
        DOCUMENTS.rstrip(),
        b"\n\n" + DOCUMENTS + b"\n \t\n",
        DOCUMENTS.replace(b"\n", b"\r\n"),
        b"one line without an end",
        b"",
        b"\n" * 50,
        b"a\n" + b"b" * 5000 + b"\n\nc",
    ],
)
@pytest.mark.parametrize("most", [1, 7, 100, 1000, 10**6])
def test_ranges_hold_every_document_once_and_whole(data: bytes, most: int) -> None:
    f = io.BytesIO(data)
    found = [by_empty_lines(b"".join(documents(f, *cut))) for cut in ranges(len(data), most)]
    assert [block.strip() for blocks in found for block in blocks] == [b.strip() for b in by_empty_lines(data)]


def test_documents_of_a_file_that_has_become_shorter_are_an_error() -> None:
    with pytest.raises(ValueError, match=f"it ends {10} bytes early"):
        list(documents(io.BytesIO(DOCUMENTS), 10, len(DOCUMENTS)))
