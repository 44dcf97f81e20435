"""Benchmarks in the layout of the published tables, with published figures beside those of the same work."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from bert.report import latencies, published, scaling
from bert.report.cells import INFERENCE, TRAINING, Cell, cells, engine
from bert.report.inputs import Inputs, Metrics
from bert.report.overview import hardware, label, measured, precision
from bert.report.pretraining import PHASES
from bert.report.tables import NONE, Row, Section, Table, is_number, not_run, number, percent, without_empty_columns

PRECISIONS = ("fp32", "tf32", "bf16", "fp16")  # from the most exact on: each is held against the first that there is
MEMORY = "out of memory"
CLEAN = "Warm-up calls are in no figure of this table; percentiles are by nearest rank."
RULES = {
    TRAINING: (
        "By the rules of the published benchmarks: SQuAD without its first 100 steps, pretraining without its first "
        "updates. The next table counts each step after the warm-up."
    ),
    INFERENCE: (
        "By the rules of the published benchmark: throughput over the fastest 99 % of the batches, mean latency over "
        "all of them, compilation included. The table of each call counts all after the warm-up."
    ),
}
SOURCE = (
    f"Published: {published.SOURCE}. Their benchmarks ran on SQuAD with its padding, the cells here on full-length "
    "random tokens: the same arithmetic. No quotient is taken between different machines."
)


def _speed_up(speeds: dict[str, float]) -> str:
    """Of the fastest precision against the most exact one, both of the same machine. Example: 2.84 (fp16 : fp32)"""
    exact = next((name for name in PRECISIONS if name in speeds), None)
    if exact is None or len(speeds) < 2:
        return NONE
    fastest = max((name for name in speeds if name != exact), key=lambda name: speeds[name])
    return f"{speeds[fastest] / speeds[exact]:.2f} ({fastest} : {exact})"


def _here(inputs: Inputs, cell: Cell) -> str:
    if cell.key not in inputs.provenance:
        return "here"
    return f"here, {label(inputs, cell.key)}: {hardware(inputs, cell.key)}"


def _ours(cell: Cell) -> Metrics:
    """By the published rules where the run was long enough for them, else without them."""
    return cell.by_the_rules if is_number(cell.by_the_rules.get("sequences_per_second")) else cell.metrics


def _throughput(inputs: Inputs, kind: str, found: list[Cell]) -> tuple[Table, ...]:
    """Cells by precision: those measured here, below each the published ones of the same work."""
    found = [cell for cell in found if is_number(_ours(cell).get("sequences_per_second")) or not cell.fits]
    # As it ran: what was asked for is in the table of steps.
    ran = {cell.key: str(cell.metrics.get("precision_effective") or cell.metrics.get("precision")) for cell in found}
    named = {*ran.values(), *(name for cell in found for speeds in cell.published.values() for name in speeds)}
    columns = [*(name for name in PRECISIONS if name in named), *sorted(named.difference(PRECISIONS))]
    if len(columns) < (1 if kind == TRAINING else 2):  # of inference the table of latencies has the only one
        return ()
    rows = []
    for cell in found:
        size = [number(cell.length), number(cell.batch)]
        size += [number(cell.global_batch), number(cell.ranks)] if kind == TRAINING else []
        speeds = {ran[cell.key]: _ours(cell).get("sequences_per_second")}
        shown = {name: number(value, 2) for name, value in speeds.items()} if cell.fits else {ran[cell.key]: MEMORY}
        values = [shown.get(name, NONE) for name in columns]
        rows.append(Row((cell.name, *values, NONE, *size, _here(inputs, cell)), strong=True))
        for machine, theirs in cell.published.items():
            known = {name: speed.sequences_per_second for name, speed in theirs.items()}
            values = [number(known.get(name), 2) for name in columns]
            rows.append(Row((cell.name, *values, _speed_up(known), *size, f"published: {machine}")))
    sizes = ("length", "batch a rank", "global batch", "ranks") if kind == TRAINING else ("length", "batch")
    header = ("cell", *columns, "speed-up", *sizes, "on")
    notes = (RULES[kind], *([SOURCE] if any(cell.published for cell in found) else []))
    caption = "Throughput, sequences / s"
    return (without_empty_columns(Table(caption, header, tuple(rows), notes=notes, text_at_end=1)),)


def _latency_by_the_rules(inputs: Inputs, found: list[Cell]) -> tuple[Table, ...]:
    """The published inference table: here, and the same work as published."""
    rows = []
    for cell in found:
        ours = cell.by_the_rules
        latency = ours.get("latency_ms") or {}
        if not latency and cell.fits:
            continue
        figures = [number(ours.get("sequences_per_second"), 2) if cell.fits else MEMORY]
        figures += [number(latency.get(name), 2) for name in ("mean", "p90", "p95", "p99")]
        size = (number(cell.length), number(cell.batch))
        rows.append(Row((cell.name, *figures, *size, precision(cell.metrics), _here(inputs, cell)), strong=True))
        for machine, theirs in cell.published.items():
            same = theirs[str(cell.precision)]
            cited = [number(value, 2) for value in (same.sequences_per_second, *same.latency_ms)]
            rows.append(Row((cell.name, *cited, *size, str(cell.precision), f"published: {machine}")))
    if not rows:
        return ()
    header = ("cell", "seq / s", "mean, ms", "90 %", "95 %", "99 %", "length", "batch", "precision", "on")
    notes = (RULES[INFERENCE], *([SOURCE] if any(cell.published for cell in found) else []))
    return (Table("Latency by the published rules, ms", header, tuple(rows), notes=notes, text_at_end=2),)


def _of(name: str, part: str) -> Callable[[Metrics], object]:
    return lambda metrics: (metrics.get(name) or {}).get(part)


Columns = dict[str, Callable[[Metrics], str]]
BY = "by"  # a column of text, the last before precision and machine

TIMES: Columns = {
    "seq / s": lambda m: MEMORY if m.get("out_of_memory") else number(m.get("sequences_per_second"), 1),
    "tokens / s": lambda m: number(m.get("tokens_per_second"), 0),
    "mean, ms": lambda m: number(_of("latency_ms", "mean")(m), 2),
    "50 %": lambda m: number(_of("latency_ms", "p50")(m), 2),
    "90 %": lambda m: number(_of("latency_ms", "p90")(m), 2),
    "95 %": lambda m: number(_of("latency_ms", "p95")(m), 2),
    "99 %": lambda m: number(_of("latency_ms", "p99")(m), 2),
    "slowest": lambda m: number(_of("latency_ms", "p100")(m), 2),
}
RAN: Columns = {
    "length": lambda m: number(m.get("sequence_length")),
    "batch": lambda m: number(m.get("batch_size")),
    "accumulation": lambda m: number(m.get("accumulation")),
    "ranks": lambda m: number(m.get("ranks")),
    "calls": lambda m: number(m.get("iterations")),
    "compilation, s": lambda m: number(m.get("compile_seconds"), 1),
    "first call, s": lambda m: number(m.get("first_call_seconds"), 1),
    BY: engine,
}
COSTS: Columns = {
    "GFLOP / s": lambda m: number(_of("roofline", "gflops_per_second")(m), 0),
    "of peak": lambda m: percent(_of("roofline", "peak_fraction")(m)),
    "memory, MB": lambda m: number(m.get("peak_rss_mb"), 0),
    "accelerator memory, MB": lambda m: number(m.get("peak_device_mb"), 0),
    "J a sequence, CPU": lambda m: number(_of("energy_joules_per_sequence", "cpu")(m), 3),
    "J a sequence, GPU": lambda m: number(_of("energy_joules_per_sequence", "gpu")(m), 3),
    "W, CPU": lambda m: number(_of("average_watts", "cpu")(m), 0),
    "W, GPU": lambda m: number(_of("average_watts", "gpu")(m), 0),
}


RAN_ON = ("precision", "on")


def _step(inputs: Inputs, cell: Cell, columns: Columns) -> Row:
    figures = (figure(cell.metrics) for figure in columns.values())
    return Row((cell.name, *figures, precision(cell.metrics), label(inputs, cell.key)))


def _by_cell(caption: str, columns: Columns, rows: Iterable[Row], *notes: str) -> Table:
    head, texts = ("cell", *columns, *RAN_ON), len(RAN_ON) + (BY in columns)
    return without_empty_columns(Table(caption, head, tuple(rows), notes=notes, text_at_end=texts))


def _steps(inputs: Inputs, kind: str, found: list[Cell]) -> tuple[Table, ...]:
    """All that was measured of each cell, without the reference's rules: its times, how it ran, what it costs."""
    known = {cell.key: cell for cell in found}
    what = "step of training" if kind == TRAINING else "call of inference"
    rows = [
        _step(inputs, known[key], TIMES) if key in known else not_run(key.partition("/")[2], inputs.first_run(key))
        for key in inputs.group(kind)
    ]
    rows = rows or [not_run(kind, f"dvc repro {kind}")]
    times = _by_cell(f"Each {what}", TIMES, rows, *((CLEAN, *measured(inputs, known)) if known else ()))
    if not known:
        return (times,)
    others = (
        _by_cell(f"How each {what} ran", RAN, (_step(inputs, cell, RAN) for cell in found)),
        _by_cell(f"What each {what} costs", COSTS, (_step(inputs, cell, COSTS) for cell in found)),
    )
    return (times, *(other for other in others if len(other.header) > 1 + other.text_at_end))


