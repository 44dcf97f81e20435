"""A vocabulary file: `vocab.txt`, a WordPiece a line, the line number is the id. Needs no TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bert.pipeline.errors import StageError
from bert.pipeline.files import read_utf8, sha256_of

PAD, UNK, CLS, SEP, MASK = SPECIAL_PIECES = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


@dataclass(frozen=True)
class Vocabulary:
    """The pieces of a vocabulary file in the order of their ids, and the file's sha256. Needs no TensorFlow."""

    pieces: tuple[str, ...]
    sha256: str

    @classmethod
    def read(cls, path: str | Path, made_by: str = "dvc repro vocab") -> Vocabulary:
        """Read a UTF-8 file of one piece a line (LF or CRLF; blank lines at the end are none).

        White space around a piece is none of it, since no word holds any: it stands there by accident, as it does in
        files that came out of tables. Google's BERT reads it so too. A line of nothing but a rare white space (U+0085,
        U+00A0) is that piece.

        Raises:
            StageError: the file is missing, empty or not UTF-8, has a blank line or a piece twice, or lacks one of
                [PAD] [UNK] [CLS] [SEP] [MASK].
        """
        path, run = Path(path), made_by
        try:
            text = read_utf8(path, run)
        except FileNotFoundError:
            raise StageError(f"{path}: no such vocabulary file", run=run) from None
        # Not splitlines(): a piece may be one of the rarer line separators, such as U+0085.
        lines = [line.strip(" \t\r") for line in text.split("\n")]
        while lines and not lines[-1]:
            lines.pop()
        pieces = tuple(line.strip() or line for line in lines)
        if not pieces:
            raise StageError(f"{path}: the vocabulary is empty", run=run)
        first_line: dict[str, int] = {}
        for number, piece in enumerate(pieces, start=1):
            if not piece:
                raise StageError(f"{path}: line {number} is blank, expected a piece", run=run)
            if piece in first_line:
                raise StageError(f"{path}: {piece!r} stands on line {first_line[piece]} and on line {number}", run=run)
            first_line[piece] = number
        missing = [piece for piece in SPECIAL_PIECES if piece not in first_line]
        if missing:
            raise StageError(f"{path}: {len(pieces)} pieces, but no {' '.join(missing)}", run=run)
        return cls(pieces, sha256_of(path))
