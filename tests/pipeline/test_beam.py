"""bert/pipeline/beam.py: real pipelines, in this process and in others."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import DirectOptions, StandardOptions, WorkerOptions

from bert.pipeline.beam import Item, Part, Workplace, make_parts, read, run_parts
from bert.pipeline.code import ROOT
from bert.pipeline.errors import StageError
from bert.pipeline.options import IN_MEMORY_BYTES, beam_options
from tests.project import files


def item(name: str, weight: int = 1, **more: Any) -> Item:
    return {"name": name, "bytes": weight, **more}


class Shout:
    """Writes an item's name in capitals; notes what it does in `log`; an item named `bad` is bad input."""

    def __init__(self, log: Path) -> None:
        self._log = log

    def setup(self) -> None:
        self._note("setup")

    def __call__(self, item: Item, part: Part) -> dict[str, Any]:
        self._note(item["name"])
        if item["name"] == "bad":
            raise StageError("data/bad.txt: line 3 is bad:\nit says [while nothing", run="dvc repro -f bad")
        if item["name"] == "broken":
            raise ZeroDivisionError("no user's fault")
        with part.create("shout") as f:
            f.write(item["name"].upper().encode())
        return {"letters": len(item["name"])}

    def _note(self, text: str) -> None:
        with open(self._log, "a") as f:
            f.write(f"{text}\n")


