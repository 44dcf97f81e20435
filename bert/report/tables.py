"""The parts of a page: sections of paragraphs, drawings, tables and folds; and numbers as a reader wants them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from string import ascii_uppercase
from typing import Any

from markupsafe import Markup

NONE = "\u2013"  # an en dash


@dataclass(frozen=True)
class Row:
    """One line of a table. `run`: the stage has not run; the command stands in place of the cells after the first."""

    cells: tuple[str, ...]
    run: str | None = None
    strong: bool = False


@dataclass(frozen=True)
class Table:
    """The first `text_columns` and the last `text_at_end` columns are text, the others numbers, set flush right.

    At the end stands what a figure was measured on: on a telephone the figure is beside its name, and in view.
    """

    caption: str
    header: tuple[str, ...]
    rows: tuple[Row, ...]
    text_columns: int = 1
    notes: tuple[str, ...] = ()
    text_at_end: int = 0


@dataclass(frozen=True)
class Drawing:
    """An SVG element and what it shows, in words. `wide`: as wide as it is drawn, in a box that scrolls."""

    svg: Markup
    caption: str
    wide: bool = False


@dataclass(frozen=True)
class Fold:
    """Tables that the reader unfolds by their title. `about`: what they come to, beside the title."""

    title: str
    tables: tuple[Table, ...]
    about: str = ""


@dataclass(frozen=True)
class Section:
    """One chapter of the page, with an anchor to link to. The page has the drawings above the tables."""

    anchor: str
    title: str
    text: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    drawings: tuple[Drawing, ...] = ()
    folds: tuple[Fold, ...] = ()


def without_empty_columns(table: Table) -> Table:
    """The table without the columns of numbers in which no row has any."""
    kept = [
        n
        for n in range(len(table.header))
        if n < table.text_columns
        or n >= len(table.header) - table.text_at_end
        or any(n < len(row.cells) and row.cells[n] != NONE for row in table.rows)
    ]
    rows = tuple(replace(row, cells=tuple(row.cells[n] for n in kept if n < len(row.cells))) for row in table.rows)
    return replace(table, header=tuple(table.header[n] for n in kept), rows=rows)


def code(text: str) -> Markup:
    """`text` as code, escaped."""
    return Markup("<code>{}</code>").format(text)


def not_run(label: str, command: str) -> Row:
    """The row of a stage without figures."""
    return Row((label,), run=command)


def is_number(value: object) -> bool:
    """Whether `value` is a number; True and False are not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def letter(n: int) -> str:
    """The name of the n-th thing, from 1 on. Examples: 1 -> A, 26 -> Z, 27 -> 27"""
    return ascii_uppercase[n - 1] if n <= len(ascii_uppercase) else str(n)


def number(value: Any, digits: int | None = None) -> str:
    """`value` for a cell; numbers with `digits` decimals, else integers in full and floats to four figures.

    Example: number(12345) == "12,345"; number(0.12345, 2) == "0.12"
    """
    if value is None:
        return NONE
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not is_number(value):
        return str(value)
    if digits is not None:
        return f"{value:,.{digits}f}"
    return f"{value:,.0f}" if isinstance(value, int) or abs(value) >= 1000 else f"{value:.4g}"


def percent(value: Any) -> str:
    """A fraction as a percentage. Example: percent(0.251) == "25.1 %" """
    return f"{100 * value:.1f} %" if is_number(value) else NONE


def words(key: str) -> str:
    """A key as words. Example: random_span_of_type -> random span of type"""
    return key.replace("_", " ")


NAMES = {
    "f1": "F1",
    "f1_macro": "macro F1",
    "mcc": "Matthews correlation",
    "pearson": "Pearson correlation",
    "spearman": "Spearman correlation",
}


def score_name(score: str) -> str:
    """A metric's name as people write it. Example: f1_macro -> macro F1"""
    return NAMES.get(score, words(score))


def heading(score: str) -> str:
    """A score's name as the head of its column; all scores are in per cent."""
    return f"{score_name(score)}, %"


def flat(tree: dict[str, Any], skip: Iterable[str] = ()) -> dict[str, Any]:
    """The leaves of a nested dict under dotted keys, without the subtrees called as in `skip`.

    Example: flat({"train": {"documents": 3}}) == {"train.documents": 3}
    """
    leaves: dict[str, Any] = {}
    for key, value in tree.items():
        if key in skip:
            continue
        if isinstance(value, dict):
            leaves |= {f"{key}.{name}": leaf for name, leaf in flat(value, skip).items()}
        else:
            leaves[key] = value
    return leaves
