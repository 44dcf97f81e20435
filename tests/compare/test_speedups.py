"""bert/compare/speedups.py: what has to be alike before one speed is divided by another."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bert.compare.contents import Contents
from bert.compare.machines import Labels
from bert.compare.speeds import section
from bert.report.tables import Table
from tests.compare.made import CPU, PARAMS, column, contents, table

CELL, PHASE, TUNED = "benchmark_inference/tiny-128-8", "pretrain_phase1", ("squad", "glue/mrpc")
IMPORTED = {"init": "imported", "group_by_length": False}
CHECKPOINT = {"url": "https://example.org/model.safetensors", "sha256": "a" * 64}


def timed(
    name: str, speed: float, record: str | None = None, machine: dict[str, Any] | None = CPU, **more: Any
) -> Contents:
    """A revision with one benchmark; record: the hash of its record."""
    found = contents(name, {CELL: {"sequences_per_second": speed, "precision": "fp32", "ranks": 1} | more}, machine)
    return replace(found, record_hashes={} if record is None else {CELL: record})


def trained(name: str, speed: float, key: str, hashes: dict[str, str] | None = None, **params: Any) -> Contents:
    """A revision with one training of the pipeline."""
    figures = {"sequences_per_second": speed, "global_batch": 8, "ranks": 1, "precision": "fp32"}
    return contents(name, {key: figures}, params=PARAMS | params, hashes={key: hashes or {}})


def compared(first: Contents, second: Contents) -> Table:
    return table(section([first, second], Labels()), "Trainings of the pipeline")


def speedup(first: Contents, second: Contents, caption: str = "Trainings of the pipeline") -> str:
    return column(table(section([first, second], Labels()), caption), "speed-up")[1]


def imported(name: str, speed: float, key: str, source: Any, **params: Any) -> Contents:
    start = {"finetune": IMPORTED, "import_checkpoint": {"source": source, "weights": None}} | params
    return trained(name, speed, key, **start)


@pytest.mark.parametrize("key", TUNED)
def test_another_checkpoint_is_another_model(key: str) -> None:
    """Whose speed is divided by none, whatever `model` says: that is of what was pretrained here."""
    first = imported("HEAD", 10, key, [CHECKPOINT])
    other = imported("a", 20, key, [CHECKPOINT | {"sha256": "b" * 64}])
    found = compared(first, other)
    assert column(found, "speed-up") == ["–", "other model"]
    assert any(note.startswith("other model: ") for note in found.notes)
    elsewhere = imported("a", 20, key, [CHECKPOINT | {"url": "https://mirror.example.org/x", "licence": "mit"}])
    assert speedup(first, elsewhere) == "2.00"
    assert speedup(first, imported("a", 20, key, [CHECKPOINT], model="tiny")) == "2.00"


@pytest.mark.parametrize("key", TUNED)
def test_a_checkpoint_is_no_model_that_was_pretrained_here(key: str) -> None:
    first = imported("HEAD", 10, key, [CHECKPOINT])
    for init in ("phase1", "phase2"):
        tuned = {"init": init, "group_by_length": False}
        assert speedup(first, imported("a", 20, key, [CHECKPOINT], finetune=tuned)) == "other model"
        further = imported("a", 20, key, [CHECKPOINT], finetune=tuned, pretrain={"init": "imported"})
        assert speedup(first, further) == "2.00"


def test_both_phases_leave_a_model_of_one_size() -> None:
    """Which no import changes that nothing starts from."""
    of = {init: imported(init, 10, "squad", [CHECKPOINT], finetune={"init": init}) for init in ("phase1", "phase2")}
    assert speedup(of["phase1"], of["phase2"]) == "1.00"
    assert speedup(of["phase1"], imported("a", 20, "squad", None, finetune={"init": "phase1"})) == "2.00"


@pytest.mark.parametrize("key", [PHASE, "squad"])
@pytest.mark.parametrize(
    "change", [{"model": "small"}, {"vocab": {"source": None, "size": 30522}}, {"pretrain": {"init": "imported"}}]
)
def test_pretraining_of_another_size_is_of_another_model(key: str, change: dict[str, Any]) -> None:
    first: dict[str, Any] = {"vocab": {"source": None, "size": 8000}, "pretrain": {"init": "none"}}
    assert speedup(trained("HEAD", 10, key, **first), trained("a", 20, key, **first)) == "2.00"
    assert speedup(trained("HEAD", 10, key, **first), trained("a", 20, key, **first | change)) == "other model"


@pytest.mark.parametrize("key", TUNED)
@pytest.mark.parametrize("grouped", [(True, True), (True, False), (False, True)])
def test_batches_that_are_cut_to_their_longest_text_are_compared_on_the_same_examples(
    key: str, grouped: tuple[bool, bool]
) -> None:
    cut: list[dict[str, Any]] = [{"finetune": {"init": "phase2", "group_by_length": one}} for one in grouped]
    first = trained("HEAD", 10, key, {"data/x": "1"}, **cut[0])
    assert speedup(first, trained("a", 20, key, {"data/x": "1"}, **cut[1])) == "2.00"
    other = trained("a", 20, key, {"data/x": "2"}, **cut[1])
    assert speedup(first, other) == "other data"
    assert any(note.startswith("other data: ") for note in compared(first, other).notes)


@pytest.mark.parametrize("key", TUNED)
def test_rows_of_one_length_take_their_time_whatever_stands_in_them(key: str) -> None:
    whole: dict[str, Any] = {"finetune": {"init": "phase2", "group_by_length": False}}
    first, other = trained("HEAD", 10, key, {"data/x": "1"}, **whole), trained("a", 20, key, {"data/x": "2"}, **whole)
    assert speedup(first, other) == "2.00"
    grouped: dict[str, Any] = {"finetune": {"init": "phase2", "group_by_length": True}}
    first, other = trained("HEAD", 10, PHASE, **grouped), trained("a", 20, PHASE, {"data/x": "2"}, **grouped)
    assert speedup(first, other) == "2.00"


@pytest.mark.parametrize("machine", [CPU, None])
def test_a_measurement_is_the_same_in_both_where_its_record_is(machine: dict[str, Any] | None) -> None:
    """Nothing is divided by itself: no 1.00 pretends that something was measured again."""
    first = timed("HEAD", 10, "1", machine)
    assert speedup(first, timed("a", 10, "1", machine), "Inference benchmark") == "same"
    again = speedup(first, timed("a", 10, "2", machine), "Inference benchmark")
    assert again == ("1.00" if machine else "?")


def test_without_a_record_nothing_is_known_to_be_the_same() -> None:
    assert speedup(timed("HEAD", 10), timed("a", 10), "Inference benchmark") == "1.00"
    assert speedup(timed("HEAD", 10, "1"), timed("a", 10), "Inference benchmark") == "1.00"


def called(name: str, median: float, slow: float) -> Contents:
    """A revision with a benchmark of batches that took so many ms: the median, the 99th percentile."""
    return timed(name, 8000 / median, latency_ms={"p50": median, "p90": (median + slow) / 2, "p99": slow})


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ((11.6412, 16.8207), (7.691, 12.7421), "1.51 ?"),  # one and the same code, twice
        ((7.691, 12.7421), (11.6412, 16.8207), "0.66 ?"),
        ((8.0, 9.0), (9.0, 10.0), "0.89 ?"),
        ((8.0, 8.9), (9.0, 10.0), "0.89"),
        ((9.0, 10.0), (8.0, 8.9), "1.12"),
        ((8.0, 12.0), (9.0, 9.5), "0.89 ?"),
    ],
)
def test_where_the_times_of_calls_overlap_a_speedup_is_in_doubt(
    first: tuple[float, float], second: tuple[float, float], expected: str
) -> None:
    one, other = called("HEAD", *first), called("a", *second)
    assert speedup(one, other, "Inference benchmark") == expected
    found = table(section([one, other], Labels()), "Inference benchmark")
    assert any("overlap" in note for note in found.notes) == expected.endswith("?")


@pytest.mark.parametrize("latency", [{}, {"p50": 8.0}, {"p99": 8.0}, {"p50": None, "p99": 9.0}, None])
def test_without_times_of_calls_there_is_no_range(latency: dict[str, Any] | None) -> None:
    old = timed("a", 2000.0, latency_ms=latency)
    assert speedup(called("HEAD", 8.0, 9.0), old, "Inference benchmark") == "2.00"


def test_that_each_speedup_is_of_one_measurement_is_said() -> None:
    said = " ".join(section([timed("HEAD", 10), timed("a", 20)], Labels()).text)
    assert "one measurement" in said and "dvc repro -f -s" in said
    assert "machines of the same accelerators, processor, cores and memory count as one" in said
