"""Pretraining: its curves, how well each phase predicts held-out text, and how it was trained."""

from __future__ import annotations

from collections.abc import Callable

from bert.report import figures
from bert.report.inputs import Inputs, Metrics
from bert.report.overview import label, measured, precision
from bert.report.tables import NONE, Row, Section, Table, is_number, not_run, number, percent, without_empty_columns
from bert.report.tokens import real_share

PHASES = ("pretrain_phase1", "pretrain_phase2")
REAL_TOKENS = "real_tokens_per_second"  # beside what the training itself has written
REAL = "Real tokens: those of the text, without the padding that fills rows up to their length."


def _best(m: Metrics) -> str:
    """The step with the smallest held-out loss meanwhile, and whether its weights are the result."""
    if m.get("best_step") is None:
        return NONE
    kept = ", kept" if m.get("kept_step") == m["best_step"] else ""
    return f"{number(m['best_step'])} ({number(m.get('best_mlm_loss'), 4)}{kept})"


Columns = dict[str, Callable[[Metrics], str]]

SCORES: Columns = {
    "masked tokens: loss, nats": lambda m: number(m.get("mlm_loss"), 4),
    "unigram entropy, nats": lambda m: number(m.get("unigram_entropy"), 4),
    "nats below it": lambda m: number(m.get("nats_below_unigram"), 4),
    "masked tokens right": lambda m: percent(m.get("mlm_accuracy")),
    "next sentence: loss, nats": lambda m: number(m.get("nsp_loss"), 4),
    "next sentence right": lambda m: percent(m.get("nsp_accuracy")),
    "training text: MLM loss": lambda m: number(m.get("train_mlm_loss"), 4),
    "NSP loss": lambda m: number(m.get("train_nsp_loss"), 4),
}
SPEED: Columns = {
    "sequences / s": lambda m: number(m.get("sequences_per_second")),
    "real tokens / s": lambda m: number(m.get(REAL_TOKENS), 0),
    "ranks": lambda m: number(m.get("ranks")),
    "XLA": lambda m: number(m.get("xla")),
    "layers recomputed": lambda m: number(m.get("recompute")),
    "peak memory, MB": lambda m: number(m.get("peak_rss_mb")),
    "peak accelerator memory, MB": lambda m: number(m.get("peak_device_mb")),
}
RUN: Columns = {
    "steps": lambda m: number(m.get("steps")),
    "global batch": lambda m: number(m.get("global_batch")),
    "accumulated micro-batches": lambda m: number(m.get("accumulation")),
    "best step (MLM loss)": _best,
    "skipped steps": lambda m: number(m.get("skipped_steps")),
}


def _metrics(inputs: Inputs, key: str) -> Metrics:
    """Those of a phase, and its speed without padding where that is known."""
    m, share = inputs.metrics[key], real_share(inputs, key)
    known = share is not None and is_number(m.get("tokens_per_second"))
    return m | {REAL_TOKENS: m["tokens_per_second"] * share if known else None}


def _scores(inputs: Inputs) -> Table:
    rows = tuple(
        Row((inputs.stage(key), *(cell(inputs.metrics[key]) for cell in SCORES.values())))
        if key in inputs.metrics
        else not_run(inputs.stage(key), inputs.first_run(key))
        for key in PHASES
    )
    return without_empty_columns(Table("Losses and accuracies on held-out text", ("phase", *SCORES), rows))


def _ran(inputs: Inputs, caption: str, columns: Columns, *notes: str) -> tuple[Table, ...]:
    """A row for each phase that has run, with its precision and machine; nothing where none has such figures."""
    rows = tuple(
        Row((inputs.stage(key), *(cell(m) for cell in columns.values()), precision(m), label(inputs, key)))
        for key in PHASES
        if key in inputs.metrics
        for m in [_metrics(inputs, key)]
    )
    ran_on = ("precision", "on")
    header = ("phase", *columns, *ran_on)
    table = without_empty_columns(Table(caption, header, rows, notes=notes, text_at_end=len(ran_on)))
    return (table,) if len(table.header) > 1 + len(ran_on) else ()


def section(inputs: Inputs) -> Section:
    """The curves, and both phases one below the other."""
    drawings = tuple(drawing for key in PHASES for drawing in figures.drawing(inputs, key))
    text = (
        "The unigram entropy is the loss of a model that knows how frequent each token is and nothing of its context. "
        "Only below it has something been learned from context.",
    )
    tables = (
        _scores(inputs),
        *_ran(inputs, "How fast it was trained", SPEED, REAL),
        *_ran(inputs, "How it was trained", RUN, *measured(inputs, PHASES)),
    )
    return Section("pretraining", "Pretraining", text, tables, drawings)
