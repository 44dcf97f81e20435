"""The parameters in which revisions differ: of a long value the part that differs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from bert.compare.contents import Contents
from bert.report.tables import Row, Section, Table

LONGEST, BEFORE = 60, 20
"""Letters of a value that are shown, and how many of them stand before what differs."""
NAMES = 10  # of parameters that not all revisions have
Values = dict[str, Any]
"""{revision: its value}, of those that have one."""


def section(revisions: Sequence[Contents]) -> Section:
    """A line for each value of a parameter that differs, with the revisions that have it."""
    rows: list[Row] = []
    alone: dict[tuple[str, ...], list[str]] = {}
    for name, values in differing("", {contents.name: contents.params for contents in revisions}):
        by_value = _by_value(values)
        if len(by_value) > 1:
            texts = shown([values[of[0]] for of in by_value.values()])
            rows += [Row((name, text, ", ".join(of))) for text, of in zip(texts, by_value.values(), strict=True)]
        if len(values) < len(revisions):
            alone.setdefault(tuple(values), []).append(name)
    text = tuple(f"In {', '.join(of)} alone: {_some(names)}." for of, names in alone.items())
    if not rows:
        return Section("parameters", "Parameters", ("No parameter has different values.", *text))
    table = Table("Parameters that differ", ("parameter", "value", "revisions"), tuple(rows), text_columns=3)
    return Section("parameters", "Parameters", text, (table,))


def differing(name: str, values: Values, count: int | None = None) -> Iterator[tuple[str, Values]]:
    """The smallest parts of params.yaml, by their dotted names, that some of the revisions have not, or have otherwise.

    Lists of one length are taken apart where they hold more than plain values.

    Args:
        name: of the part to look into; "" of the whole
        values: the revisions' values of it
        count: of the revisions; None: as many as `values` has
    """
    count = count or len(values)
    inside = None if len(_by_value(values)) < 2 else _inside(list(values.values()))
    if inside is None:
        if len(values) < count or len(_by_value(values)) > 1:
            yield name, values
        return
    for key in inside:
        of = {revision: value[key] for revision, value in values.items() if isinstance(value, list) or key in value}
        yield from differing(f"{name}.{key}".removeprefix("."), of, count)


def _inside(values: Sequence[Any]) -> list[Any] | None:
    """The keys or positions of what several values are made of; None where they are not made alike."""
    if all(isinstance(value, Mapping) for value in values):
        return list(dict.fromkeys(key for value in values for key in value))
    if all(isinstance(value, list) for value in values) and len(set(map(len, values))) == 1:
        return list(range(len(values[0]))) if any(isinstance(i, Mapping | list) for v in values for i in v) else None
    return None


def _by_value(values: Values) -> dict[str, list[str]]:
    """{value as JSON: the revisions that have it}"""
    found: dict[str, list[str]] = {}
    for revision, value in values.items():
        found.setdefault(_json(value), []).append(revision)
    return found


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def shown(values: Sequence[Any]) -> list[str]:
    """Different values as texts that differ: as YAML reads them, and of long ones what is around the difference."""
    texts = [_yaml(value) for value in values]
    differs = next((n for n, letters in enumerate(zip_longest(*texts)) if len(set(letters)) > 1), 0)
    cut = [_cut(text, differs) for text in texts]
    if len(set(cut)) < len(cut):  # as of a thousand equal letters and one more
        return [f"{part} ({len(text)} letters)" for part, text in zip(cut, texts, strict=True)]
    return cut


def _yaml(value: Any) -> str:
    """In one line: a word without quotes where it needs none."""
    if isinstance(value, str):
        try:
            is_plain = YAML(typ="safe", pure=True).load(value) == value
        except YAMLError:
            is_plain = False
        return value if is_plain else _json(value)
    return _json(value)


def _cut(text: str, at: int) -> str:
    """LONGEST letters of it, the one at `at` among them."""
    if len(text) <= LONGEST:
        return text
    start = max(0, min(at - BEFORE, len(text) - LONGEST))
    part = text[start : start + LONGEST]
    return f"{'... ' if start else ''}{part}{' ...' if start + LONGEST < len(text) else ''}"


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMES} more" if len(names) > NAMES else ""
    return ", ".join(names[:NAMES]) + more
