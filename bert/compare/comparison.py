"""Several revisions side by side: what they are and differ in, their scores, their speeds."""

from __future__ import annotations

from collections.abc import Sequence

from bert.compare import parameters, scores, speeds
from bert.compare.contents import Contents
from bert.compare.machines import Labels
from bert.report.inputs import stage_of
from bert.report.tables import NONE, Row, Section, Table, words

TITLE = "BERT: revisions compared"
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
    return [Section("revisions", "What is compared", text, tables), scored, timed, parameters.section(revisions)]
