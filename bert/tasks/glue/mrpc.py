"""MRPC from what Microsoft published, as GLUE's own download script makes train.tsv, dev.tsv and test.tsv of it.

GLUE may not hand on the Microsoft Research Paraphrase Corpus, only which of its training pairs are the dev set:
dev_ids.tsv. The test set is the corpus's own, in its order; its labels are not read.
Source: https://github.com/nyu-mll/GLUE-baselines, download_glue_data.py
"""

from __future__ import annotations

from pathlib import Path

from bert.pipeline.errors import StageError
from bert.tasks.glue.tables import Table, read_table

FOLDER = "MRPC"
TRAIN, TEST, DEV_IDS = "msr_paraphrase_train.txt", "msr_paraphrase_test.txt", "dev_ids.tsv"
_SOURCES = {"train.tsv": (TRAIN, DEV_IDS), "dev.tsv": (TRAIN, DEV_IDS), "test.tsv": (TEST,)}
_IDS = ("#1 ID", "#2 ID")


def original_of(path: Path) -> list[Path]:
    """The files that `path` has to be rebuilt from, which is not there; none where it is, or these are not."""
    if path.parent.name != FOLDER or path.exists():
        return []
    files = [path.parent / name for name in _SOURCES.get(path.name, ())]
    return files if files and files[0].exists() else []


def rebuilt(path: Path, run: str) -> Table:
    """The rows of `path` under the line numbers of the original.

    Raises:
        StageError: a file is not there or not UTF-8, a column is missing, or a pair of the dev set is.
    """
    corpus, *ids = original_of(path)
    table = read_table(corpus, run)
    if not ids:
        return table
    listed = read_table(ids[0], run, header=_IDS)
    places = [table.place(column, run) for column in _IDS]
    pairs = [tuple(row.fields[place] for place in places if place < len(row.fields)) for row in table.rows]
    dev = {tuple(row.fields) for row in listed.rows}
    known = set(pairs)
    for row in listed.rows:
        if tuple(row.fields) not in known:
            raise StageError(f"{listed.at(row)}: expected the two ids of a pair in {corpus}, got {row.fields}", run=run)
    rows = [row for row, pair in zip(table.rows, pairs, strict=True) if (pair in dev) == (path.name == "dev.tsv")]
    return Table(corpus, table.header, rows)
