"""Sections of tables as plain text for a terminal, and as Markdown."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence

from bert.report.tables import Section, Table

WIDTH = 100
"""Columns of a terminal."""
GAP = "  "
NARROWEST = 10  # to which a column of text is wrapped


def as_text(sections: Iterable[Section]) -> str:
    """Tables of at most WIDTH columns, as long as their numbers leave room: text wraps, numbers do not."""
    blocks = []
    for section in sections:
        blocks.append(f"{section.title}\n{'=' * len(section.title)}")
        blocks += [textwrap.fill(paragraph, WIDTH) for paragraph in section.text]
        blocks += ["\n".join(_table(table)) for table in section.tables]
    return "\n\n".join(blocks) + "\n"


def as_markdown(title: str, sections: Iterable[Section]) -> str:
    """The same for a comment on a pull request, as GitHub reads it."""
    blocks = [f"# {title}"]
    for section in sections:
        blocks += [f"## {section.title}", *map(str, section.text)]
        for table in section.tables:
            blocks += [f"**{_escaped(table.caption)}**", "\n".join(_pipes(table))]
            blocks += ["\n".join(f"- {_escaped(note)}" for note in table.notes)] if table.notes else []
    return "\n\n".join(blocks) + "\n"


def _cells(table: Table) -> list[tuple[str, ...]]:
    """Rows of one length; a name that the row above has too is not said again."""
    rows = []
    before = None
    for row in table.rows:
        cells = (*row.cells, *([f"not run yet: {row.run}"] if row.run else []))
        repeated = table.text_columns > 1 and cells[0] == before
        before = cells[0]
        cells = (*(("",) if repeated else cells[:1]), *cells[1:])
        rows.append((*map(str, cells), *("",) * (len(table.header) - len(cells))))
    return rows


def _table(table: Table) -> Iterator[str]:
    rows = [table.header, *_cells(table)]
    widths = _widths(rows, table.text_columns)
    yield table.caption
    for n, cells in enumerate(rows):
        yield from _lines(cells, widths, table.text_columns)
        if n == 0:
            yield GAP.join("-" * width for width in widths)
    for note in table.notes:
        yield from textwrap.wrap(note, WIDTH, subsequent_indent="  ")


def _widths(rows: Sequence[Sequence[str]], text_columns: int) -> list[int]:
    """As wide as the widest cell; where this is too much, the widest texts are made narrower."""
    widths = [max(len(cells[column]) for cells in rows) for column in range(len(rows[0]))]
    excess = sum(widths) + len(GAP) * (len(widths) - 1) - WIDTH
    while excess > 0:
        column = max(range(text_columns), key=lambda n: widths[n])
        if widths[column] <= NARROWEST:
            break
        widths[column] -= 1
        excess -= 1
    return widths


def _lines(cells: Sequence[str], widths: Sequence[int], text_columns: int) -> Iterator[str]:
    """Of one row: several where texts are wrapped."""
    folded = [
        textwrap.wrap(cell, width) or [""] if n < text_columns else [cell]
        for n, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    for n in range(max(map(len, folded))):
        line = (lines[n] if n < len(lines) else "" for lines in folded)
        aligned = (
            part.ljust(width) if column < text_columns else part.rjust(width)
            for column, (part, width) in enumerate(zip(line, widths, strict=True))
        )
        yield GAP.join(aligned).rstrip()


def _pipes(table: Table) -> Iterator[str]:
    yield _pipe(table.header)
    yield _pipe("---" if n < table.text_columns else "---:" for n in range(len(table.header)))
    for cells in _cells(table):
        yield _pipe(cells)


def _pipe(cells: Iterable[str]) -> str:
    return f"| {' | '.join(map(_escaped, cells))} |"


def _escaped(text: str) -> str:
    """As Markdown shows it as it stands."""
    for mark in "\\|*_<>`":
        text = text.replace(mark, f"\\{mark}")
    return text.replace("\n", " ")