def _phases(inputs: Inputs, model: str, lengths: dict[str, int]) -> list[Cell]:
    """Both phases of the pretraining itself, where their work was published."""
    found = []
    for key in PHASES:
        m = inputs.metrics.get(key, {})
        batch = int(m.get("global_batch") or 0) // max(1, int(m.get("ranks") or 1) * int(m.get("accumulation") or 1))
        cell = Cell(key, m, "pretrain", model, lengths.get(key, 0), batch, str(m.get("precision_effective")))
        if cell.published:
            found.append(cell)
    return found


def _unlike(found: Iterable[Cell]) -> tuple[str, ...]:
    """Why nothing published stands beside the cells, where nothing does."""
    known = list(found)
    if not known or any(cell.published for cell in known):
        return ()
    models = ", ".join(sorted({cell.model for cell in known}))
    return (
        "No published figure stands here: those that exist are of BERT-base and BERT-large at lengths 128, 384 and "
        f"512, in fp16, tf32 and fp32, and nothing measured here (model {models}) is the same work at the same "
        "precision.",
    )


def training(inputs: Inputs, model: str, lengths: dict[str, int]) -> Section:
    """model: what was pretrained. lengths: {phase's key: its sequence length}."""
    timed = cells(inputs, TRAINING)
    shown = [*timed, *_phases(inputs, model, lengths)]
    tables = (
        *_throughput(inputs, TRAINING, shown),
        *scaling.table(inputs, timed),
        *_steps(inputs, TRAINING, timed),
    )
    drawings = latencies.drawing(timed, "a step, forward and back")
    return Section("training", "Training throughput", _unlike(shown), tables, drawings)


def inference(inputs: Inputs) -> Section:
    """Latency first: it is what inference is asked for."""
    timed = cells(inputs, INFERENCE)
    tables = (
        *_latency_by_the_rules(inputs, timed),
        *_throughput(inputs, INFERENCE, timed),
        *_steps(inputs, INFERENCE, timed),
    )
    return Section("inference", "Inference", _unlike(timed), tables, latencies.drawing(timed, "a batch"))
