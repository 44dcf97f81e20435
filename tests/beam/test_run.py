"""bert/beam/run.py: real pipelines, in this process and in others."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.runners.portability.prism_runner import PrismJobServer

from bert.beam.options import beam_options
from bert.beam.run import Item, Part, Workplace, make_parts
from bert.pipeline.code import ROOT
from bert.pipeline.errors import StageError
from tests.beam.shout import Run, item
from tests.project import files


def test_counts_come_in_the_order_of_the_items_and_the_heavy_are_done_first(run: Run) -> None:
    assert run(item("a", 1), item("bbb", 3), item("cc", 2)) == [{"letters": 1}, {"letters": 3}, {"letters": 2}]
    assert run.done == ["setup", "bbb", "cc", "a"]


def test_no_items_are_no_pipeline(run: Run) -> None:
    assert run() == []
    assert run.done == []


def test_a_restart_does_what_is_left_and_no_more(run: Run) -> None:
    run(item("a"), item("b"))
    assert run(item("a"), item("b"), item("c")) == [{"letters": 1}] * 3
    assert run.done == ["setup", "c"]
    run(item("a"), item("b"), item("c"))
    assert run.done == [], "where all parts are done, not even the vocabulary is loaded"


def test_a_part_without_its_mark_is_done_again(run: Run, tmp_path: Path) -> None:
    run(item("a"))
    (run.folder / "scratch/parts/a/part.json").unlink()
    (run.folder / "scratch/parts/a/shout").write_text("half")
    run(item("a"))
    assert (run.folder / "scratch/parts/a/shout").read_text() == "A"


def test_two_items_of_one_name_are_refused(run: Run) -> None:
    with pytest.raises(AssertionError, match="names of their own"):
        run(item("a"), item("a"))


def test_bad_input_is_told_in_its_own_words(run: Run, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(StageError) as caught:
        run(item("good"), item("bad"))
    assert str(caught.value) == "data/bad.txt: line 3 is bad:\nit says [while nothing\n  next: dvc repro -f bad"
    assert caught.value.run == "dvc repro -f bad"
    assert capfd.readouterr().err == "", "Beam's own log of it"


def test_after_bad_input_nothing_more_is_begun_and_a_restart_does_what_is_not_done(run: Run) -> None:
    with pytest.raises(StageError):
        run(item("good", 3), item("bad", 2), item("later", 1))
    assert run.done == ["setup", "good", "bad"]
    with pytest.raises(StageError):
        run(item("good", 3), item("bad", 2), item("later", 1))
    assert run.done == ["setup", "bad"], "what failed is tried again, what was done is not"
    assert run(item("good"), item("later")) == [{"letters": 4}, {"letters": 5}]
    assert run.done == ["setup", "later"], "nothing is left of the failure"


def test_whoever_watches_sees_the_whole_run_and_its_end(run: Run) -> None:
    seen: list[str] = []

    @contextmanager
    def watch(label: str, items: Sequence[Item], place: Workplace) -> Iterator[None]:
        parts = [Part(place.parts, item["name"]) for item in items]
        seen.append(f"{label}: {sum(part.is_finished() for part in parts)} of {len(items)}")
        try:
            yield
        finally:
            seen.append(f"{label}: {sum(part.is_finished() for part in parts)} of {len(items)}")

    run.watch = watch
    run(item("a"), item("b"))
    with pytest.raises(StageError):
        run(item("a", 3), item("bad", 2))
    assert seen == ["shout: 0 of 2", "shout: 2 of 2", "shout: 1 of 2", "shout: 1 of 2"]


def test_any_other_error_stays_what_it_is(run: Run) -> None:
    with pytest.raises(ZeroDivisionError, match="no user's fault"):
        run(item("broken"))


@pytest.mark.parametrize(
    ("given", "name", "reason"),
    [
        ("", "PrismRunner", "Unable to fetch remote prism binary"),
        ("--flink_job_server_jar=/nowhere/flink.jar", "FlinkRunner", ""),
        ("--environment_type=FOO", "PortableRunner", "Unknown environment type: FOO"),
        ("--environment_type=LOOPBACK", "PortableRunner", "You must specify a --job_endpoint"),
        ("--job_endpoint=127.0.0.1:9 --job_server_timeout=1", "PortableRunner", "FutureTimeoutError: it does not ans"),
        (
            "--project=my-project --region=europe-west1 --temp_location=gs://bucket/a --staging_location=gs://bucket/b",
            "DataflowRunner",
            "please install apache_beam[gcp]",
        ),
    ],
)
def test_a_runner_that_cannot_be_had_is_one_error(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str, name: str, reason: str
) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")  # nobody answers there: no network
    monkeypatch.setattr(PrismJobServer, "BIN_CACHE", str(tmp_path / "cache"))
    run.options = f"--runner={name} {given}"
    with pytest.raises(StageError) as caught:
        run(item("a"))
    message, command = str(caught.value).splitlines()
    assert message.startswith(f"BERT_BEAM_OPTIONS: the {name} could not be started: ") and reason in message
    assert command.startswith(f"  next: give the {name} what it lacks")


TWO_PROCESSES = "--direct_running_mode=multi_processing --direct_num_workers=2"


@pytest.mark.slow
def test_bad_input_is_told_in_its_own_words_by_other_processes(
    run: Run, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    # Not from the project's folder: workers unpickle what this process imported, from where it can.
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    run.options = TWO_PROCESSES
    with pytest.raises(StageError) as caught:
        run(item("good", 2), item("bad"))
    assert str(caught.value) == "data/bad.txt: line 3 is bad:\nit says [while nothing\n  next: dvc repro -f bad"
    said = capfd.readouterr().err
    assert "Traceback" not in said and "bad.txt" not in said


def test_every_step_of_the_pipeline_has_a_label_of_ours() -> None:
    """A runner knows steps by their labels: one that Beam makes up says nothing, and changes with the code."""
    pipeline = beam.Pipeline(options=beam_options((), 1, 1))
    make_parts(pipeline, "shards", [item("a")], beam.DoFn())
    steps = list(pipeline.transforms_stack[0].parts)
    assert [step.full_label for step in steps] == ["shards: items", "shards: parts"]
    assert all(step.full_label != step.transform.default_label() for step in steps)


def test_nothing_but_the_room_of_beam_knows_beam() -> None:
    """So the graph above is the only one."""
    known = [path for folder in ("bert", "stages") for path in sorted((ROOT / folder).rglob("*.py"))]
    assert known
    loader = 'load_inside("apache_beam", uncollected)'  # says how it is loaded, if it is: bert/pipeline/loading.py
    found = {path.parent.relative_to(ROOT) for path in known if "apache_beam" in path.read_text().replace(loader, "")}
    assert found == {Path("bert/beam")}


SCRIPT = """
import os, signal, sys
from pathlib import Path
from bert.beam.run import Workplace, run_parts
from bert.pipeline.job import job

