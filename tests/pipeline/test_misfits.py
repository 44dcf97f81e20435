"""bert/pipeline/misfits.py: what a user reads of each kind of error."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from pydantic import Field, TypeAdapter, ValidationError, model_validator

from bert.pipeline.misfits import misfits
from bert.pipeline.params import Section


class Inner(Section):
    word: Literal["alpha", "beta"]
    switch: bool | Literal["auto"] = False


class Outer(Section):
    whole: Annotated[int, Field(ge=1, lt=100)] = 1
    number: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] = 1.0
    text: Annotated[str, Field(pattern=r"^\d+$")] = "1"
    some: Annotated[tuple[int, ...], Field(min_length=1, max_length=2)] = (1,)
    inner: Inner | None = None
    many: list[Inner] | None = None
    named: dict[str, int] | None = None
    either: int | list[Inner] = 1

    @model_validator(mode="after")
    def _agree(self) -> Outer:
        if self.whole == 13:
            raise ValueError("whole is 13, which nobody wants")
        return self


def said(value: Any, key: str = "") -> list[str]:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(Outer).validate_python(value)
    return [misfit.named(key) for misfit in misfits(caught.value, value)]


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ({"whole": "x"}, "whole: expected a whole number (got 'x')"),
        ({"whole": 1.5}, "whole: expected a whole number (got 1.5)"),
        ({"whole": None}, "whole: expected a whole number (got null)"),
        ({"whole": 0}, "whole: expected at least 1 (got 0)"),
        ({"whole": 100}, "whole: expected less than 100 (got 100)"),
        ({"whole": 13}, "whole is 13, which nobody wants"),
        ({"number": "fast"}, "number: expected a number (got 'fast')"),
        ({"number": 0}, "number: expected more than 0 (got 0)"),
        ({"number": 2}, "number: expected at most 1 (got 2)"),
        ({"number": float("nan")}, "number: expected a finite number (got nan)"),
        ({"text": 3}, "text: expected text (got 3)"),
        ({"text": "a"}, r"text: expected text that matches ^\d+$ (got 'a')"),
        ({"some": 3}, "some: expected a list (got 3)"),
        ({"some": []}, "some: expected at least 1 of them (got [])"),
        ({"some": [1, 2, 3]}, "some: expected at most 2 of them (got [1, 2, 3])"),
        ({"some": [1, "x"]}, "some.1: expected a whole number (got 'x')"),
        ({"inner": 3}, "inner: expected keys and values (got 3)"),
        ({"inner": {}}, "inner.word: is missing"),
        ({"inner": {"word": "gamma"}}, "inner.word: expected alpha or beta (got 'gamma')"),
        ({"many": {}}, "many: expected a list (got {})"),
        ({"many": ["a"]}, "many.0: expected keys and values (got 'a')"),
        ({"many": [{"word": "alpha", "wort": True}]}, "many.0.wort: unknown key (got true)"),
        ({"named": {"a": "x"}}, "named.a: expected a whole number (got 'x')"),
        ({"text": "a" * 200}, rf"text: expected text that matches ^\d+$ (got '{'a' * 119}...)"),
        (3, "expected keys and values (got 3)"),
    ],
)
def test_each_is_one_line_in_words_of_yaml(value: Any, line: str) -> None:
    assert said(value) == [line]


def test_members_of_a_union_are_one_line_and_no_part_of_the_name() -> None:
    assert said({"inner": {"word": "alpha", "switch": None}}, "key") == [
        "key.inner.switch: expected true or false, or auto (got null)"
    ]
    assert said({"either": [{"word": "alpha", "switch": "on", "more": 1}]})[-1:] == [
        "either.0.more: unknown key (got 1)",
    ]


def test_all_of_them_are_named() -> None:
    assert said({"whole": 0, "number": 0, "inner": {}}, "a.b") == [
        "a.b.whole: expected at least 1 (got 0)",
        "a.b.number: expected more than 0 (got 0)",
        "a.b.inner.word: is missing",
    ]


def test_of_a_text_that_was_no_json_pydantic_says_where() -> None:
    with pytest.raises(ValidationError) as caught:
        Outer.model_validate_json('{"whole": }')
    (misfit,) = misfits(caught.value)
    assert misfit.named().startswith("Invalid JSON: expected value at line 1 column 11")
