"""Where each figure was measured: machines, parameters, and the run of each stage."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from markupsafe import Markup

from bert.report.inputs import Inputs, Metrics
from bert.report.tables import NONE, Fold, Row, Section, Table, code, letter, number

NAMES = {
    "finetune.init": "fine-tuned from",
    "squad.data": "SQuAD data",
    "glue.data": "GLUE data",
    "tfrecords.phase1.sequence_length": "length, phase 1",
    "tfrecords.phase2.sequence_length": "length, phase 2",
}


def _machine(record: Metrics) -> tuple[str, ...]:
    """Hardware and versions of a record: what has to be the same for two timings to be comparable."""
    machine, versions = record.get("machine", {}), record.get("versions", {})
    return (
        str(machine.get("accelerator") or "none"),
        str(machine.get("cpu") or "unknown"),
        number(machine.get("cores")),
        number(machine.get("memory_gb"), 1),
        ", ".join(f"{name} {version}" for name, version in sorted(versions.items())) or "not recorded",
    )


def machines(inputs: Inputs) -> dict[tuple[str, ...], str]:
    """{machine with versions: its label A, B, ...}, in the order of the records."""
    distinct = dict.fromkeys(map(_machine, inputs.provenance.values()))
    return {machine: letter(n) for n, machine in enumerate(distinct, start=1)}


def label(inputs: Inputs, key: str) -> str:
    """The machine that measured the figures of `key`. Example: A"""
    record = inputs.provenance.get(key)
    return machines(inputs)[_machine(record)] if record else NONE


def hardware(inputs: Inputs, key: str) -> str:
    """The device in words: the accelerators, else the processor. Examples: 8 x NVIDIA A100, 2 cores of Xeon 6448Y"""
    machine = inputs.provenance.get(key, {}).get("machine", {})
    accelerator = str(machine.get("accelerator") or "none")
    if accelerator != "none":
        counts = Counter(accelerator.split(", "))
        return ", ".join(f"{n} x {name}" if n > 1 else name for name, n in counts.items())
    return f"{number(machine.get('cores'))} cores of {machine['cpu']}" if machine.get("cpu") else "not recorded"


def precision(metrics: Metrics) -> str:
    """The precision asked for, and the one that ran where the device has no such arithmetic."""
    asked, ran = metrics.get("precision"), metrics.get("precision_effective")
    return number(asked) if ran in (None, asked) else f"{asked}, ran as {ran}"


def _commit(record: Metrics) -> str:
    commit = str(record.get("commit") or NONE)
    return f"{commit} + changes" if record.get("dirty") else commit


def _when(record: Metrics) -> str:
    return str(record.get("started") or NONE).replace("T", " ").removesuffix("Z")


FEW = 2  # stages under one table for which there is a line each


def measured(inputs: Inputs, keys: Iterable[str]) -> tuple[Markup, ...]:
    """Where the figures of `keys` were measured, and the commands that measure them again, or where to find both."""
    done = [key for key in keys if key in inputs.metrics]
    if len(done) > FEW:
        where = ", ".join(dict.fromkeys(label(inputs, key) for key in done))
        link = Markup('<a href="#where">Where it was measured</a>')
        return (Markup("Measured on {}; the commands that measure them again: {}.").format(where, link),)
    lines = []
    for key in done:
        record = inputs.provenance.get(key)
        where = (
            f"{label(inputs, key)} ({hardware(inputs, key)}) at {_commit(record)}, {_when(record)}"
            if record
            else "a machine that was not recorded"
        )
        line = Markup("{}: measured on {}; again: {}")
        lines.append(line.format(inputs.stage(key), where, code(inputs.again(key))))
    return tuple(lines)


def _settings(inputs: Inputs, params: dict[str, Any]) -> Table:
    size = inputs.metrics.get("vocab", {}).get("size")
    # A seed is a name, not an amount: no thousands separator.
    values = {NAMES.get(name, name): str(value) for name, value in params.items()}
    values["vocabulary"] = f"{number(size)} pieces" if size is not None else NONE
    return Table("Parameters", ("parameter", "value"), tuple(Row(row) for row in values.items()), text_columns=2)


def _machines(inputs: Inputs) -> tuple[Table, ...]:
    found = tuple(Row((name, *machine[:2], machine[4], *machine[2:4])) for machine, name in machines(inputs).items())
    header = ("machine", "accelerator", "CPU", "versions", "cores", "memory, GiB")
    return (Table("Machines", header, found, text_columns=4),) if found else ()


def _runs(inputs: Inputs) -> tuple[Fold, ...]:
    rows = tuple(
        Row(
            (
                inputs.stage(key),
                label(inputs, key),
                _commit(record),
                Markup('<span class="whole">{}</span>').format(_when(record)),
                code(str(record.get("command") or inputs.again(key))),
                number(record.get("seconds"), 1),
            )
        )
        for key, record in inputs.provenance.items()
    )
    if not rows:
        return ()
    notes = ("“+ changes”: the working tree differed from the commit.",) if any("+" in r.cells[2] for r in rows) else ()
    header = ("stage", "on", "commit", "started (UTC)", "again", "seconds")
    table = Table("Runs", header, rows, text_columns=5, notes=notes)
    return (Fold("Each run", (table,), f"{len(rows)} with machine, commit, time and the command that repeats it"),)


def where(inputs: Inputs, params: dict[str, Any]) -> Section:
    """Machines, parameters, and of each stage's run where and when it was.

    params: {dotted name: value} of what the reader should know.
    """
    text = (
        "DVC compares files and parameters, not machines: a figure measured elsewhere looks up to date to it. The "
        "command measures it again, here."
        if inputs.provenance
        else "No stage has recorded where it ran."
    )
    tables = (*_machines(inputs), _settings(inputs, params))
    return Section("where", "Where it was measured", (text,), tables, folds=_runs(inputs))
