"""bert/compare/stale.py: figures that an experiment has not made are none of its own."""

from __future__ import annotations

from typing import Any

import pytest

from bert.compare.contents import _is_left_over
from bert.compare.stale import stale_outs

LOCK: dict[str, Any] = {
    "shards": {
        "params": {"params.yaml": {"seed": 7}},
        "outs": [{"path": "data/shards", "md5": "s1.dir"}],
    },
    "pretrain": {
        "deps": [{"path": "data/shards", "md5": "s1.dir"}, {"path": "code/pretrain.json", "md5": "c1"}],
        "params": {"params.yaml": {"pretrain.phase1": {"steps": 10}}},
        "outs": [{"path": "data/models/phase1", "md5": "p1.dir"}],
    },
    "squad": {
        "deps": [{"path": "data/models/phase1", "md5": "p1.dir"}],
        "params": {"params.yaml": {"precision": "fp32"}},
        "outs": [{"path": "metrics/squad/a.json", "md5": "m1"}],
    },
    "stability": {
        "deps": [{"path": "metrics/squad", "md5": "any.dir"}],
        "outs": [{"path": "metrics/stability.json", "md5": "y1"}],
    },
}
SHARDS, MODEL = {"data/shards"}, {"data/models/phase1"}
SCORES = {"metrics/squad/a.json", "metrics/stability.json"}
PARAMS = {"seed": 7, "pretrain.phase1": {"steps": 10}, "precision": "fp32"}


def test_what_was_made_of_the_revisions_own_inputs_is_its_own() -> None:
    assert stale_outs(LOCK, PARAMS.get) == {}
    assert stale_outs({}, PARAMS.get) == {}


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("precision", "bf16", SCORES),
        ("pretrain.phase1", {"steps": 20}, MODEL | SCORES),
        ("seed", None, SHARDS | MODEL | SCORES),
    ],
)
def test_another_parameter_is_followed_through_the_graph(key: str, value: Any, expected: set[str]) -> None:
    assert stale_outs(LOCK, {**PARAMS, key: value}.get).keys() == expected


def test_another_input_is_too() -> None:
    """As after `dvc exp run` of the first stage alone, on another corpus."""
    made_anew = {**LOCK, "shards": {**LOCK["shards"], "outs": [{"path": "data/shards", "md5": "s2.dir"}]}}
    found = stale_outs(made_anew, PARAMS.get)
    assert found.keys() == MODEL | SCORES
    assert found["metrics/squad/a.json"] == "squad", "the stage that makes it"


def test_what_dvc_lock_keeps_of_a_cell_that_is_gone_is_left_over() -> None:
    """It has seen other parameters, and would make the report of all cells look out of date."""
    cell = {"outs": [{"path": "metrics/benchmark_training/old.json"}, {"path": "metrics/provenance/x/old.json"}]}
    assert _is_left_over(cell, {"benchmark_training/new": {}})
    assert not _is_left_over(cell, {"benchmark_training/old": {}})
    assert not _is_left_over({"outs": [{"path": "data/vocab.txt"}, {"path": "metrics/lengths.tsv"}]}, {})