class Work:
    def setup(self): pass
    def __call__(self, item, part):
        print(item["name"], flush=True)
        with part.create("file") as f:
            f.write(item["name"].encode() * 1000)
            if item["name"] == os.environ.get("DIE_IN"):
                os.kill(os.getpid(), signal.SIGKILL)
        return {}

with job("tiny", "stages.report", {"seed": 1}, [], Path("metrics.json"), Path("record.json")) as work:
    place = Workplace(work.folder)
    items = [{"name": name, "bytes": 1} for name in "abcde"]
    run_parts("tiny", items, Work(), place)
    for item in items:
        place.fetch(item, "file", work.folder / "result" / item["name"])
    work.publish({work.folder / "result": Path("out")})
"""


@pytest.mark.slow
def test_a_killed_stage_does_not_redo_its_finished_parts(tmp_path: Path) -> None:
    def start(**environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", SCRIPT],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
            capture_output=True,
            text=True,
            timeout=120,
        )

    killed = start(DIE_IN="c")
    assert (killed.returncode, killed.stdout.split()) == (-9, ["a", "b", "c"])
    assert not (tmp_path / "out").exists()
    restarted = start()
    assert (restarted.returncode, restarted.stdout.split()) == (0, ["c", "d", "e"]), restarted.stderr
    assert files(tmp_path / "out") == {name: name.encode() * 1000 for name in "abcde"}
    assert json.loads((tmp_path / "metrics.json").read_text()) == {}
