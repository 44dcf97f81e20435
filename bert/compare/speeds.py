"""Throughput, latency and weak scaling of several revisions below one another, by the work that was timed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bert.compare import speedups
from bert.compare.contents import Contents
from bert.compare.machines import Labels, unknown_note
from bert.compare.timings import Timing, Work, benchmark, by_work, stages
from bert.report import published
from bert.report.cells import INFERENCE, TRAINING
from bert.report.overview import hardware
from bert.report.tables import NONE, Row, Section, Table, number, percent

LATENCIES = {"mean": "mean", "p50": "50 %", "p90": "90 %", "p95": "95 %", "p99": "99 %", "p100": "slowest"}
OUT_OF_MEMORY = "out of memory"
CLEAN = "Warm-up calls are in no figure of the benchmarks; percentiles are by nearest rank."
TOKENS = "tokens / s"  # of benchmarks, whose rows are full
REAL_TOKENS = "real tokens / s"
UPDATE = "update: rows of an update, over all ranks and accumulated micro-batches."
WHERE = ("work", "revision", "precision", "on")
RULES = (
    "By the rules of the reference, ours and the published: inference throughput over the fastest 99 % of the batches, "
    "mean latency over all of them, compilation included; training without its first 100 steps. No speed-up stands "
    "here: the machines are different ones."
)


Shape = Mapping[str, Callable[[Work], int | None]]
"""{column: what it says of a work}"""


def _throughput(timing: Timing, first: Timing | None) -> tuple[str, str]:
    """The cells `seq / s` and `speed-up`."""
    if timing.metrics.get("out_of_memory"):
        return OUT_OF_MEMORY, NONE
    speed = timing.metrics.get("sequences_per_second")
    if first is None or timing is first:
        return number(speed, 1), NONE
    return number(speed, 1), speedups.speedup(first, timing)


def _throughputs(
    revisions: Sequence[Contents],
    labels: Labels,
    works: dict[Work, list[Timing]],
    caption: str,
    shape: Shape,
    tokens: str = TOKENS,
) -> Table | None:
    """None without works.

    shape: the columns that tell works apart, beside their names. tokens: what to call the tokens a second
    """
    rows = []
    has_tokens = any("tokens_per_second" in timing.metrics for group in works.values() for timing in group)
    has_peak = any("roofline" in timing.metrics for group in works.values() for timing in group)
    for work, group in works.items():
        first = next((timing for timing in group if timing.contents is revisions[0]), None)
        for timing in group:
            peak = percent((timing.metrics.get("roofline") or {}).get("peak_fraction"))
            cells = (*_throughput(timing, first), *([number(timing.tokens, 0)] * has_tokens), *([peak] * has_peak))
            rows.append(Row((*_where(timing, labels), *(number(of(work)) for of in shape.values()), *cells)))
    figures = ("seq / s", "speed-up", *([tokens] * has_tokens), *(["of peak"] * has_peak))
    header = (*WHERE, *shape, *figures)
    shown = (row.cells[header.index("speed-up")] for row in rows)
    notes = (*((UPDATE,) if "update" in shape else ()), *speedups.notes(shown))
    return Table(caption, header, tuple(rows), len(WHERE), notes) if rows else None


def _where(timing: Timing, labels: Labels) -> tuple[str, ...]:
    """The cells of WHERE."""
    return timing.work.name, timing.contents.name, timing.how, labels.of(timing.machine)


def _latencies(labels: Labels, works: dict[Work, list[Timing]], caption: str) -> Table | None:
    rows = []
    for group in works.values():
        for timing in group:
            latency = timing.metrics.get("latency_ms") or {}
            if latency:
                cells = (number(latency.get(name), 2) for name in LATENCIES)
                rows.append(Row((*_where(timing, labels), *cells)))
    return Table(caption, (*WHERE, *LATENCIES.values()), tuple(rows), text_columns=len(WHERE)) if rows else None


def _weak_scaling(labels: Labels, works: dict[Work, list[Timing]]) -> Table | None:
    """Of the benchmarks on several ranks, which time fewer as well: each step of it on the same machine."""
    rows = []
    for group in works.values():
        for timing in group:
            for step in timing.metrics.get("weak_scaling") or ():
                figures = (number(step.get("sequences_per_second"), 1), number(step.get("speedup"), 2))
                rows.append(Row((*_where(timing, labels), number(step.get("ranks")), *figures)))
    header = (*WHERE, "ranks", "seq / s", "weak scaling")
    note = "weak scaling: sequences a second over those of one rank, with the same rows for each rank."
    return Table("Weak scaling", header, tuple(rows), text_columns=len(WHERE), notes=(note,)) if rows else None


def _published(timing: Timing) -> published.Speed | None:
    """The published figure of the same work: task, model, length, micro-batch and batch, devices, precision."""
    work, arithmetic = timing.work, timing.arithmetic
    if arithmetic is None or work.length is None or work.batch is None:
        return None
    if work.kind == INFERENCE:
        return published.inference(work.model, work.length, work.batch, arithmetic) if work.ranks == 1 else None
    if work.kind == "pretrain":
        update = work.update or 0
        micro_batch = update // (work.ranks * int(timing.metrics.get("accumulation", 1)))
        return published.pretraining(work.model, work.length, micro_batch, update, work.ranks, arithmetic)
    if timing.key.startswith(f"{TRAINING}/") and work.kind == "squad":
        return published.squad_training(work.model, work.length, work.batch, work.ranks, arithmetic)
    return None


def _pair(timing: Timing, theirs: published.Speed) -> tuple[Row, Row]:
    """Our row by the reference's rules, and the published one."""
    ours: Any = timing.metrics.get("reference_rules") or {}
    if not timing.key.startswith((f"{TRAINING}/", f"{INFERENCE}/")):
        ours = {"sequences_per_second": timing.metrics.get("sequences_per_second")}
    latency = ours.get("latency_ms") or {}
    mine = tuple(number(latency.get(percentile), 2) for percentile in ("mean", "p90", "p95", "p99"))
    other = tuple(number(value, 2) for value in theirs.latency_ms) or (NONE,) * len(mine)
    name = timing.work.name
    here = hardware(timing.contents.inputs, timing.key)
    speed = OUT_OF_MEMORY if timing.metrics.get("out_of_memory") else number(ours.get("sequences_per_second"), 2)
    return (
        Row((name, timing.contents.name, timing.how, here, speed, *mine)),
        Row(
            (
                name,
                "published",
                timing.arithmetic or "",
                theirs.hardware,
                number(theirs.sequences_per_second, 2),
                *other,
            )
        ),
    )


