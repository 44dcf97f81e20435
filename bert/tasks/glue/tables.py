"""Tab-separated files as GLUE has them -> rows of fields, with the numbers of their lines.

No quoting (a quotation mark is a character of the sentence), UTF-8 with or without byte order mark, LF or CRLF.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bert.pipeline.errors import StageError
from bert.pipeline.files import read_utf8


@dataclass(frozen=True, slots=True)
class Row:
    """line: its number in the file, from 1."""

    line: int
    fields: list[str]


@dataclass(frozen=True)
class Table:
    """The rows of a file, without its header. path: for messages."""

    path: Path
    header: list[str]
    rows: list[Row]

    def at(self, row: Row) -> str:
        """Where a row stands, for messages."""
        return f"{self.path}, line {row.line}"

    def place(self, column: str, run: str) -> int:
        """Which field of a row it is. Raises StageError where there is no such column."""
        if column not in self.header:
            raise StageError(f"{self.path}, line 1: expected a column {column!r}, got {self.header}", run=run)
        return self.header.index(column)


def read_table(path: Path, run: str, header: tuple[str, ...] | None = None) -> Table:
    """All rows of a file; lines without any character are none.

    Args:
        run: the command that makes the file.
        header: the columns of a file that does not name them in its first line.

    Raises:
        StageError: not there, or not UTF-8.
    """
    try:
        text = read_utf8(path, run)
    except FileNotFoundError:
        raise StageError(f"{path}: no such file", run=run) from None
    # Not the csv module: MRPC is full of lone quotation marks. Not splitlines(): U+0085 and the like end no row.
    lines = enumerate(text.split("\n"), start=1)
    rows = [Row(line, fields.removesuffix("\r").split("\t")) for line, fields in lines if fields.strip("\r")]
    if header is None:
        return Table(path, rows[0].fields if rows else [], rows[1:])
    return Table(path, list(header), rows)
