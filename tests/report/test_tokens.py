"""bert/report/tokens.py."""

from __future__ import annotations

from typing import Any

import pytest

from bert.report.inputs import Inputs
from bert.report.tokens import real_share

RECORDS: dict[str, dict[str, Any]] = {
    "tfrecords/phase1": {"train": {"padding": 0.05}, "test": {"padding": 0.5}},
    "tfrecords/phase2": {"train": {"padding": 0.25}},
}


def test_it_is_that_of_the_rows_that_the_phase_trains_on() -> None:
    inputs = Inputs(RECORDS)
    assert real_share(inputs, "pretrain_phase1") == pytest.approx(0.95)
    assert real_share(inputs, "pretrain_phase2") == pytest.approx(0.75)
    assert real_share(Inputs({"tfrecords/phase1": {"train": {"padding": 0}}}), "pretrain_phase1") == 1


@pytest.mark.parametrize("records", [{}, {"test": {"padding": 0.5}}, {"train": {"examples": 3}}, {"train": None}])
def test_where_no_padding_was_counted_it_is_not_known(records: dict[str, Any]) -> None:
    assert real_share(Inputs({"tfrecords/phase1": records}), "pretrain_phase1") is None
    assert real_share(Inputs(), "pretrain_phase1") is None
