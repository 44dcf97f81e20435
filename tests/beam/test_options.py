"""bert/beam/options.py, and the recipes of docs/beam-on-clusters.md."""

from __future__ import annotations

import os
import re
from typing import Any

import pytest
from apache_beam.options.pipeline_options import DirectOptions, StandardOptions, WorkerOptions
from apache_beam.runners.portability.flink_runner import FlinkRunner

from bert.beam.options import IN_MEMORY_BYTES, beam_options
from bert.pipeline.code import ROOT
from bert.pipeline.errors import StageError
from tests.beam.shout import Run, item

PAGES = "".join((ROOT / "docs" / name).read_text() for name in ("beam-on-clusters.md", "many-machines.md"))
LINES = [line for line in PAGES.splitlines() if "BERT_BEAM_OPTIONS" in line]
RECIPES = [given for line in LINES for given in re.findall(r"""["`](--runner=[^"`]+)["`]""", line)]


def parsed(weight: int = 1, items: int = 4, waiting: bool = False, given: str = "") -> dict[str, Any]:
    """What Beam makes of the options, of all kinds."""
    options = beam_options(given.split(), weight, items, waiting)
    return {
        "runner": options.view_as(StandardOptions).runner,
        "mode": options.view_as(DirectOptions).direct_running_mode,
        "workers": options.view_as(DirectOptions).direct_num_workers,
        "machine": options.view_as(WorkerOptions).machine_type,
    }


def test_little_work_runs_in_memory_and_much_in_a_process_a_core(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    assert parsed() == {"runner": "FnApiRunner", "mode": "in_memory", "workers": 1, "machine": None}
    much = IN_MEMORY_BYTES + 1
    assert (parsed(much)["mode"], parsed(much)["workers"]) == ("multi_processing", 4)
    assert parsed(much, items=100)["workers"] == 8
    assert parsed(much, items=1)["mode"] == "in_memory", "one item is one worker's"


def test_work_that_waits_for_others_has_a_thread_an_item(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    assert (parsed(waiting=True)["mode"], parsed(waiting=True)["workers"]) == ("multi_threading", 4)
    assert parsed(items=1000, waiting=True)["workers"] == 32
    assert parsed(items=1, waiting=True)["mode"] == "in_memory"
    found = parsed(waiting=True, given="--direct_running_mode=multi_processing --direct_num_workers=3")
    assert (found["mode"], found["workers"]) == ("multi_processing", 3)


@pytest.mark.parametrize("given", ["--runner=DirectRunner", "--runner DirectRunner"])
def test_a_given_runner_is_not_overridden(given: str) -> None:
    found = parsed(2**40, given=f"{given} --machine_type=n1-highmem-4")
    assert (found["runner"], found["mode"]) == ("DirectRunner", "in_memory")
    assert found["machine"] == "n1-highmem-4"


def test_a_given_mode_is_not_overridden() -> None:
    found = parsed(2**40, given="--direct_running_mode=multi_threading --direct_num_workers=3")
    assert (found["runner"], found["mode"], found["workers"]) == ("FnApiRunner", "multi_threading", 3)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("--runer=FlinkRunner", "Beam does not know --runer=FlinkRunner"),
        ("--direct_num_worker=2", "Beam does not know --direct_num_worker=2"),
        ("FlinkRunner", "Beam does not know FlinkRunner"),
        ("--direct_num_workers=two", "invalid int value: 'two'"),
        ("--direct_running_mode=fast", "invalid choice: 'fast'"),
        ("--runner", "expected one argument"),
        ("--streaming=maybe", "ignored explicit argument 'maybe'"),
        ("--streaming maybe", "Beam does not know maybe"),
        ("--no_wait_until_finish", "a stage needs what the job makes"),
        ("--direct_num_workers=-1", "--direct_num_workers=-1, expected a number of workers"),
        ("--direct_running_mode=multi_processing --direct_num_workers -2", "expected a number of workers"),
        ("--runner=FlankRunner", "Beam does not know --runner=FlankRunner, expected one of DataflowRunner, "),
        ("--runner Flank", "Beam does not know --runner=Flank, expected one of "),
        ("--runner=", "Beam does not know --runner=, expected one of "),
        ("--runner=mine.Runner", "--runner=mine.Runner: No module named 'mine'"),
        ("--runner=apache_beam.FlankRunner", "module 'apache_beam' has no attribute 'FlankRunner'"),
        ("--runner=sys.exit", "--runner=sys.exit is no PipelineRunner"),
        ("--runner=json.JSONDecoder", "--runner=json.JSONDecoder is no PipelineRunner"),
        ("--runner=DaskRunner", "DaskRunner loses data"),
        ("--runner=dask", "DaskRunner loses data"),
        ("--runner apache_beam.runners.dask.dask_runner.DaskRunner", "DaskRunner loses data"),
    ],
)
def test_options_that_beam_would_ignore_are_errors(given: str, message: str) -> None:
    with pytest.raises(StageError, match=r"^BERT_BEAM_OPTIONS: ") as caught:
        beam_options(given.split(), 1, 1)
    assert message in str(caught.value)
    assert caught.value.run == "correct BERT_BEAM_OPTIONS, then dvc repro"


@pytest.mark.parametrize("name", ["FlinkRunner", "flinkrunner", "flink", f"{FlinkRunner.__module__}.FlinkRunner"])
def test_a_runner_has_the_names_that_beam_takes(name: str) -> None:
    assert parsed(given=f"--runner={name}")["runner"] == name


def test_a_runner_that_lacks_an_option_is_an_error(run: Run) -> None:
    run.options = "--runner=DataflowRunner"
    with pytest.raises(StageError, match=r"(?s)^BERT_BEAM_OPTIONS: .*project"):
        run(item("a"))


@pytest.mark.parametrize("given", ["--streaming", "--experiments=a --experiments=b", "--save_main_session"])
def test_switches_and_repeated_options_are_known(given: str) -> None:
    assert beam_options(given.split(), 1, 1).view_as(StandardOptions).runner == "FnApiRunner"


def test_the_readme_has_a_recipe_for_each_kind_of_cluster() -> None:
    runners = {recipe.split()[0].removeprefix("--runner=") for recipe in RECIPES}
    assert runners == {"FlinkRunner", "SparkRunner", "DataflowRunner", "PortableRunner"}
    assert len(RECIPES) == len([line for line in LINES if "--runner" in line]), "one that is not found is not checked"


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_recipe_of_the_readme_holds_options_that_beam_knows(recipe: str) -> None:
    understood = beam_options(recipe.split(), 0, 0).get_all_options()
    given = [option.removeprefix("--").partition("=") for option in recipe.split()]
    for name, _, value in given:
        found = understood[name]
        assert found is True if not value else str(found) in (value, f"['{value}']")
