"""Losses and scores of several revisions below one another, with the spread over their seeds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean, stdev
from typing import Any

from bert.compare.contents import Contents, same_files
from bert.compare.difference import difference
from bert.report import published
from bert.report.overview import precision
from bert.report.stability import FINAL_LOSS, PRETRAINING, SCORES, Run, scores_of
from bert.report.tables import NONE, Row, Section, Table, heading, is_number, number

LOSSES = {FINAL_LOSS: "final loss, nats", "mlm_loss": "held-out MLM loss, nats"}
RULE = (
    "difference: of the mean over the seeds, from that of {first}. none: the seeds alone explain it, by Welch's t-test "
    "(two-sided, 5 %); by chance: the largest difference of which that holds. A single run beside several is taken to "
    "vary as they do; of two single runs (?) nothing is known but that their seeds may explain any difference. Of "
    "twenty comparisons of like with like, one shows a difference all the same. std: sample standard deviation (n - 1)."
)
SHORT_RULE = "none: smaller than `by chance`, what the seeds alone explain (Welch's t-test, two-sided, 5 %)."
OTHER_DATA, SAME = "other data", "same"
# What the published fine-tuned models were trained with: the parameter of the length, and its value.
PUBLISHED_LENGTHS = {"squad": ("squad.max_seq_length", 384), "glue/mrpc": ("glue.mrpc.max_seq_length", 128)}


@dataclass(frozen=True)
class Sample:
    """One score of a training, a value a seed.

    Attributes:
        where: the revision's name, or whose published figure it is
        precision: asked for and, where it is another, run
        data: how many examples, and from where
        files: {path: hash} of the examples, where they are made here
    """

    where: str
    precision: str
    values: tuple[float, ...]
    data: object = None
    files: Mapping[str, str] = field(default_factory=dict)

    def is_on_data_of(self, other: Sample) -> bool:
        """Whether both are scores of the same examples, as far as is known."""
        return self.data == other.data and same_files(self.files, other.files)


def task_of(key: str) -> str:
    """What the stability metrics call the training whose result is `key`. Example: glue/mrpc -> mrpc"""
    return key.removeprefix("glue/")


def _data(contents: Contents, key: str) -> tuple[object, Mapping[str, str]]:
    """`data` and `files` of a sample. Of held-out text: how many masked tokens, and their entropy."""
    metrics = contents.inputs.metrics[key]
    if key in PRETRAINING:
        return (metrics.get("held_out_predictions"), number(metrics.get("unigram_entropy"), 4)), {}
    source = contents.param(f"{key.partition('/')[0]}.data")
    files = contents.data_hashes.get(key, {}) if source == "cloze" else {}
    return (metrics.get("count", metrics.get("total")), source), files


def samples(contents: Contents, key: str, score: str) -> Iterator[Sample]:
    """Of the result under `key` and, by precision, of the seeds beside it.

    Seeds count where the result is one of them: those of an older result say nothing about this one.
    """
    metrics = contents.inputs.metrics.get(key)
    if metrics is None:
        return
    task, data = task_of(key), _data(contents, key)
    result = scores_of(Run(task, key, 0), metrics)
    if not is_number(result.get(score)):
        return
    summary: Any = contents.inputs.metrics.get("stability", {}).get(task)
    by_precision: dict[str, Any] = dict(summary) if isinstance(summary, dict) else {}
    own = by_precision.pop(str(metrics.get("precision")), None) or {}
    seeds = own.get("seeds", {})
    if seeds.get(str(contents.param("seed"))) != result:
        yield Sample(contents.name, precision(metrics), (result[score],), *data)
        return
    yield Sample(contents.name, precision(metrics), _values(seeds, score), *data)
    for name, of in by_precision.items():
        if values := _values(of.get("seeds", {}), score):
            words = precision({"precision": name, "precision_effective": of.get("ran_as")})
            yield Sample(contents.name, words, values, *data)


def _values(seeds: dict[str, dict[str, Any]], score: str) -> tuple[float, ...]:
    return tuple(scores[score] for scores in seeds.values() if is_number(scores.get(score)))


def published_samples(contents: Contents, key: str, score: str) -> Iterator[Sample]:
    """The published seeds of the same model, development set and length, in the precision that ran here."""
    metrics = contents.inputs.metrics.get(key, {})
    parameter, length = PUBLISHED_LENGTHS.get(key, ("", None))
    if contents.param(f"{key.partition('/')[0]}.data") != "download" or contents.param(parameter) != length:
        return
    init = contents.param("finetune.init")
    model = str(metrics.get("model", "imported" if init == "imported" else contents.param("model")))
    named, by_precision = published.seeds(key, model, metrics.get("count")) or ("", {})
    ran = str(metrics.get("precision_effective", metrics.get("precision")))
    if named == score and ran in by_precision:
        yield Sample("published", ran, by_precision[ran], *_data(contents, key))


def _rows(what: str, found: Sequence[Sample], first: Sample | None, digits: int) -> Iterator[Row]:
    for sample in found:
        cells = [
            *(what, sample.where, sample.precision, number(len(sample.values)), number(fmean(sample.values), digits)),
            number(stdev(sample.values), digits) if len(sample.values) > 1 else NONE,
        ]
        yield Row((*cells, *_against(first, sample, digits)))


def _against(first: Sample | None, sample: Sample, digits: int) -> tuple[str, str]:
    """The cells `difference` and `by chance`."""
    if first is None or sample is first:
        return NONE, NONE
    if not sample.is_on_data_of(first):
        return OTHER_DATA, NONE
    if sample.values == first.values:
        return SAME, NONE
    found = difference(first.values, sample.values)
    bound = "?" if found.by_chance is None else number(found.by_chance, digits)
    return "none" if found.is_none else f"{found.value:+z.{digits}f}", bound


def _table(revisions: Sequence[Contents], scores: Sequence[tuple[str, str, str]], caption: str) -> Table | None:
    """scores: (key, score, what to call it). None where no revision has any of them."""
    rows: list[Row] = []
    for key, score, what in scores:
        found = [sample for contents in revisions for sample in samples(contents, key, score)]
        if not found:
            continue
        first = found[0] if found[0].where == revisions[0].name else None
        beside = [sample for contents in revisions for sample in published_samples(contents, key, score)]
        digits = 4 if score in LOSSES else 2
        rows += _rows(what, [*found, *(one for n, one in enumerate(beside) if one not in beside[:n])], first, digits)
    if not rows:
        return None
    header = ("score", "revision", "precision", "runs", "mean", "std", "difference", "by chance")
    notes = [SHORT_RULE]
    if any(row.cells[1] == "published" for row in rows):
        notes.append(f"published: {published.SOURCE}, on 8 x {published.A100}, of the same model, examples and length.")
    if any(OTHER_DATA in row.cells for row in rows):
        notes.append(f"{OTHER_DATA}: the two were scored on different examples, or held-out text.")
    return Table(caption, header, tuple(rows), text_columns=3, notes=tuple(notes))


def _names(revisions: Sequence[Contents], key: str) -> list[str]:
    """The scores that any of them has of a task, in the order of their files, the main one first."""
    found: dict[str, None] = {}
    for contents in revisions:
        found |= dict.fromkeys(contents.inputs.metrics.get(key, {}))
    return [name for name in found if name in SCORES]


def section(revisions: Sequence[Contents]) -> Section:
    """Pretraining, SQuAD, GLUE; each only where a revision has figures of it."""
    phases = [(key, loss, f"phase {key[-1]}: {words}") for key in PRETRAINING for loss, words in LOSSES.items()]
    squad = [("squad", name, heading(name)) for name in _names(revisions, "squad")]
    tasks = dict.fromkeys(key for contents in revisions for key in contents.inputs.group("glue"))
    glue = [(key, name, f"{task_of(key)}: {heading(name)}") for key in tasks for name in _names(revisions, key)]
    tables = [
        _table(revisions, phases, "Pretraining, losses"),
        _table(revisions, squad, "SQuAD"),
        _table(revisions, glue, "GLUE and tasks of one's own"),
    ]
    text = RULE.format(first=revisions[0].name) if any(tables) else "None of the revisions has losses or scores."
    return Section("scores", "Losses and scores", (text,), tuple(table for table in tables if table))
