"""bert/pipeline/scratch.py: what survives a killed run, and when it goes."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest
from ruamel.yaml import YAML

from bert.pipeline import manifest
from bert.pipeline import scratch as module
from bert.pipeline.code import ROOT
from bert.pipeline.errors import StageError
from bert.pipeline.scratch import committed, dvc_md5, fingerprint, in_use, scratch, scratch_root, sweep
from tests.project import files


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


class Killed(Exception):
    """Stands for whatever ends a run early."""


def folder_of(params: object, inputs: list[Path] | None = None, stage: str = "tiny") -> Path:
    """Where a run that is cut short has worked."""
    with pytest.raises(Killed), scratch(stage, params, inputs or []) as work:
        folder = work.folder
        raise Killed
    return folder


def test_a_run_that_was_cut_short_finds_its_work_again() -> None:
    folder = folder_of({"seed": 1})
    (folder / "part").write_text("done")
    with scratch("tiny", {"seed": 1}, []) as work:
        assert (work.folder / "part").read_text() == "done"


def test_other_params_and_other_stages_start_afresh() -> None:
    folders = [folder_of({"seed": 1}), folder_of({"seed": 2}), folder_of({"seed": 1}, stage="tiny@two")]
    assert len(set(folders)) == 3
    assert folders[2].name.startswith("tiny-two-")


def test_the_order_of_params_is_no_other_params() -> None:
    assert fingerprint({"a": 1, "b": 2}, []) == fingerprint({"b": 2, "a": 1}, [])


def test_other_contents_of_an_input_start_afresh_and_another_place_does_not(tmp_path: Path) -> None:
    for name, text in (("one", "text"), ("two", "text"), ("three", "other")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file.txt").write_text(text)
    for kind in ("file.txt", "."):
        one, two, three = (folder_of({}, [tmp_path / name / kind]) for name in ("one", "two", "three"))
        assert one == two != three


def test_a_folder_with_a_manifest_is_told_by_it(tmp_path: Path) -> None:
    """Its files are hashed there already: a corpus of 100 GB is not read again to name a scratch."""
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.txt").write_text("one")
    manifest.write(folder, [{"path": "a.txt"}])
    before = fingerprint({}, [folder])
    (folder / "a.txt").write_text("two")
    assert fingerprint({}, [folder]) == before
    manifest.write(folder, [{"path": "a.txt"}])
    assert fingerprint({}, [folder]) != before


def test_the_scratch_lies_in_the_repository_also_from_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    here = scratch_root()
    Path("temp").mkdir()
    monkeypatch.setenv("DVC_ROOT", str(Path.cwd()))
    monkeypatch.chdir("temp")  # as `dvc exp run --temp` does
    assert scratch_root() == here


def test_without_dvc_the_scratch_of_a_finished_run_goes() -> None:
    with scratch("tiny", {}, []) as work:
        pass
    assert not work.folder.exists()


def test_of_a_scratch_that_goes_nobody_finds_a_half(monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed while it removes its finished work: a part whose mark outlives its files would be taken for done."""
    real = shutil.rmtree

    def killed(folder: Path, **options: bool) -> None:
        if folder.exists():
            (folder / "file").unlink()
            raise Killed

    monkeypatch.setattr(shutil, "rmtree", killed)
    with pytest.raises(Killed), scratch("tiny", {}, []) as work:
        (work.folder / "file").write_text("of a part")
        (work.folder / "part.json").write_text("{}")
    monkeypatch.setattr(shutil, "rmtree", real)
    with scratch("tiny", {}, []) as work:
        assert list(work.folder.iterdir()) == [work.folder / "lock"]
        assert list(scratch_root().iterdir()) == [work.folder], "what was left is removed"


