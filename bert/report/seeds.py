"""Stability: losses and scores of each seed, as the published tables have them, by task and precision."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bert.report import figures, published
from bert.report.inputs import Inputs
from bert.report.overview import measured, precision
from bert.report.stability import FINAL_LOSS, LOSSES, PRETRAINING, SCORES, spread
from bert.report.tables import Drawing, Row, Section, Table, heading, is_number, not_run, number

GROUPS = ("stability_phase1", "stability_phase2", "stability_squad", "stability_glue")
STATISTICS = ("mean", "std", "min", "max")
HEADINGS = {
    FINAL_LOSS: "final loss, nats",
    "mlm_loss": "held-out MLM loss, nats",
    "nsp_loss": "held-out next-sentence loss, nats",
}
TEXT = (
    "The same training under other seeds: of the weights that begin as random ones, the order of the rows and dropout; "
    "the data are the same. A difference between two models, or two settings, that is smaller than this spread says "
    "nothing: compare the means of several seeds. std is the sample standard deviation (n - 1).",
)


def _result(task: str) -> str:
    """The key of the task's result, which is one more of the seeds."""
    return task if task in ("squad", *PRETRAINING) else f"glue/{task}"


def _runs(inputs: Inputs, task: str) -> list[str]:
    """The keys of the task's runs beside its result."""
    group = {"squad": "stability_squad"} | {name: name.replace("pretrain", "stability") for name in PRETRAINING}
    if task in group:
        return inputs.group(group[task])
    return [key for key in inputs.group("stability_glue") if key.rsplit("-", 2)[0] == f"stability_glue/{task}"]


def _digits(score: str) -> int:
    return 4 if score in HEADINGS else 2


def _head(score: str) -> str:
    return HEADINGS.get(score) or heading(score)


def _by_precision(summary: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """{precision as people read it: its summary}, of those that have seeds."""
    return {
        precision({"precision": name, "precision_effective": of.get("ran_as")}): of
        for name, of in summary.items()
        if isinstance(of, dict) and isinstance(of.get("seeds"), dict)
    }


def _scores(rows: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Those that any precision has."""
    known = dict.fromkeys((*SCORES, FINAL_LOSS, *LOSSES))
    return [name for name in known if any(isinstance(of.get(name), dict) for of in rows.values())]


def _table(inputs: Inputs, task: str, rows: Mapping[str, Mapping[str, Any]]) -> Table:
    seeds = list(dict.fromkeys(seed for of in rows.values() for seed in of["seeds"]))
    cells = []
    for score in _scores(rows):
        for name, of in rows.items():
            each = [number(of["seeds"].get(seed, {}).get(score), _digits(score)) for seed in seeds]
            found = [number(of.get(score, {}).get(statistic), _digits(score)) for statistic in STATISTICS]
            cells.append(Row((_head(score), name, *each, *found)))
    header = ("score", "precision", *(f"seed {seed}" for seed in seeds), *STATISTICS)
    notes = measured(inputs, [_result(task), *_runs(inputs, task)])
    return Table(task, header, tuple(cells), text_columns=2, notes=notes)


def _published(inputs: Inputs, task: str, model: str, data: object) -> tuple[Table, ...]:
    """The published seeds of the same work."""
    metrics = inputs.metrics.get(_result(task), {})
    same = published.seeds(_result(task), str(metrics.get("model", model)), metrics.get("count"))
    if same is None or data != "download":
        return ()
    score, by_precision = same
    rows = []
    for name, values in by_precision.items():
        found = spread(values)
        cells = [number(value, 2) for value in (*values, *(found[statistic] for statistic in STATISTICS))]
        rows.append(Row((heading(score), f"published: {name}", *cells)))
    count = max(map(len, by_precision.values()))
    header = ("score", "precision", *(f"seed {n}" for n in range(1, count + 1)), *STATISTICS)
    note = f"{published.SOURCE}, on 8 x {published.A100}."
    return (Table(f"{task}, published", header, tuple(rows), text_columns=2, notes=(note,)),)


def _drawing(task: str, rows: Mapping[str, Mapping[str, Any]]) -> tuple[Drawing, ...]:
    """Where any precision has several seeds."""
    panels: dict[str, dict[str, figures.Seeds]] = {}
    for score in _scores(rows):
        for name, of in rows.items():
            values = [value for scores in of["seeds"].values() if is_number(value := scores.get(score))]
            if values and is_number(of.get(score, {}).get("mean")):
                seeds = figures.Seeds(values, of[score]["mean"], of[score].get("std"))
                panels.setdefault(_head(score), {})[name] = seeds
    if not any(len(seeds.values) > 1 for panel in panels.values() for seeds in panel.values()):
        return ()
    caption = f"{task}: each seed a dot, below it the mean with one sample standard deviation to either side"
    return (Drawing(figures.spread_svg(panels), caption),)


def section(inputs: Inputs, model: str, data: Mapping[str, object]) -> Section:
    """A table and a drawing for each task. model: what is fine-tuned. data: {squad or glue: cloze or download}."""
    tables: list[Table] = []
    drawings: list[Drawing] = []
    for task, summary in inputs.metrics.get("stability", {}).items():
        if isinstance(summary, dict) and (rows := _by_precision(summary)):
            tables.append(_table(inputs, task, rows))
            tables += _published(inputs, task, model, data.get(_result(task).partition("/")[0]))
            drawings += _drawing(task, rows)
    waiting = [key for group in GROUPS for key in inputs.group(group) if key not in inputs.metrics]
    missing = [not_run(inputs.stage(key), inputs.first_run(key)) for key in waiting]
    if "stability" not in inputs.metrics:
        missing.append(not_run("mean and spread", inputs.first_run("stability")))
    if missing:
        tables.append(Table("To come", ("run", "command"), tuple(missing)))
    if not tables:
        return Section("stability", "Stability", ("No seeds are named under `stability` in params.yaml.",))
    return Section("stability", "Stability", TEXT, tuple(tables), tuple(drawings))