class Run:
    """`run_parts` of Shout over items of these names, in one scratch."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "log"

    def __call__(self, *items: Item) -> list[dict[str, Any]]:
        self.folder.mkdir(exist_ok=True)
        self.log.write_text("")
        return run_parts("shout", items, Shout(self.log), Workplace(self.folder / "scratch"))

    @property
    def done(self) -> list[str]:
        return self.log.read_text().split()


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path / "run")


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


def test_any_other_error_stays_what_it_is(run: Run) -> None:
    with pytest.raises(ZeroDivisionError, match="no user's fault"):
        run(item("broken"))


TWO_PROCESSES = "--direct_running_mode=multi_processing --direct_num_workers=2"


@pytest.mark.slow
def test_bad_input_is_told_in_its_own_words_by_other_processes(
    run: Run, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    # Not from the project's folder: workers unpickle what this process imported, from where it can.
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("BERT_BEAM_OPTIONS", TWO_PROCESSES)
    with pytest.raises(StageError) as caught:
        run(item("good", 2), item("bad"))
    assert str(caught.value) == "data/bad.txt: line 3 is bad:\nit says [while nothing\n  next: dvc repro -f bad"
    said = capfd.readouterr().err
    assert "Traceback" not in said and "bad.txt" not in said


def test_a_file_of_a_part_appears_when_it_is_whole_and_leaves_nothing_when_it_fails(tmp_path: Path) -> None:
    part = Part(str(tmp_path), "one")
    with part.create("file") as f:
        f.write(b"first")
        assert not (tmp_path / "one" / "file").exists()
    with pytest.raises(ZeroDivisionError), part.create("file") as f:
        f.write(b"second")
        raise ZeroDivisionError
    assert files(tmp_path) == {"one/file": b"first"}
    with part.create("file") as f:
        f.write(b"third")
    assert files(tmp_path) == {"one/file": b"third"}


def test_two_writers_of_one_part_do_not_mix(tmp_path: Path) -> None:
    """A worker that outlives its killed driver goes on while the restarted stage does the same item."""
    part = Part(str(tmp_path / "with [brackets]"), "one")
    with part.create("file") as old:
        old.write(b"the first half,")
        with part.create("file") as new:
            new.write(b"all of it")
        with read(part.path("file")) as f:
            assert f.read() == b"all of it"
    assert files(tmp_path) == {"with [brackets]/one/file": b"the first half,"}


def parsed(weight: int = 1, items: int = 4, waiting: bool = False) -> dict[str, Any]:
    """What Beam makes of the options, of all kinds."""
    options = beam_options(weight, items, waiting)
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
    monkeypatch.setenv("BERT_BEAM_OPTIONS", "--direct_running_mode=multi_processing --direct_num_workers=3")
    assert (parsed(waiting=True)["mode"], parsed(waiting=True)["workers"]) == ("multi_processing", 3)


@pytest.mark.parametrize("given", ["--runner=DirectRunner", "--runner DirectRunner"])
def test_a_given_runner_is_not_overridden(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv("BERT_BEAM_OPTIONS", f"{given} --machine_type=n1-highmem-4")
    assert (parsed(2**40)["runner"], parsed(2**40)["mode"]) == ("DirectRunner", "in_memory")
    assert parsed()["machine"] == "n1-highmem-4"


def test_a_given_mode_is_not_overridden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BERT_BEAM_OPTIONS", "--direct_running_mode=multi_threading --direct_num_workers=3")
    assert (parsed(2**40)["runner"], parsed(2**40)["mode"], parsed(2**40)["workers"]) == (
        "FnApiRunner",
        "multi_threading",
        3,
    )


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("--runer=FlinkRunner", "Beam does not know --runer=FlinkRunner"),
        ("--direct_num_worker=2", "Beam does not know --direct_num_worker=2"),
        ("FlinkRunner", "Beam does not know FlinkRunner"),
        ("--direct_num_workers=two", "invalid int value: 'two'"),
        ("--direct_running_mode=fast", "invalid choice: 'fast'"),
        ("--runner", "expected one argument"),
        ("--runner='FlinkRunner", "No closing quotation"),
        ("--runner=DaskRunner", "DaskRunner loses data"),
        ("--runner apache_beam.runners.dask.dask_runner.DaskRunner", "DaskRunner loses data"),
    ],
)
def test_options_that_beam_would_ignore_are_errors(monkeypatch: pytest.MonkeyPatch, given: str, message: str) -> None:
    monkeypatch.setenv("BERT_BEAM_OPTIONS", given)
    with pytest.raises(StageError, match=r"^BERT_BEAM_OPTIONS: ") as caught:
        beam_options(1, 1)
    assert message in str(caught.value)
    assert caught.value.run == "correct BERT_BEAM_OPTIONS, then dvc repro"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("--runner=FlankRunner", "Unexpected pipeline runner: FlankRunner"),
        ("--runner=mine.Runner", "No module named 'mine'"),
        ("--runner=DataflowRunner", "project"),
    ],
)
def test_a_runner_that_beam_does_not_have_or_that_lacks_an_option_is_an_error(
    run: Run, monkeypatch: pytest.MonkeyPatch, given: str, message: str
) -> None:
    monkeypatch.setenv("BERT_BEAM_OPTIONS", given)
    with pytest.raises(StageError, match=r"^BERT_BEAM_OPTIONS: ") as caught:
        run(item("a"))
    assert message in str(caught.value)


@pytest.mark.parametrize("given", ["--streaming", "--experiments=a --experiments=b", "--save_main_session"])
def test_switches_and_repeated_options_are_known(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv("BERT_BEAM_OPTIONS", given)
    assert beam_options(1, 1).view_as(StandardOptions).runner == "FnApiRunner"


# The graph


def test_every_step_of_the_pipeline_has_a_label_of_ours() -> None:
    """A runner knows steps by their labels: one that Beam makes up says nothing, and changes with the code."""
    pipeline = beam.Pipeline(options=beam_options(1, 1))
    make_parts(pipeline, "shards", [item("a")], beam.DoFn())
    steps = list(pipeline.transforms_stack[0].parts)
    assert [step.full_label for step in steps] == ["shards: items", "shards: parts"]
    assert all(step.full_label != step.transform.default_label() for step in steps)


def test_nothing_but_the_pipeline_package_knows_beam() -> None:
    """So the graph above is the only one."""
    known = [path for folder in ("bert", "stages") for path in sorted((ROOT / folder).rglob("*.py"))]
    assert known
    found = {path.parent.relative_to(ROOT) for path in known if "apache_beam" in path.read_text()}
    assert found == {Path("bert/pipeline")}


# Where the workers work


def test_on_one_machine_nothing_is_moved(tmp_path: Path) -> None:
    source = tmp_path / "in.txt"
    source.write_text("text")
    place = Workplace(tmp_path / "scratch")
    assert place.share(source) == str(source)
    with Part(place.parts, "one").create("file") as f:
        f.write(b"result")
    place.fetch(item("one"), "file", tmp_path / "out" / "file")
    assert os.path.samefile(tmp_path / "out" / "file", tmp_path / "scratch/parts/one/file")
    place.forget_uploads()
    assert (tmp_path / "scratch/parts/one/file").exists()


def test_a_work_folder_gets_inputs_and_gives_results_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    work = tmp_path / "work"
    monkeypatch.setenv("BERT_WORK", str(work))
    source = tmp_path / "in [1].txt"
    source.write_text("text")
    place = Workplace(tmp_path / "scratch")
    shared = Path(place.share(source))
    assert shared.is_relative_to(work) and shared.read_text() == "text"

    before = shared.stat().st_mtime_ns
    assert place.share(source) == str(shared) and shared.stat().st_mtime_ns == before, "uploaded once"
    shared.write_text("te")  # an upload that was cut short
    assert Path(place.share(source)).read_text() == "text"
    source.write_text("last")  # as long as before
    assert Path(place.share(source)).read_text() == "last"

    with Part(place.parts, "one").create("file") as f:
        f.write(b"result")
    assert Path(place.parts).is_relative_to(work)
    place.fetch(item("one"), "file", tmp_path / "out" / "file")
    place.forget_uploads()
    assert (tmp_path / "out" / "file").read_text() == "result"
    assert files(work) == {}
    place.forget_uploads()  # a restart after everything is done finds nothing to forget


def test_in_a_work_folder_that_goes_no_part_looks_finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a stage that is killed while it removes its work, the next run must not take a part without its files."""
    monkeypatch.setenv("BERT_WORK", str(tmp_path / "work"))
    place = Workplace(tmp_path / "scratch")
    part = Part(place.parts, "one")
    part.finish({})

    def killed(folder: str, **options: bool) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("bert.pipeline.workplace.shutil.rmtree", killed)
    with pytest.raises(KeyboardInterrupt):
        place.forget_uploads()
    assert part.counts() is None


