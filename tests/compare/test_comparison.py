"""bert/compare/comparison.py: the chapters, and the parameters that differ."""

from __future__ import annotations

from bert.compare.comparison import sections
from bert.report.tables import Row, Section
from tests.compare.made import CPU, GPU, PARAMS, contents, table

METRICS = {"benchmark_inference/tiny-128-8": {"sequences_per_second": 1.0, "precision": "fp32"}}


def chapters() -> dict[str, Section]:
    changed = PARAMS | {"precision": None, "squad": {"data": "cloze", "max_seq_length": 384}}
    new = PARAMS | {"stability": {"seeds": [1, 2]}, "download": {"text": [{"url": "x" * 99}]}}
    other = PARAMS | {"download": {"text": []}}
    revisions = [("HEAD", new, CPU), ("a", changed, CPU), ("b", other, GPU)]
    found = sections([contents(name, METRICS, machine, params) for name, params, machine in revisions])
    return {section.anchor: section for section in found}


def test_a_parameter_is_a_line_for_each_value_with_the_revisions_that_have_it() -> None:
    found = chapters()["parameters"]
    assert table(found, "Parameters that differ").rows == (
        Row(("precision", "tf32", "HEAD, b")),
        Row(("precision", "null", "a")),
        Row(("squad.data", "download", "HEAD, b")),
        Row(("squad.data", "cloze", "a")),
        Row(("download.text", "[{'url': '" + "x" * 50 + " ...", "HEAD")),
        Row(("download.text", "[]", "b")),
    )
    assert found.text == ("2 parameters are not in all of the revisions.",)


def test_the_same_parameters_are_said_to_be_the_same() -> None:
    found = sections([contents("HEAD", METRICS), contents("a", METRICS)])[-1]
    assert found.text == ("No parameter has different values.",) and not found.tables


def test_the_machines_stand_first_and_are_those_of_the_tables() -> None:
    found = chapters()
    assert list(found) == ["revisions", "scores", "speeds", "parameters"]
    assert [row.cells[:3] for row in table(found["revisions"], "Machines").rows] == [
        ("A", "none", "EPYC"),
        ("B", "NVIDIA A100", "Xeon"),
    ]
