"""bert/tokens/vocabulary.py: files of pieces as people have them."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest

from bert.pipeline.errors import StageError
from bert.tokens.vocabulary import SPECIAL_PIECES, Vocabulary

SPECIAL = "\n".join(SPECIAL_PIECES).encode() + b"\n"


def vocabulary(tmp_path: Path, content: bytes) -> Vocabulary:
    path = tmp_path / "vocab.txt"
    path.write_bytes(content)
    return Vocabulary.read(path)


@pytest.mark.parametrize(
    ("rest", "pieces"),
    [
        (b"c \nd", ["c", "d"]),
        (b"c\t\n d\n", ["c", "d"]),
        (b"c\r\nd \r\n", ["c", "d"]),
        (b"c\r\r\nd", ["c", "d"]),
        ("c\u00a0\n\u3000d\n".encode(), ["c", "d"]),
        (b"c\nd\n\n\n", ["c", "d"]),
        (b"c\r\nd\r\n\r\n \r\n", ["c", "d"]),
        ("\u00a0\n\u0085\nc".encode(), ["\u00a0", "\u0085", "c"]),
        ("\u200b\nc".encode(), ["\u200b", "c"]),  # no white space, though nothing is seen of it
    ],
)
def test_white_space_around_pieces_and_blank_lines_at_the_end_are_none_of_them(
    tmp_path: Path, rest: bytes, pieces: list[str]
) -> None:
    for mark in (b"", codecs.BOM_UTF8):
        assert vocabulary(tmp_path, mark + SPECIAL + rest).pieces == (*SPECIAL_PIECES, *pieces)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (SPECIAL + b"c \nd\nc\n", "'c' stands on line 6 and on line 8"),
        (SPECIAL + b"c\r\nd\r\nc\r\n", "'c' stands on line 6 and on line 8"),
        (SPECIAL + "c\nc\u00a0\n".encode(), "'c' stands on line 6 and on line 7"),
        (SPECIAL + b"c\n \nd\n", "line 7 is blank, expected a piece"),
        (b" \r\n\r\n", "the vocabulary is empty"),
        (codecs.BOM_UTF8, "the vocabulary is empty"),
        (codecs.BOM_UTF16_LE + SPECIAL.decode().encode("utf-16-le"), "expected UTF-8, but its byte order mark is that"),
    ],
)
def test_what_leaves_ids_in_doubt_is_an_error(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(StageError, match=message) as caught:
        vocabulary(tmp_path, content)
    assert "vocab.txt: " in str(caught.value) and caught.value.run == "dvc repro vocab"
