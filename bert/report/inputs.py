"""The files that the report is made of, by the key under which the page asks for them.

A key is a file's path below `metrics/` (or `metrics/curves/`, `metrics/provenance/`), without the suffix: the figures
of metrics/glue/mrpc.json, and the record of where they were measured, metrics/provenance/glue/mrpc.json, are
`glue/mrpc`.
A file that is named but not there is a stage that has not run. A file that is there but broken is an error.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from types import MappingProxyType
from typing import Any

from bert.pipeline.errors import StageError
from bert.pipeline.files import read_json

Metrics = dict[str, Any]
Curve = dict[str, list[float]]
Histogram = dict[str, list[tuple[int, int]]]
"""{split: [(longest length of a bin in tokens, sequences in it)]}"""

CURVE_COLUMNS = ("step", "loss", "learning_rate")  # and what each training adds
HELD_OUT = "_held_out"  # at the end of the key of a training's curve on held-out text
HELD_OUT_COLUMNS = ("step", "mlm_loss")
LENGTHS_COLUMNS = ["split", "tokens", "sequences"]

# The order in which a reader meets the stages; one that is not named here comes last.
ORDER = (
    *("download", "documents", "shards", "cloze", "vocab", "tfrecords", "pretrain_phase1", "pretrain_phase2"),
    *("import_checkpoint", "squad", "squad_control", "export", "glue_data", "glue", "glue_control", "export_glue"),
    *("stability_phase1", "stability_phase2", "stability_squad", "stability_glue", "stability"),
    *("benchmark_training", "benchmark_inference"),
)


def in_order(key: str) -> tuple[int, list[str | int]]:
    """Sort key: by stage, then by name with its numbers as numbers: a batch of 16 comes after one of 8."""
    group = key.partition("/")[0]
    # With the capturing group, text and digits alternate: like is compared with like.
    parts = [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", key)]
    return (ORDER.index(group) if group in ORDER else len(ORDER), parts)


def stage_of(key: str) -> str:
    """The DVC stage that writes the file of `key`. Example: glue/mrpc -> glue@mrpc"""
    group, _, item = key.removesuffix(HELD_OUT).partition("/")
    return f"{group}@{item.replace('/', '-')}" if item else group


@dataclass(frozen=True)
class Inputs:
    """metrics, curves, lengths, provenance (in reading order): {key: content}. missing: metric files not there."""

    metrics: dict[str, Metrics] = field(default_factory=dict)
    curves: dict[str, Curve] = field(default_factory=dict)
    lengths: dict[str, Histogram] = field(default_factory=dict)
    provenance: dict[str, Metrics] = field(default_factory=dict)
    missing: frozenset[str] = frozenset()

    def group(self, name: str, expected: Iterable[str] = ()) -> list[str]:
        """The keys `name`/..., there or not: the `expected` items first, in their order, then the others."""
        first = [f"{name}/{item}" for item in expected]
        others = {k for k in {*self.metrics, *self.missing} if k.startswith(f"{name}/")} - set(first)
        return first + sorted(others, key=in_order)

    def stage(self, key: str) -> str:
        """The stage by the name in its own record, which knows better than the file's name."""
        return str(self.provenance.get(key, {}).get("stage") or stage_of(key))

    def first_run(self, key: str) -> str:
        """The command that makes the figures of `key` for the first time, and what they need."""
        return f"dvc repro {self.stage(key)}"

    def again(self, key: str) -> str:
        """The command that measures the figures of `key` again, and only those, though nothing has changed."""
        return f"dvc repro -f -s {self.stage(key)}"


def key_of(path: Path, folder: str) -> str:
    """The path below the last part called `folder`, without suffix; the bare name where there is none.

    Example: key_of(Path("x/metrics/glue/mrpc.json"), "metrics") == "glue/mrpc"
    """
    parts = path.with_suffix("").parts
    if folder not in parts[:-1]:
        return parts[-1]
    return "/".join(parts[len(parts) - parts[::-1].index(folder) :])


def _files(paths: Iterable[Path], suffix: str) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(p for p in path.rglob(f"*{suffix}") if p.is_file())
        else:
            yield path


