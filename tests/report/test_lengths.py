"""bert/report/lengths.py."""

from __future__ import annotations

from xml.etree import ElementTree

from bert.report.inputs import Inputs
from bert.report.lengths import drawing, lengths_svg

LENGTHS = {"train": [(64, 1), (128, 3)], "test": [(64, 0), (128, 0)]}


def test_each_split_has_a_panel_in_the_colours_of_the_page() -> None:
    svg = lengths_svg(LENGTHS)
    ElementTree.fromstring(svg)
    assert "train, %" in svg and "test, %" in svg and "currentColor" in svg
    assert svg == lengths_svg(LENGTHS)
    assert svg != lengths_svg({**LENGTHS, "train": [(64, 2), (128, 2)]})


def test_records_that_were_not_made_have_no_drawing() -> None:
    inputs = Inputs(lengths={"tfrecords/phase1": LENGTHS})
    (shown,) = drawing(inputs, "tfrecords/phase1")
    assert shown.caption == "tfrecords@phase1: lengths of 4 sequences"
    assert drawing(inputs, "tfrecords/phase2") == ()
