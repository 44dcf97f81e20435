"""bert/documents/lines.py: the ranges of a text, and the lines of each."""

from __future__ import annotations

import io

import pytest

from bert.documents.lines import lines, ranges

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
