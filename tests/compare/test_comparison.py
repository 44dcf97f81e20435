"""bert/compare/comparison.py: the chapters."""

from __future__ import annotations

from bert.compare.comparison import sections
from bert.report.tables import Section
from tests.compare.made import CPU, GPU, contents, table

METRICS = {"benchmark_inference/tiny-128-8": {"sequences_per_second": 1.0, "precision": "fp32"}}


def chapters() -> dict[str, Section]:
    found = sections([contents("HEAD", METRICS, CPU), contents("a", METRICS, CPU), contents("b", METRICS, GPU)])
    return {section.anchor: section for section in found}


def test_the_machines_stand_first_and_are_those_of_the_tables() -> None:
    found = chapters()
    assert list(found) == ["revisions", "scores", "speeds", "parameters"]
    assert [row.cells[:3] for row in table(found["revisions"], "Machines").rows] == [
        ("A", "none", "EPYC"),
        ("B", "NVIDIA A100", "Xeon"),
    ]
