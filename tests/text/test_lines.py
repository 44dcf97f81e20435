"""bert/text/lines.py: where a text may be cut, and the lines of a piece."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from bert.text.dump import Piece
from bert.text.lines import cut_lines, lines

TEXT = b"".join(b"%d the keeper sold %s.\n" % (n, b"a lamp, " * (n % 7)) for n in range(100))


@pytest.mark.parametrize("data", [TEXT, TEXT[:-1], b"\n" * 50, b"one line without an end", b"", b"a\n" + b"b" * 5000])
@pytest.mark.parametrize("most", [1, 7, 100, 1000, 10**6])
def test_pieces_hold_every_line_once(tmp_path: Path, data: bytes, most: int) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(data)
    pieces = cut_lines(path, most)
    assert [piece.offset for piece in pieces] == [0, *(p.offset + p.length for p in pieces[:-1])]
    assert all(data[piece.offset - 1 : piece.offset] == b"\n" for piece in pieces[1:])
    with open(path, "rb") as f:
        assert [line for piece in pieces for line in lines(f, piece)] == data.splitlines(keepends=True)


def test_pieces_are_about_equal(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(TEXT)
    sizes = [piece.length for piece in cut_lines(path, 1000)]
    longest = max(map(len, TEXT.splitlines(keepends=True)))
    assert len(sizes) == -(-len(TEXT) // 1000) and max(sizes) - min(sizes) <= 2 * longest


def test_a_file_that_has_become_shorter_is_an_error() -> None:
    with pytest.raises(ValueError, match="it ends 5 bytes early"):
        list(lines(io.BytesIO(TEXT), Piece(10, len(TEXT) - 5, is_last=True)))