def test_under_dvc_it_stays_until_dvc_has_committed_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DVC_STAGE", "tiny")
    monkeypatch.setenv("DVC_ROOT", str(Path.cwd()))
    with scratch("tiny", {}, []) as work:
        (work.folder / "result").write_text("done")
        work.publish({work.folder / "result": Path("out.txt")})
    sweep("tiny")
    assert work.folder.exists(), "DVC may have died before it committed: then it deletes the out again"
    lock({"out.txt": dvc_md5(Path("out.txt"))})
    sweep("tiny")
    assert not work.folder.exists()


def lock(outs: dict[str, str]) -> Path:
    """A dvc.lock of one stage."""
    listed = [{"path": path, "hash": "md5", "md5": md5, "size": 1} for path, md5 in outs.items()]
    with open("dvc.lock", "w") as f:
        YAML(typ="safe").dump({"schema": "2.0", "stages": {"tiny": {"cmd": "x", "outs": listed}, "other": {}}}, f)
    return Path("dvc.lock")


def test_committed_means_every_published_out_with_this_content() -> None:
    folder = Path("work")
    folder.mkdir()
    (folder / "published.json").write_text(json.dumps({"a": "1", "b": "2.dir"}))
    assert committed(folder, lock({"a": "1", "b": "2.dir", "c": "3"}))
    assert not committed(folder, lock({"a": "1"}))
    assert not committed(folder, lock({"a": "1", "b": "another.dir"}))


@pytest.mark.parametrize(
    "text", [None, "", "stages: {}", "stages: {tiny: {outs: [{path: a}]}}", "<<<<<<< HEAD\nstages:\n======="]
)
def test_a_lock_file_that_tells_nothing_commits_nothing(text: str | None) -> None:
    folder = Path("work")
    folder.mkdir()
    (folder / "published.json").write_text('{"a": "1"}')
    if text is not None:
        Path("dvc.lock").write_text(text)
    assert not committed(folder, Path("dvc.lock"))


def test_an_unpublished_scratch_is_never_swept() -> None:
    folder = folder_of({})
    lock({})
    sweep("tiny")
    assert folder.exists()


