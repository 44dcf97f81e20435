"""From documents to records and examples: what each stage of the corpus counted, and what it dropped and why."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from bert.report import lengths
from bert.report.inputs import Inputs, Metrics
from bert.report.tables import Row, Section, Table, flat, is_number, not_run, number, words

SOURCES = ("wikipedia", "books", "text")
SINGLE = ("shards", "cloze", "vocab")
RECORDS = ("tfrecords/phase1", "tfrecords/phase2")


def drops(metrics: Metrics) -> dict[str, int]:
    """{reason: count} of every `dropped` dict in a metric file, those of sub-dicts under their path."""
    found: dict[str, int] = {}

    def walk(tree: dict[str, Any], path: str) -> None:
        for key, value in tree.items():
            if key == "dropped" and isinstance(value, dict):
                found.update({path + k: v for k, v in flat(value).items() if is_number(v)})
            elif isinstance(value, dict):
                walk(value, f"{path}{key}.")

    walk(metrics, "")
    return found


def _readable(key: str) -> str:
    return words(key).replace(".", " ")


def _counts(metrics: Metrics) -> str:
    """All counts but the drops and those of labels: those at the top on a line, and a line for each dict in it."""
    if metrics.get("configured") is False:
        return "no source is configured"
    lines: dict[str, list[Markup]] = {}
    for key, value in flat(metrics, skip=("dropped", "labels")).items():
        if is_number(value):
            group, _, name = key.rpartition(".")
            count = Markup('<span class="whole">{} <b>{}</b></span>').format(_readable(name), number(value))
            lines.setdefault(group, []).append(count)
    shown = [
        Markup("{}{}").format(f"{_readable(group)}: " if group else "", Markup(", ").join(counts))
        for group, counts in lines.items()
    ]
    return Markup("<br>").join(shown) or "nothing counted"


def section(inputs: Inputs) -> Section:
    """The stages in the order in which text passes through them."""
    keys = [
        *inputs.group("download", (*SOURCES, "squad", "glue")),
        *inputs.group("documents", SOURCES),
        *SINGLE,
        *RECORDS,
        *inputs.group("glue_data"),
    ]
    counted = tuple(
        Row((inputs.stage(key), _counts(inputs.metrics[key])))
        if key in inputs.metrics
        else not_run(inputs.stage(key), inputs.first_run(key))
        for key in keys
    )
    dropped, clean = [], []
    for key in [*keys, "squad", *inputs.group("glue")]:
        reasons = drops(inputs.metrics.get(key, {}))
        by_size = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
        dropped += [Row((inputs.stage(key), _readable(reason), number(n))) for reason, n in by_size if n]
        clean += [f"{inputs.stage(key)} {_readable(reason)}" for reason, n in by_size if not n]
    notes = ["Each count is of what its reason speaks of: pages, passages, sentences, tokens or questions."]
    notes += [f"Looked for and not found: {', '.join(clean)}."] if clean else []
    tables = [Table("Counts", ("stage", "counted"), counted, text_columns=2)]
    if dropped:
        header = ("stage", "reason", "count")
        tables.append(Table("Dropped, by reason", header, tuple(dropped), text_columns=2, notes=tuple(notes)))
    drawings = tuple(drawing for key in RECORDS for drawing in lengths.drawing(inputs, key))
    return Section("corpus", "Corpus", (), tuple(tables), drawings)
