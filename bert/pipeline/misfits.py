"""What was expected of a value that does not fit its pydantic model, in the words of YAML and JSON."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from pydantic import ValidationError

_NOT_GIVEN = object()
_MOST_SHOWN = 120
"""Characters of a value in a message."""

_EXPECTED: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "literal_error": lambda ctx: re.sub(r"'([^']+)'", r"\1", ctx["expected"]),
    "greater_than": lambda ctx: f"more than {ctx['gt']:g}",
    "greater_than_equal": lambda ctx: f"at least {ctx['ge']:g}",
    "less_than": lambda ctx: f"less than {ctx['lt']:g}",
    "less_than_equal": lambda ctx: f"at most {ctx['le']:g}",
    "too_short": lambda ctx: f"at least {ctx['min_length']} of them",
    "too_long": lambda ctx: f"at most {ctx['max_length']} of them",
    "string_pattern_mismatch": lambda ctx: f"text that matches {ctx['pattern']}",
    "finite_number": lambda ctx: "a finite number",
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), lambda ctx: "a whole number"),
    **dict.fromkeys(("float_type", "float_parsing"), lambda ctx: "a number"),
    **dict.fromkeys(("bool_type", "bool_parsing"), lambda ctx: "true or false"),
    "string_type": lambda ctx: "text",
    **dict.fromkeys(("list_type", "tuple_type"), lambda ctx: "a list"),
    **dict.fromkeys(("dict_type", "model_type", "mapping_type"), lambda ctx: "keys and values"),
}
"""{pydantic's name of an error: what was expected}, of the context that pydantic gives."""


@dataclass(frozen=True)
class Misfit:
    """A part of a value that does not fit.

    Attributes:
        where: keys and indices that lead to it
        fault: for people, with what came. Example: expected at least 1 (got 0)
        kinds: pydantic's names of what is wrong. Example: extra_forbidden
        choices: the words of which one was expected; empty where something else was
        got: what came; of a missing key what should hold it
    """

    where: tuple[int | str, ...]
    fault: str
    kinds: frozenset[str]
    choices: tuple[str, ...]
    got: Any

    def named(self, key: str = "") -> str:
        """A line that begins with its dotted name, below that of the whole value. Example: a.0.url: is missing"""
        name = ".".join(filter(None, [key, *map(str, self.where)]))
        return f"{name}: {self.fault}" if name else self.fault


def misfits(error: ValidationError, value: Any = _NOT_GIVEN) -> Iterator[Misfit]:
    """Each part that does not fit, in the order of the model.

    Args:
        value: that was validated. What pydantic calls the members of a union is not in it and left out of `where`.
    """
    details = [(_path(e["loc"], value, keep_last=e["type"] == "missing"), e) for e in error.errors()]
    for (where, _), group in groupby(details, lambda pair: (pair[0], pair[1]["type"] in _EXPECTED)):
        yield _misfit(where, [detail for _, detail in group])


def _misfit(where: tuple[int | str, ...], details: list[Any]) -> Misfit:
    """details: pydantic's errors of it, one for each member of a union that it does not fit."""
    got, kinds = details[0]["input"], frozenset(detail["type"] for detail in details)
    choices = re.findall(
        r"'([^']*)'", " ".join(str(d["ctx"]["expected"]) for d in details if d["type"] == "literal_error")
    )
    if kinds <= _EXPECTED.keys():
        expected = dict.fromkeys(_EXPECTED[detail["type"]](detail.get("ctx", {})) for detail in details)
        fault = f"expected {', or '.join(expected)} (got {_shown(got)})"
    elif kinds == {"missing"}:
        fault = "is missing"
    elif kinds == {"extra_forbidden"}:
        fault = f"unknown key (got {_shown(got)})"
    else:
        fault = "; ".join(detail["msg"].removeprefix("Value error, ") for detail in details)
        if not isinstance(got, Mapping | list):  # of which the message says what matters
            fault += f" (got {_shown(got)})"
    return Misfit(where, fault, kinds, tuple(choices), got)


def _path(loc: tuple[int | str, ...], value: Any, keep_last: bool) -> tuple[int | str, ...]:
    """The part of pydantic's place that is one in `value`; all of it where that was not given."""
    if value is _NOT_GIVEN:
        return loc
    path: list[int | str] = []
    for number, part in enumerate(loc, start=1):
        try:
            value = value[part]
        except (LookupError, TypeError):
            if not (keep_last and number == len(loc)):
                continue
        path.append(part)
    return tuple(path)


def _shown(got: Any) -> str:
    """A value as YAML has it, or its beginning."""
    if got is None or isinstance(got, bool):
        return {None: "null", True: "true", False: "false"}[got]
    shown = repr(got)
    return shown if len(shown) <= _MOST_SHOWN else f"{shown[:_MOST_SHOWN]}..."
