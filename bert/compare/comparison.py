"""Several revisions side by side: what they are and differ in, their scores, their speeds."""

from __future__ import annotations

from collections.abc import Sequence

from bert.compare import parameters, scores, speeds
from bert.compare.contents import METRICS, Contents
from bert.compare.machines import Labels
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


def _left_out(contents: Contents) -> str:
    """What a revision has of before, and the commands that make it anew."""
    files = ", ".join(f"{METRICS}/{key}.json" for key in contents.not_run)
    commit = contents.revision.commit
    there = f"git checkout {commit[:7]} && " if commit else ""
    return (
        f"{contents.name}: left out is what was made before its parameters or data changed: {files}. "
        f"To make it anew: {there}dvc repro {' '.join(dict.fromkeys(contents.not_run.values()))}"
    )


def sections(revisions: Sequence[Contents]) -> list[Section]:
    """All chapters; differences and speed-ups are from the first of the revisions."""
    labels = Labels()
    scored, timed = scores.section(revisions), speeds.section(revisions, labels)
    machines = labels.table()
    tables = (_revisions(revisions), *((machines,) if machines.rows else ()))
    text = tuple(_left_out(contents) for contents in revisions if contents.not_run)
    return [Section("revisions", "What is compared", text, tables), scored, timed, parameters.section(revisions)]