def _stale(key: str, members: Mapping[str, Collection[str]]) -> bool:
    group, _, item = key.partition("/")
    return group in members and item not in members[group]


def _read_object(path: Path, made_by: str) -> Metrics:
    value = read_json(path, made_by)
    if not isinstance(value, dict):
        raise StageError(f"{path}: expected a JSON object, got {type(value).__name__}", run=made_by)
    return value


def read_curve(path: Path, made_by: str, expected: tuple[str, ...] = CURVE_COLUMNS) -> Curve:
    """The columns of a training curve, step by step; those `expected` and others.

    Raises:
        StageError: a column is missing, or a line is not all finite numbers; names the file and the line.
    """
    header, *lines = path.read_text(encoding="utf-8").splitlines() or [""]
    names = header.split("\t")
    if absent := [c for c in expected if c not in names]:
        raise StageError(f"{path}: expected the columns {', '.join(expected)}; {absent[0]} is missing", run=made_by)
    columns: Curve = {name: [] for name in names}
    for n, line in enumerate(lines, start=2):
        try:
            values = [float(v) for v in line.split("\t")]
            if len(values) != len(names):
                raise ValueError(f"{len(values)} values for {len(names)} columns")
        except ValueError as error:
            raise StageError(f"{path}, line {n}: {error}", run=made_by) from None
        # What overflowed cannot be drawn.
        if all(map(isfinite, values)):
            for name, value in zip(names, values, strict=True):
                columns[name].append(value)
    return columns


def read_lengths(path: Path, made_by: str) -> Histogram:
    """{split: [(longest length of a bin in tokens, sequences in it)]} of a file that tfrecords wrote.

    Raises:
        StageError: other columns, or a line that is none of theirs; names the file and the line.
    """
    header, *lines = path.read_text(encoding="utf-8").splitlines() or [""]
    if header.split("\t") != LENGTHS_COLUMNS:
        raise StageError(f"{path}: expected the columns {', '.join(LENGTHS_COLUMNS)}, got {header!r}", run=made_by)
    found: Histogram = {}
    for n, line in enumerate(lines, start=2):
        try:
            split, tokens, sequences = line.split("\t")
            found.setdefault(split, []).append((int(tokens), int(sequences)))
        except ValueError as error:
            raise StageError(f"{path}, line {n}: {error}", run=made_by) from None
    return found


def read(
    metrics: Iterable[Path],
    curves: Iterable[Path],
    provenance: Iterable[Path],
    lengths: Iterable[Path] = (),
    members: Mapping[str, Collection[str]] = MappingProxyType({}),
) -> Inputs:
    """Read all files; a folder stands for the .json (or .tsv) files in it.

    members: {folder: names} of what a matrix has now. DVC leaves the files of former members in the folder: they are
    not read. A member without a file is missing.

    Raises:
        StageError: a file is there but broken; names it and the command that makes it anew.
    """
    found: dict[str, Metrics] = {}
    missing = {f"{group}/{item}" for group, items in members.items() for item in items}
    for path in _files(metrics, ".json"):
        key = key_of(path, "metrics")
        if key.startswith("provenance/") or _stale(key, members):
            continue
        if path.exists():
            found[key] = _read_object(path, f"dvc repro -f -s {stage_of(key)}")
        else:
            missing.add(key)
    drawn = {}
    for path in _files(curves, ".tsv"):
        if path.exists():
            key = key_of(path, "curves")
            expected = HELD_OUT_COLUMNS if key.endswith(HELD_OUT) else CURVE_COLUMNS
            drawn[key] = read_curve(path, f"dvc repro -f -s {stage_of(key)}", expected)
    counted = {}
    for path in _files(lengths, ".tsv"):
        if path.exists():
            key = f"tfrecords/{path.stem}"
            counted[key] = read_lengths(path, f"dvc repro -f -s {stage_of(key)}")
    records: dict[str, Metrics] = {}
    for path in _files(provenance, ".json"):
        if path.exists():
            key = key_of(path, "provenance")
            if _stale(key, members):
                continue
            records[key] = _read_object(path, f"dvc repro -f -s {stage_of(key)}")
    records = {key: records[key] for key in sorted(records, key=in_order)}
    return Inputs(found, drawn, counted, records, frozenset(missing - set(found)))
