"""Files of one's own -> rows of the columns that are asked for, with the numbers of their lines.

tsv     as GLUE's: no quoting, a quotation mark is a character of the text
csv     commas; fields in quotation marks may hold commas, line breaks and doubled quotation marks
jsonl   a JSON object a line, with strings, numbers, true, false or null
"""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

from bert.pipeline.errors import StageError
from bert.pipeline.files import read_utf8
from bert.tasks.glue.own.settings import Format
from bert.tasks.glue.tables import Row, Table, read_table


def read_columns(path: Path, form: Format, columns: Sequence[str], run: str) -> Table:
    """All rows of a file, with these columns in this order; lines without any character are none.

    Args:
        run: what to do about what is wrong in it.

    Raises:
        StageError: not there, not UTF-8, not of its format, a column missing or there twice, or a row with another
            number of fields than the header: names the line.
    """
    if form == "jsonl":
        return Table(path, list(columns), list(_json_rows(path, columns, run)))
    table = read_table(path, run) if form == "tsv" else _csv_table(path, run)
    for column in columns:
        if table.header.count(column) > 1:
            raise StageError(f"{path}, line 1: expected one column {column!r}, got {table.header}", run=run)
    places = [table.place(column, run) for column in columns]
    rows = []
    for row in table.rows:
        if len(row.fields) != len(table.header):
            raise StageError(
                f"{table.at(row)}: expected the {len(table.header)} columns {', '.join(table.header)}, "
                f"got {len(row.fields)}",
                run=run,
            )
        rows.append(Row(row.line, [row.fields[place] for place in places]))
    return Table(path, list(columns), rows)


def _text(path: Path, run: str) -> str:
    try:
        return read_utf8(path, run)
    except FileNotFoundError:
        raise StageError(f"{path}: no such file", run=run) from None


def _csv_table(path: Path, run: str) -> Table:
    """A row has the number of the line that it begins in."""
    csv.field_size_limit(sys.maxsize)  # a field may be a whole document
    reader = csv.reader(io.StringIO(_text(path, run), newline=""), strict=True)
    rows: list[Row] = []
    begins = 1
    try:
        for fields in reader:
            if fields:
                rows.append(Row(begins, fields))
            begins = reader.line_num + 1
    except csv.Error as error:
        raise StageError(f"{path}, line {begins}: expected CSV with commas, but: {error}", run=run) from None
    return Table(path, rows[0].fields if rows else [], rows[1:])


def _json_rows(path: Path, columns: Sequence[str], run: str) -> Iterator[Row]:
    # Not splitlines(): U+2028 and the like may stand in a string.
    for line, text in enumerate(_text(path, run).split("\n"), start=1):
        if not text.strip():
            continue
        try:
            # Numbers stay as they are written: 1.0 is no other label than the one in the file.
            found = json.loads(text, parse_int=str, parse_float=str, parse_constant=_refuse)
            if not isinstance(found, dict):
                raise ValueError("it is something else")
            if missing := [column for column in columns if column not in found]:
                raise ValueError(f"it has no {missing[0]!r}, only {list(found)}")
            yield Row(line, [_field(column, found[column]) for column in columns])
        except (ValueError, RecursionError) as error:
            raise StageError(
                f"{path}, line {line}: expected a JSON object with {', '.join(columns)}, but {error}", run=run
            ) from None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number")


def _field(column: str, value: Any) -> str:
    """A value as text; null is the empty one."""
    if value is None or isinstance(value, bool):
        return "" if value is None else str(value).lower()
    if not isinstance(value, str):
        raise ValueError(f"{column!r} is no string and no number")
    value.encode()  # half of a surrogate pair, which JSON can write, is no text: UnicodeEncodeError is a ValueError
    return value
