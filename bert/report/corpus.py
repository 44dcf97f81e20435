"""From documents to records and examples: how much there is after each stage, and under each all that it counted."""

from __future__ import annotations

from bert.report import lengths
from bert.report.counts import fold
from bert.report.inputs import Inputs, Metrics
from bert.report.tables import NONE, Row, Section, Table, not_run, number, percent

SOURCES = ("wikipedia", "books", "text")
RECORDS = ("tfrecords/phase1", "tfrecords/phase2")
SPLITS = ("train", "test", "dev")


def is_empty(metrics: Metrics) -> bool:
    """Whether this part of the corpus is left out: no source of it is named."""
    return metrics.get("configured") is False or (metrics.get("files") == 0 and not metrics.get("documents"))


def _cells(metrics: Metrics, names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(number(metrics.get(name)) for name in names)


def _documents(inputs: Inputs) -> Table:
    names = ("files", "pages", "documents", "passages", "words", "bytes")
    rows, empty = [], []
    for key in inputs.group("documents", SOURCES):
        source = key.partition("/")[2]
        if key not in inputs.metrics:
            rows.append(not_run(source, inputs.first_run(key)))
        elif is_empty(inputs.metrics[key]):
            empty.append(source)
        else:
            rows.append(Row((source, *_cells(inputs.metrics[key], names))))
    notes = (f"No source is configured of: {', '.join(empty)}.",) if empty else ()
    if not rows:
        rows = [Row(("no source at all", *(NONE,) * len(names)))]
    return Table("Documents, by source", ("source", *names), tuple(rows), notes=notes)


def _shards(inputs: Inputs) -> Table:
    names = ("documents", "sentences", "words", "bytes", "shards")
    header = ("split", *names)
    waiting = tuple(not_run(key, inputs.first_run(key)) for key in ("shards", "vocab") if key not in inputs.metrics)
    if "shards" not in inputs.metrics:
        return Table("Shards", header, waiting)
    found = inputs.metrics["shards"]
    splits = [name for name in SPLITS if isinstance(found.get(name), dict)] or ["train"]
    rows = tuple(Row((split, *_cells(found.get(split) or {}, names))) for split in splits)
    size = inputs.metrics.get("vocab", {}).get("size")
    notes = (f"The vocabulary has {number(size)} pieces.",) if size is not None else ()
    return Table("Shards: documents of all sources without duplicates", header, (*rows, *waiting), notes=notes)


def _records(inputs: Inputs) -> Table:
    names = ("sequences", "tokens", "predictions", "padding", "pieces_per_word", "bytes")
    rows = []
    for key in RECORDS:
        if key not in inputs.metrics:
            rows.append(not_run(key.partition("/")[2], inputs.first_run(key)))
            continue
        found = inputs.metrics[key]
        for split in [name for name in SPLITS if isinstance(found.get(name), dict)] or ["train"]:
            of = found.get(split) or {}
            # Without packing a sequence is an example.
            sequences = number(of.get("sequences", of.get("examples")))
            cells = (sequences, *_cells(of, names[1:3]), percent(of.get("padding")), *_cells(of, names[4:]))
            rows.append(Row((key.partition("/")[2], split, *cells)))
    header = ("phase", "split", "sequences", "tokens", "masked tokens", "padding", "pieces a word", "bytes")
    return Table("Records of pretraining", header, tuple(rows), text_columns=2)


def _examples(inputs: Inputs) -> Table:
    rows = []
    if "cloze" in inputs.metrics:
        made = inputs.metrics["cloze"]
        for kind in ("questions", "paraphrases"):
            splits = made.get(kind) or {}
            counts = [number((splits.get(split) or {}).get("count")) for split in ("train", "dev")]
            rows.append(Row((f"made from the corpus: {kind}", *counts)))
    else:
        rows.append(not_run("made from the corpus", inputs.first_run("cloze")))
    for key in inputs.group("glue_data"):
        task = key.partition("/")[2]
        if key not in inputs.metrics:
            rows.append(not_run(task, inputs.first_run(key)))
            continue
        examples = inputs.metrics[key].get("examples") or {}
        rows.append(Row((f"examples of {task}", *(number(examples.get(split)) for split in ("train", "dev")))))
    return Table("Examples for fine-tuning", ("set", "train", "dev"), tuple(rows))


def section(inputs: Inputs) -> Section:
    """The stages in the order in which text passes through them."""
    keys = [
        *inputs.group("download", (*SOURCES, "squad", "glue")),
        *inputs.group("documents", SOURCES),
        *("shards", "cloze", "vocab", *RECORDS),
        *inputs.group("glue_data"),
    ]
    tables = [_documents(inputs), _shards(inputs), _records(inputs), _examples(inputs)]
    waiting = [key for key in keys if key.startswith("download/") and key not in inputs.metrics]
    if waiting:
        rows = tuple(not_run(inputs.stage(key), inputs.first_run(key)) for key in waiting)
        tables.append(Table("Downloads to come", ("stage", "command"), rows))
    drawings = tuple(drawing for key in RECORDS for drawing in lengths.drawing(inputs, key))
    folds = tuple(folded for key in keys if not is_empty(inputs.metrics.get(key, {})) for folded in fold(inputs, key))
    return Section("corpus", "Corpus", (), tuple(tables), drawings, folds)
