"""bert/compare/text.py: tables that fit a terminal, and Markdown."""

from __future__ import annotations

from collections import Counter

from hypothesis import example, given
from hypothesis import strategies as st

from bert.compare.text import WIDTH, as_markdown, as_text
from bert.report.tables import Row, Section, Table

NAME = st.text("xyz-_", min_size=1, max_size=120)


def section(names: list[str]) -> Section:
    rows = tuple(Row(("squad", name, "fp32", "1,234.5", "none")) for name in names)
    header = ("score", "revision", "precision", "mean", "difference")
    return Section("scores", "Scores", ("Words. " * 40,), (Table("SQuAD", header, rows, 3, ("A note. " * 30,)),))


@example(["x-y_z" * 20])
@given(st.lists(NAME, min_size=1, max_size=4))
def test_no_line_is_longer_than_a_terminal_and_no_letter_is_lost(names: list[str]) -> None:
    lines = as_text([section(names)]).splitlines()
    assert max(map(len, lines)) <= WIDTH
    rows = lines[lines.index("SQuAD") + 3 : -3]  # the note has three lines
    assert Counter(letter for line in rows for letter in line if letter in "xyz-_") == Counter("".join(names))


def test_columns_are_aligned_numbers_to_the_right() -> None:
    assert as_text([section(["HEAD", "at-bf16"])]).splitlines()[-8:-3] == [
        "SQuAD",
        "score  revision  precision     mean  difference",
        "-----  --------  ---------  -------  ----------",
        "squad  HEAD      fp32       1,234.5        none",
        "       at-bf16   fp32       1,234.5        none",
    ]


def test_markdown_shows_each_text_as_it_stands() -> None:
    row = Row(("a_b|c\\", "<at>`1`", "1.00", "*", "x"))
    table = Table("SQuAD", ("score", "revision", "mean", "std", "n"), (row,), 2, ("a note",))
    lines = as_markdown("Compared", [Section("s", "Scores", ("Words.",), (table,))]).splitlines()
    assert lines == [
        *("# Compared", "", "## Scores", "", "Words.", "", "**SQuAD**", ""),
        *("| score | revision | mean | std | n |", "| --- | --- | ---: | ---: | ---: |"),
        *(r"| a\_b\|c\\ | \<at\>\`1\` | 1.00 | \* | x |", "", "- a note"),
    ]
