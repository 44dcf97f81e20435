"""Several revisions side by side: what they are and differ in, their scores, their speeds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bert.compare import scores, speeds
from bert.compare.contents import Contents
from bert.compare.machines import Labels
from bert.report.tables import NONE, Row, Section, Table, flat, words

TITLE = "BERT: revisions compared"
SETTINGS = ("model", "precision", "seed", "finetune.init", "squad.data", "glue.data")
ABSENT = "not there"
MOST_PARAMETERS = 20


def _revisions(revisions: Sequence[Contents]) -> Table:
    rows = []
    for contents in revisions:
        commit = contents.revision.commit
        values = (contents.param(name) for name in SETTINGS)
        shown = (NONE if value is None else str(value) for value in values)
        rows.append(Row((contents.name, commit[:7] if commit else "files here", *shown)))
    header = ("revision", "commit", *(words(name.replace(".", " ")) for name in SETTINGS))
    return Table("Revisions", header, tuple(rows), text_columns=len(header))


def _parameters(revisions: Sequence[Contents]) -> tuple[Table, ...]:
    """Those that are not the same everywhere."""
    each = [flat(dict(contents.params)) for contents in revisions]
    names = dict.fromkeys(name for params in each for name in params)
    differing = [name for name in names if any(p.get(name, ABSENT) != each[0].get(name, ABSENT) for p in each)]
    rows = [
        Row((name, contents.name, _value(params, name)))
        for name in differing[:MOST_PARAMETERS]
        for contents, params in zip(revisions, each, strict=True)
    ]
    more = len(differing) - MOST_PARAMETERS
    # Each has two names at least, of which the first is the base of all differences.
    notes = (f"{more} more: dvc params diff {revisions[0].name} {revisions[1].name}",) if more > 0 else ()
    header = ("parameter", "revision", "value")
    return (Table("Parameters that differ", header, tuple(rows), text_columns=3, notes=notes),) if rows else ()


def _value(params: dict[str, Any], name: str) -> str:
    if name not in params:
        return ABSENT
    return "null" if params[name] is None else str(params[name])


def sections(revisions: Sequence[Contents]) -> list[Section]:
    """All chapters; differences and speed-ups are from the first of the revisions."""
    labels = Labels()
    scored, timed = scores.section(revisions), speeds.section(revisions, labels)
    machines = labels.table()
    tables = (_revisions(revisions), *_parameters(revisions), *((machines,) if machines.rows else ()))
    return [Section("revisions", "What is compared", (), tables), scored, timed]
