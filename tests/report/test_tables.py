"""bert/report/tables.py."""

from __future__ import annotations

from typing import Any

import pytest

from bert.report.tables import NONE, code, flat, number, percent


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (12345, None, "12,345"),
        (12345.6, None, "12,346"),
        (0.123456, None, "0.1235"),
        (0.125, 2, "0.12"),
        (1, 4, "1.0000"),
        (-3, None, "-3"),
        (True, None, "yes"),
        (False, 2, "no"),
        (None, None, NONE),
        ("fp16", 2, "fp16"),
    ],
)
def test_numbers_are_written_for_readers(value: Any, digits: int | None, text: str) -> None:
    assert number(value, digits) == text


def test_percent_takes_fractions() -> None:
    assert percent(0.2514) == "25.1 %"
    assert percent(None) == NONE


def test_flat_keeps_the_path_and_skips_whole_subtrees() -> None:
    tree = {"a": 1, "train": {"b": 2, "dropped": {"x": 3}}, "dropped": {"y": 4}}
    assert flat(tree, skip=("dropped",)) == {"a": 1, "train.b": 2}
    assert flat(tree)["train.dropped.x"] == 3


def test_code_is_escaped() -> None:
    assert code("a <b>") == "<code>a &lt;b&gt;</code>"
