""".ci/same_results.py: what it says of two sets of results. (`make same` itself takes minutes.)"""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, get_args

import pytest

from bert.pipeline.code import ROOT
from bert.tasks.settings import Control, FinetuneSettings
from tests.test_dvc_yaml import STAGES

RESULTS = {
    ("shards", "data/shards/train"): "1.dir",
    ("pretrain_phase1", "data/models/phase1"): "2.dir",
    ("glue@mrpc", "metrics/glue/mrpc.json"): "{}",
    ("pretrain_phase1, stopped and resumed", "data/models/phase1"): "2.dir",
}


@pytest.fixture(scope="module")
def same() -> ModuleType:
    spec = importlib.util.spec_from_file_location("same_results", ROOT / ".ci" / "same_results.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_every_stage_is_compared_but_those_that_hash_check_time_sum_up_or_draw(same: Any) -> None:
    assert STAGES.keys() - set(same.TARGETS) == {"code", "params", *same.SPEEDS, "stability", "report"}


def test_a_stage_is_compared_behind_those_whose_model_it_may_start_from(same: Any) -> None:
    makers = {out: name for name, stage in STAGES.items() for out in map(str, stage.get("outs", []))}
    may_be = {
        "${pretrain.init}": ("none", "imported"),
        "${finetune.init}": get_args(FinetuneSettings.model_fields["init"].annotation),
        "${finetune.random_like}": ("phase1", "phase2", "imported"),
        "${item.init}": get_args(Control),
    }
    starts = 0
    for name in same.TARGETS:
        for dep in STAGES[name]["deps"]:
            for written, values in may_be.items():
                for value in values if written in dep else ():
                    starts += 1
                    start = makers[dep.replace(written, value)]
                    assert same.TARGETS.index(start) < same.TARGETS.index(name), (start, name)
    assert starts > 20


def test_equal_results_are_the_same(same: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert same.report(RESULTS, dict(RESULTS)) == []
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(RESULTS) and all(line.startswith("same ") for line in lines)
    same.conclude(["glue", "pretrain_phase1", "shards"], [])
    assert "dvc commit -f code shards pretrain_phase1 glue\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    "change", [{("glue@mrpc", "metrics/glue/mrpc.json"): '{"f1": 1}'}, {("glue@mrpc", "new"): "3"}]
)
def test_a_difference_is_named_and_its_stage_is_not_committed(
    same: Any, capsys: pytest.CaptureFixture[str], change: dict[tuple[str, str], str]
) -> None:
    assert same.report(RESULTS, RESULTS | change) == ["glue@mrpc"]
    assert "DIFFERS   glue@mrpc" in (said := capsys.readouterr().out) or "only here  glue@mrpc" in said
    same.conclude(["export", "glue", "pretrain_phase1", "shards", "stability_glue"], ["glue@mrpc"])
    said = capsys.readouterr().out
    assert "dvc commit -f code shards pretrain_phase1\n" in said and "not: glue" in said


def test_a_resumed_run_must_also_be_the_uninterrupted_one(same: Any, capsys: pytest.CaptureFixture[str]) -> None:
    both = RESULTS | {("pretrain_phase1, stopped and resumed", "data/models/phase1"): "9.dir"}
    assert same.report(both, both) == ["pretrain_phase1, stopped and resumed"]
    assert "from the uninterrupted run" in capsys.readouterr().out


def test_figures_of_speed_and_memory_are_no_result(same: Any, tmp_path: Path) -> None:
    metrics = {"f1": 1.5, "by_type": {"date": 2}, "epochs": 1.0}
    measured = {"sequences_per_second": 3, "allreduce_share": 0.1, "allreduce_seconds_per_step": 1, "peak_rss_mb": 9}
    (tmp_path / "a.json").write_text(json.dumps(metrics | measured))
    assert json.loads(same.computed(tmp_path / "a.json")) == metrics