def _beside(works: Sequence[dict[Work, list[Timing]]]) -> Table | None:
    rows: dict[Row, None] = {}
    for group in works:
        for timings in group.values():
            pairs = [_pair(timing, theirs) for timing in timings if (theirs := _published(timing)) is not None]
            rows |= dict.fromkeys(ours for ours, _ in pairs) | dict.fromkeys(theirs for _, theirs in pairs)
    header = ("work", "revision", "precision", "hardware", "seq / s", "mean, ms", "90 %", "95 %", "99 %")
    notes = (RULES, f"published: {published.SOURCE}.")
    return Table("Beside published figures", header, tuple(rows), text_columns=4, notes=notes) if rows else None


def section(revisions: Sequence[Contents], labels: Labels) -> Section:
    """Trainings of the pipeline, benchmarks of training and inference, weak scaling, published figures."""
    trainings = by_work(revisions, stages)
    training = by_work(revisions, benchmark(TRAINING))
    inference = by_work(revisions, benchmark(INFERENCE))
    own: Shape = {"length": lambda w: w.length, "batch": lambda w: w.update, "ranks": lambda w: w.ranks}
    trained: Shape = {"update": lambda w: w.update, "ranks": lambda w: w.ranks}
    tables = [
        _throughputs(revisions, labels, trainings, "Trainings of the pipeline", own, REAL_TOKENS),
        _throughputs(revisions, labels, training, "Training benchmark", trained),
        _latencies(labels, training, "Training benchmark: ms a step"),
        _weak_scaling(labels, training),
        _throughputs(revisions, labels, inference, "Inference benchmark", {}),
        _latencies(labels, inference, "Inference benchmark: ms a batch"),
        _beside((trainings, training, inference)),
    ]
    keys = [timing.key for works in (trainings, training, inference) for group in works.values() for timing in group]
    text = (f"{speedups.RULE.format(first=revisions[0].name)} {CLEAN}", *unknown_note(revisions, keys))
    shown = tuple(table for table in tables if table)
    nothing = ("None of the revisions has a speed.",)
    return Section("speeds", "Throughput and latency", text if shown else nothing, shown)
