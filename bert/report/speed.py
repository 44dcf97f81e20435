"""Benchmarks: throughput and latency of each cell, and published figures beside those of the same work."""

from __future__ import annotations

from collections.abc import Iterable

from bert.report import published
from bert.report.inputs import Inputs, Metrics
from bert.report.overview import hardware, label, measured, precision
from bert.report.pretraining import PHASES
from bert.report.tables import NONE, Row, Section, Table, not_run, number, percent

KINDS = {"benchmark_training": "Training", "benchmark_inference": "Inference"}
CLEAN = "Warm-up calls are in no figure of this table; percentiles are by nearest rank."
RULES = (
    "Benchmarks, ours and the published, by the rules of the reference: inference throughput over the fastest 99 % of "
    "the batches, mean latency over all of them, compilation included; training without its first 100 steps. "
    "Pretraining: steady state."
)


def _cell(metrics: Metrics) -> tuple[str, ...]:
    latency = metrics.get("latency_ms") or {}
    return (
        number(metrics.get("sequence_length")),
        number(metrics.get("batch_size")),
        number(metrics.get("ranks")),
        number(metrics.get("sequences_per_second"), 1),
        number(metrics.get("tokens_per_second"), 0),
        *(number(latency.get(name), 2) for name in ("mean", "p50", "p90", "p99", "p100")),
        number(metrics.get("first_call_seconds"), 1),
        number(metrics.get("iterations")),
        percent((metrics.get("roofline") or {}).get("peak_fraction")),
    )


def _model(key: str) -> str:
    """The model of a cell. Examples: benchmark_inference/large-384-8, benchmark_training/squad-large-384-8 -> large"""
    return key.partition("/")[2].rsplit("-", 2)[0].rpartition("-")[2]


def _engine(metrics: Metrics) -> str:
    """What computes. Example: TensorFlow, XLA: fused"""
    if metrics.get("engine") == "openvino":
        return "OpenVINO"
    return f"TensorFlow, XLA: {number(metrics['xla'])}" if "xla" in metrics else NONE


def _table(inputs: Inputs, kind: str) -> Table:
    rows = []
    keys = inputs.group(kind)
    for key in keys:
        if key not in inputs.metrics:
            rows.append(not_run(key.partition("/")[2], inputs.first_run(key)))
            continue
        metrics = inputs.metrics[key]
        how = (_model(key), precision(metrics), _engine(metrics), label(inputs, key))
        rows.append(Row((*how, *_cell(metrics))))
    if not keys:
        rows.append(not_run(kind, f"dvc repro {kind}"))
    done = [key for key in keys if key in inputs.metrics]
    return Table(
        f"{KINDS[kind]}: latencies in ms a {'step' if kind == 'benchmark_training' else 'batch'}",
        (
            *("model", "precision", "by", "on"),
            *("length", "batch", "ranks", "seq / s", "tokens / s"),
            *("mean", "50 %", "90 %", "99 %", "slowest"),
            *("first, s", "calls", "of peak"),
        ),
        tuple(rows),
        text_columns=4,
        notes=(CLEAN, *measured(inputs, done)) if done else (),
    )


def _beside(metrics: Metrics, key: str) -> published.Speed | None:
    """The published figure for the work of a benchmark, if there is one."""
    if metrics.get("precision_effective", metrics.get("precision")) != metrics.get("precision"):
        return None
    work = (_model(key), metrics.get("sequence_length", 0), metrics.get("batch_size", 0))
    ranks, arithmetic = metrics.get("ranks", 1), str(metrics.get("precision"))
    if key.startswith("benchmark_inference/"):
        return published.inference(*work, arithmetic)
    if metrics.get("task") == "pretrain":
        return published.pretraining(*work[:2], metrics.get("global_batch", 0), ranks, arithmetic)
    return published.squad_training(*work, ranks, arithmetic)


def _where(inputs: Inputs, key: str) -> str:
    ranks = inputs.metrics[key].get("ranks", 1)
    return f"{ranks} {'rank' if ranks == 1 else 'ranks'} on {hardware(inputs, key)}"


def _pair(what: str, ours: Metrics, where: str, theirs: published.Speed) -> tuple[Row, Row]:
    latency = ours.get("latency_ms") or {}
    mine = tuple(number(latency.get(name), 2) for name in ("mean", "p90", "p95", "p99"))
    other = tuple(number(value, 2) for value in theirs.latency_ms) or (NONE,) * 4
    return (
        Row((what, f"here: {where}", number(ours.get("sequences_per_second"), 2), *mine), strong=True),
        Row((what, f"published: {theirs.hardware}", number(theirs.sequences_per_second, 2), *other)),
    )


def _pretraining(inputs: Inputs, model: str, lengths: dict[str, int]) -> Iterable[Row]:
    for key in PHASES:
        m = inputs.metrics.get(key, {})
        work = (lengths.get(key, 0), m.get("global_batch", 0), m.get("ranks", 0))
        theirs = published.pretraining(model, *work, str(m.get("precision_effective")))
        if theirs is not None:
            what = f"pretraining, large, {work[0]}, global batch {number(work[1])}, {m['precision_effective']}"
            figures = {"sequences_per_second": m.get("sequences_per_second")}
            yield from _pair(what, figures, _where(inputs, key), theirs)


def _published(inputs: Inputs, model: str, lengths: dict[str, int]) -> tuple[tuple[str, ...], tuple[Table, ...]]:
    rows = list(_pretraining(inputs, model, lengths))
    for kind, name in KINDS.items():
        for key in inputs.group(kind):
            metrics = inputs.metrics.get(key, {})
            theirs, ours = _beside(metrics, key), metrics.get("reference_rules")
            if theirs is not None and ours:
                what = f"{name.lower()}, {key.partition('/')[2]}, {metrics['precision']}"
                rows += _pair(what, ours, _where(inputs, key), theirs)
    if not rows:
        models = {model, *(_model(key) for kind in KINDS for key in inputs.group(kind) if key in inputs.metrics)}
        return (
            "No published figure stands here: those that exist are of BERT-base and BERT-large at lengths 128, 384 and "
            f"512, in fp16, tf32 and fp32, and nothing measured here (model {', '.join(sorted(models))}) is the same "
            "work at the same precision.",
        ), ()
    header = ("work", "hardware", "seq / s", "mean, ms", "90 %", "95 %", "99 %")
    source = (
        f"Published: {published.SOURCE}. Their benchmarks run on SQuAD with its padding, ours on full-length random "
        "tokens: the same arithmetic. Hardware differs unless it says the same."
    )
    return (), (Table("Beside published figures", header, tuple(rows), text_columns=2, notes=(RULES, source)),)


def section(inputs: Inputs, model: str, lengths: dict[str, int]) -> Section:
    """model: what was pretrained. lengths: {phase's key: its sequence length}."""
    why, beside = _published(inputs, model, lengths)
    tables = (*(_table(inputs, kind) for kind in KINDS), *beside)
    return Section("speed", "Benchmarks", why, tables)