@contextmanager
def held_by_another_process(folder: Path) -> Iterator[int]:
    """Its pid, while it holds the scratch."""
    code = (
        "import sys; from pathlib import Path; from bert.pipeline.scratch import _locked\n"
        "with _locked(Path(sys.argv[1]), wait=False):\n"
        "    print('held', flush=True); sys.stdin.read()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(folder)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout and process.stdout.readline() == "held\n"
    try:
        yield process.pid
    finally:
        process.communicate()


def test_a_second_run_names_the_process_that_holds_the_scratch() -> None:
    folder = folder_of({})
    with held_by_another_process(folder) as pid:
        with pytest.raises(StageError, match=f"is in use by process {pid} on ") as caught, scratch("tiny", {}, []):
            pass
        assert "kill" in str(caught.value.run)
        assert in_use(folder)
        (folder / "published.json").write_text("{}")
        lock({})
        sweep("tiny")
        assert folder.exists(), "what is in use is not swept"
    assert not in_use(folder)
    sweep("tiny")
    assert not folder.exists()


def test_under_exp_run_temp_the_second_run_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SECONDS_BETWEEN_TRIES", 0.02)
    monkeypatch.setenv("DVC_ROOT", str(Path.cwd()))
    monkeypatch.setenv("DVC_STAGE", "tiny")
    Path("temp").mkdir()
    monkeypatch.chdir("temp")
    order: list[str] = []
    begun = threading.Event()

    def first() -> None:
        with scratch("tiny", {}, []):
            begun.set()
            time.sleep(0.2)
            order.append("first")

    thread = threading.Thread(target=first)
    thread.start()
    begun.wait(10)
    with scratch("tiny", {}, []):
        order.append("second")
    thread.join()
    assert order == ["first", "second"]


def test_a_folder_that_its_last_holder_removes_in_that_moment_is_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between opening the lock file and locking it: a lock on a file that is gone would hold off nobody."""
    folder = Path.cwd() / "work"
    real = fcntl.flock

    def just_too_late(file: IO[str], how: int) -> None:
        monkeypatch.setattr("bert.pipeline.scratch.fcntl.flock", real)
        shutil.rmtree(folder)
        real(file, how)

    monkeypatch.setattr("bert.pipeline.scratch.fcntl.flock", just_too_late)
    with module._locked(folder, wait=False):
        assert (folder / module.LOCK).exists()
        assert in_use(folder)


def test_published_results_replace_what_was_there_and_outlive_the_scratch() -> None:
    Path("out/sub").mkdir(parents=True)
    Path("out/sub/stale.txt").write_text("stale")
    Path(".out.publishing").mkdir()  # of a run that was killed while it copied
    Path(".out.publishing/half.txt").write_text("half")
    Path("file.txt").write_text("old")
    with scratch("tiny", {}, []) as work:
        (work.folder / "result" / "deep").mkdir(parents=True)
        (work.folder / "result" / "deep" / "new.txt").write_text("new")
        (work.folder / "one").write_text("one")
        work.publish({work.folder / "result": Path("out"), work.folder / "one": Path("data/file.txt")})
        assert (work.folder / "result" / "deep" / "new.txt").exists(), "a copy, not a move"
    assert not work.folder.exists()
    assert files(Path("out")) == {"deep/new.txt": b"new"}
    assert Path("data/file.txt").read_text() == "one"
    assert not list(Path.cwd().rglob("*.publishing"))


def test_a_reader_of_the_old_file_keeps_it_while_the_new_one_is_published() -> None:
    Path("out.txt").write_text("old")
    with open("out.txt") as reader, scratch("tiny", {}, []) as work:
        (work.folder / "result").write_text("new")
        work.publish({work.folder / "result": Path("out.txt")})
        assert reader.read() == "old"
    assert Path("out.txt").read_text() == "new"


@pytest.mark.slow
def test_what_a_stage_publishes_is_what_dvc_commits(tmp_path: Path) -> None:
    """Real DVC: its hashes are ours, its variables are where we look for them, and then the scratch goes."""
    (tmp_path / "make.py").write_text(
        """
from pathlib import Path
from bert.pipeline.job import job

with job("make@one", "stages.report", {}, [], Path("metrics.json"), Path("record.json")) as work:
    for name in ("a/b.txt", "a-b.txt", "a.txt", "a/c/d.txt", "ü é.txt", "B.txt", "deep/er/and/deeper.bin"):
        file = work.folder / "result" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name * 1000)
    (work.folder / "one").write_bytes(b"line\\r\\nline\\r\\n")
    work.metrics["count"] = 1
    work.publish({work.folder / "result": Path("data/folder"), work.folder / "one": Path("data/one.txt")})
"""
    )
    (tmp_path / "dvc.yaml").write_text(
        "stages:\n  make:\n    matrix: {item: [one]}\n    cmd: python make.py\n    outs: [data/folder, data/one.txt]\n"
    )
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "DVC_NO_ANALYTICS": "true",
    }
    for command in (["init", "--no-scm", "--quiet"], ["repro", "--quiet"]):
        subprocess.run([sys.executable, "-m", "dvc", *command], check=True, env=environment, timeout=120)

    outs = YAML(typ="safe").load(Path("dvc.lock"))["stages"]["make@one"]["outs"]
    assert {out["path"]: out["md5"] for out in outs} == {
        "data/folder": dvc_md5(Path("data/folder")),
        "data/one.txt": dvc_md5(Path("data/one.txt")),
    }
    (folder,) = (tmp_path / ".scratch").iterdir()
    assert folder.name.startswith("make-one-")
    assert committed(folder, Path("dvc.lock"))
    sweep("make-one")
    assert not folder.exists()
    assert json.loads(Path("record.json").read_text())["stage"] == "make@one"
