"""Pretraining: how well each phase predicts held-out text, how fast it went, and its curve."""

from __future__ import annotations

from typing import Any

from bert.report import figures
from bert.report.inputs import Inputs, Metrics
from bert.report.overview import label, measured, precision
from bert.report.tables import NONE, Row, Section, Table, not_run, number, percent

PHASES = ("pretrain_phase1", "pretrain_phase2")


def _best(m: Metrics) -> str:
    """The step with the smallest held-out loss meanwhile, and whether its weights are the result."""
    if m.get("best_step") is None:
        return NONE
    kept = ", kept" if m.get("kept_step") == m["best_step"] else ""
    return f"{number(m['best_step'])} ({number(m.get('best_mlm_loss'), 4)}{kept})"


def _measures(m: Metrics) -> dict[str, str]:
    """Row heading -> cell."""
    return {
        "masked tokens: loss, nats": number(m.get("mlm_loss"), 4),
        "unigram entropy, nats": number(m.get("unigram_entropy"), 4),
        "nats below unigram entropy": number(m.get("nats_below_unigram"), 4),
        "masked tokens: right": percent(m.get("mlm_accuracy")),
        "next sentence: loss, nats": number(m.get("nsp_loss"), 4),
        "next sentence: right": percent(m.get("nsp_accuracy")),
        "loss on the training text, MLM / NSP": f"{number(m.get('train_mlm_loss'), 4)} / "
        f"{number(m.get('train_nsp_loss'), 4)}",
        "sequences / s": number(m.get("sequences_per_second")),
        "tokens / s": number(m.get("tokens_per_second")),
        "precision": precision(m),
        "XLA": number(m.get("xla")),
        "layers recomputed in the backward pass": number(m.get("recompute")),
        "ranks": number(m.get("ranks")),
        "accumulated micro-batches": number(m.get("accumulation")),
        "global batch": number(m.get("global_batch")),
        "steps": number(m.get("steps")),
        "best step (MLM loss on some held-out text)": _best(m),
        "skipped steps": number(m.get("skipped_steps")),
        "peak memory, MB": number(m.get("peak_rss_mb")),
        "peak accelerator memory, MB": number(m.get("peak_device_mb")),
    }


def _table(inputs: Inputs) -> Table:
    done = [key for key in PHASES if key in inputs.metrics]
    columns: list[dict[str, Any]] = [
        {**_measures(inputs.metrics[key]), "measured on": label(inputs, key)} for key in done
    ]
    rows = [Row((name, *(column[name] for column in columns))) for name in (columns[0] if columns else {})]
    rows += [not_run(inputs.stage(key), inputs.first_run(key)) for key in PHASES if key not in inputs.metrics]
    header = ("held-out text", *(inputs.stage(key) for key in done))
    return Table("Held-out figures", header, tuple(rows), notes=measured(inputs, done))


def section(inputs: Inputs) -> Section:
    """Both phases side by side."""
    drawings = tuple(drawing for key in PHASES for drawing in figures.drawing(inputs, key))
    text = (
        "The unigram entropy is the loss of a model that knows how frequent each token is and nothing of its context. "
        "Only below it has something been learned from context.",
    )
    return Section("pretraining", "Pretraining", text, (_table(inputs),), drawings)
