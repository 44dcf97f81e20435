"""Several revisions side by side: what they are and differ in, their scores, their speeds."""

from __future__ import annotations

from collections.abc import Sequence

from bert.compare import scores, speeds
from bert.compare.contents import Contents
from bert.compare.machines import Labels
from bert.report.inputs import stage_of
from bert.report.tables import NONE, Row, Section, Table, flat, words

TITLE = "BERT: revisions compared"
LONGEST = 60  # letters of a parameter's value
SETTINGS = ("model", "precision", "seed", "finetune.init", "squad.data", "glue.data")


def _revisions(revisions: Sequence[Contents]) -> Table:
    rows = []
    for contents in revisions:
        commit = contents.revision.commit
        values = (contents.param(name) for name in SETTINGS)
        shown = (NONE if value is None else str(value) for value in values)
        rows.append(Row((contents.name, commit[:7] if commit else "files here", *shown)))
    header = ("revision", "commit", *(words(name.replace(".", " ")) for name in SETTINGS))
    return Table("Revisions", header, tuple(rows), text_columns=len(header))


def _parameters(revisions: Sequence[Contents]) -> Section:
    """Those of which revisions have other values: a line for each value, with the revisions that have it."""
    each = [flat(dict(contents.params)) for contents in revisions]
    names = dict.fromkeys(name for params in each for name in params)
    rows = []
    for name in names:
        values: dict[str, list[str]] = {}
        for contents, params in zip(revisions, each, strict=True):
            if name in params:
                values.setdefault(str(params[name]), []).append(contents.name)
        if len(values) > 1:
            rows += [Row((name, _shown(value), ", ".join(of))) for value, of in values.items()]
    table = Table("Parameters that differ", ("parameter", "value", "revisions"), tuple(rows), text_columns=3)
    some = sum(any(name not in params for params in each) for name in names)
    text = (f"{some} parameters are not in all of the revisions.",) if some else ()
    if not rows:
        text = ("No parameter has different values.", *text)
    return Section("parameters", "Parameters", text, (table,) if rows else ())


def _shown(value: str) -> str:
    return "null" if value == "None" else value if len(value) <= LONGEST else f"{value[:LONGEST]} ..."


def sections(revisions: Sequence[Contents]) -> list[Section]:
    """All chapters; differences and speed-ups are from the first of the revisions."""
    labels = Labels()
    scored, timed = scores.section(revisions), speeds.section(revisions, labels)
    machines = labels.table()
    tables = (_revisions(revisions), *((machines,) if machines.rows else ()))
    text = tuple(
        f"{contents.name}: its figures of {', '.join(map(stage_of, contents.not_run))} are left out: they are of other "
        "data or parameters than it has."
        for contents in revisions
        if contents.not_run
    )
    return [Section("revisions", "What is compared", text, tables), scored, timed, _parameters(revisions)]