def test_two_runs_share_nothing_in_a_work_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The steps of a stage are called alike in every run: the fingerprint above them keeps the runs apart."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BERT_WORK", str(tmp_path / "work"))
    scratches = [
        tmp_path / ".scratch" / run / step for run in ("shards-1", "shards-2") for step in ("scatter", "gather")
    ]
    parts = [Workplace(folder).parts for folder in scratches]
    assert len(set(parts)) == 4
    assert parts[0] == str(tmp_path / "work" / "shards-1" / "scatter" / "parts")


def test_files_may_be_empty(tmp_path: Path) -> None:
    part = Part(str(tmp_path), "one")
    with part.create("nothing"):
        pass
    with part.create("no bytes") as f:
        f.write(b"")
    assert files(tmp_path) == {"one/no bytes": b"", "one/nothing": b""}


@pytest.mark.slow
def test_files_in_a_bucket_may_be_empty(bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beam's writer cannot end such a file there (apache_beam.io.aws.s3io.S3Uploader.finish)."""
    monkeypatch.setenv("BERT_WORK", bucket)
    place = Workplace(tmp_path / "scratch")
    (tmp_path / "in.txt").touch()
    with read(place.share(tmp_path / "in.txt")) as f:
        assert f.read() == b""
    with Part(place.parts, "one").create("nothing"):
        pass
    place.fetch(item("one"), "nothing", tmp_path / "out.txt")
    assert (tmp_path / "out.txt").read_bytes() == b""


@pytest.mark.slow
@pytest.mark.timeout(90)  # workers that are not told the credentials hang rather than fail
def test_workers_in_other_processes_know_the_bucket_by_the_options(
    run: Run, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("BERT_WORK", bucket)
    known = {
        "s3_endpoint_url": os.environ["AWS_ENDPOINT_URL"],
        "s3_access_key_id": "test",
        "s3_secret_access_key": "test",
        "s3_region_name": "us-east-1",
    }
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    options = " ".join(f"--{name}={value}" for name, value in known.items())
    monkeypatch.setenv("BERT_BEAM_OPTIONS", f"{TWO_PROCESSES} {options}")
    assert run(item("a"), item("bb")) == [{"letters": 1}, {"letters": 2}]


@pytest.mark.slow
def test_the_work_folder_may_be_a_bucket(
    run: Run, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BERT_WORK", f"{bucket}/bert")
    source = tmp_path / "in.txt"
    source.write_text("text")
    place = Workplace(run.folder / "scratch")
    shared = place.share(source)
    assert shared.startswith("s3://work/bert/")
    with read(shared) as f:
        assert f.read() == b"text"
    assert run(item("a")) == [{"letters": 1}]
    place.fetch(item("a"), "shout", tmp_path / "out")
    assert (tmp_path / "out").read_text() == "A"
    place.forget_uploads()
    import boto3

    assert "Contents" not in boto3.client("s3").list_objects_v2(Bucket="work")


# Killed

SCRIPT = """
import os, signal, sys
from pathlib import Path
from bert.pipeline.beam import Workplace, run_parts
from bert.pipeline.stage import job

class Work:
    def setup(self): pass
    def __call__(self, item, part):
        print(item["name"], flush=True)
        with part.create("file") as f:
            f.write(item["name"].encode() * 1000)
            if item["name"] == os.environ.get("DIE_IN"):
                os.kill(os.getpid(), signal.SIGKILL)
        return {}

with job("tiny", {"seed": 1}, [], Path("metrics.json"), Path("record.json")) as work:
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
