"""bert/beam/workplace.py: where workers read and write, on this machine, in a folder and in a bucket."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bert.beam.run import Part, Workplace, read
from bert.pipeline.code import ROOT
from tests.beam.shout import Run, item
from tests.project import files

TWO_PROCESSES = "--direct_running_mode=multi_processing --direct_num_workers=2"


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


def test_a_work_folder_gets_inputs_and_gives_results_back(tmp_path: Path) -> None:
    work = tmp_path / "work"
    source = tmp_path / "in [1].txt"
    source.write_text("text")
    place = Workplace(tmp_path / "scratch", str(work))
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
    place = Workplace(tmp_path / "scratch", str(tmp_path / "work"))
    part = Part(place.parts, "one")
    part.finish({})

    def killed(folder: str, **options: bool) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("bert.beam.workplace.shutil.rmtree", killed)
    with pytest.raises(KeyboardInterrupt):
        place.forget_uploads()
    assert part.counts() is None


def test_two_runs_share_nothing_in_a_work_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The steps of a stage are called alike in every run: the fingerprint above them keeps the runs apart."""
    monkeypatch.chdir(tmp_path)
    runs = [Workplace(tmp_path / ".scratch" / run, str(tmp_path / "work")) for run in ("shards-1", "shards-2")]
    parts = [place.inside(step).parts for place in runs for step in ("scatter", "gather")]
    assert len(set(parts)) == 4
    assert parts[0] == str(tmp_path / "work" / "shards-1" / "scatter" / "parts")


@pytest.mark.slow
def test_files_in_a_bucket_may_be_empty(bucket: str, tmp_path: Path) -> None:
    """Beam's writer cannot end such a file there (apache_beam.io.aws.s3io.S3Uploader.finish)."""
    place = Workplace(tmp_path / "scratch", bucket)
    (tmp_path / "in.txt").touch()
    with read(place.share(tmp_path / "in.txt")) as f:
        assert f.read() == b""
    with Part(place.parts, "one").create("nothing"):
        pass
    place.fetch(item("one"), "nothing", tmp_path / "out.txt")
    assert (tmp_path / "out.txt").read_bytes() == b""


@pytest.mark.slow
@pytest.mark.timeout(200)  # workers that are not given the credentials hang rather than fail
def test_workers_in_other_processes_know_the_bucket_by_the_options(
    run: Run, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    known = {
        "s3_endpoint_url": os.environ["AWS_ENDPOINT_URL"],
        "s3_access_key_id": "test",
        "s3_secret_access_key": "test",
        "s3_region_name": "us-east-1",
    }
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    options = " ".join(f"--{name}={value}" for name, value in known.items())
    run.work_folder, run.options = bucket, f"{TWO_PROCESSES} {options}"
    assert run(item("a"), item("bb")) == [{"letters": 1}, {"letters": 2}]


@pytest.mark.slow
def test_the_work_folder_may_be_a_bucket(run: Run, bucket: str, tmp_path: Path) -> None:
    run.work_folder = f"{bucket}/bert"
    source = tmp_path / "in.txt"
    source.write_text("text")
    place = run.place
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
