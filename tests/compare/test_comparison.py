"""bert/compare/comparison.py: the chapters."""

from __future__ import annotations

from dataclasses import replace

from bert.compare.comparison import sections
from bert.compare.revisions import Revision
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


def test_what_a_revision_has_of_before_is_named_with_the_commands_that_make_it_anew() -> None:
    old = replace(
        contents("a", METRICS), not_run={"glue/mrpc": "glue@mrpc", "stability": "stability", "summary": "report"}
    )
    here = replace(old, revision=Revision("workspace", None))
    (found, *_), (of_here, *_) = sections([contents("HEAD", METRICS), old]), sections([here, contents("a", METRICS)])
    assert found.text == (
        "a: left out is what was made before its parameters or data changed: metrics/glue/mrpc.json, "
        "metrics/stability.json, metrics/summary.json. To make it anew: git checkout 0000000 && dvc repro glue@mrpc "
        "stability report",
    )
    assert of_here.text[0].endswith("To make it anew: dvc repro glue@mrpc stability report")
