"""stages/pretrain.py after a kill, a full disk, or a run whose result DVC did not take: the end is the same."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from pathlib import Path

import pytest

from bert.launch.stage import FINISHED
from bert.pipeline.errors import StageError
from stages.pretrain import main
from tests.project import Project, catches
from tests.stages.full_disk import fill_disk
from tests.training import stage


def saved(folder: Path) -> list[int]:
    """The steps of the checkpoints."""
    return sorted(
        int(mark.stem[5:]) for mark in (folder / ".scratch").glob("pretrain_phase1-*/checkpoints/step-*.json")
    )


def stop(project: Project, number: signal.Signals) -> int:
    """Start the stage and stop it: SIGKILL once it has saved anew. The step that it goes on from."""
    before = saved(project.path)
    saves = "0" if number == signal.SIGKILL else "1000"
    process = project.start("pretrain", *stage.arguments(), BERT_SAVE_SECONDS=saves)
    deadline = time.monotonic() + 120
    # Of SIGINT Python has a handler from the start; that of the loop comes with the one for SIGTERM.
    while not (
        saved(project.path)[-1:] > before[-1:] if number == signal.SIGKILL else catches(process.pid, signal.SIGTERM)
    ):
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.kill(process.pid, number)
    said = process.communicate()[1]
    step = saved(project.path)[-1]
    if number != signal.SIGKILL:
        assert process.returncode == 1 and "Traceback" not in said
        assert f"pretrain_phase1: stopped as asked after step {step} of 40, saved" in said
    assert ("going on from step" in said) == bool(before)
    assert not (project.path / "data" / "models").exists()
    return step


@pytest.mark.slow
def test_a_stage_that_is_stopped_again_and_again_goes_on_and_ends_with_the_same_bytes(
    here: Path, pretrained: Path, project: Project
) -> None:
    """Asked to stop, from the step at which it saved; killed, from its last checkpoint."""
    steps = [stop(project, number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGKILL)]
    assert 0 < steps[0] < steps[1] < steps[2] < 40
    main(stage.arguments())
    resumed = json.loads((here / "metrics" / "provenance" / "pretrain_phase1.json").read_text())["resumed_from_step"]
    assert resumed == steps[2]
    ours, theirs = here / "data" / "models" / "phase1", pretrained / "data" / "models" / "phase1"
    for name in ("weights.safetensors", "manifest.json"):
        assert (ours / name).read_bytes() == (theirs / name).read_bytes(), name
    assert stage.curve(here) == stage.curve(pretrained)
    assert stage.curve(here, "phase1_held_out") == stage.curve(pretrained, "phase1_held_out")


@pytest.mark.slow
def test_a_disk_that_is_full_at_saving_is_one_error_and_the_next_run_is_whole(
    here: Path, pretrained: Path, project: Project
) -> None:
    process = project.start("pretrain", *stage.arguments(), BERT_SAVE_SECONDS="0")
    fill_disk(process, 20_000)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 1 and "Traceback" not in said
    assert "File too large; what has been done so far is kept\n  next: make room there, then dvc repro" in said
    assert not list((here / ".scratch").glob("pretrain_phase1-*/checkpoints/*")), "half a checkpoint takes up room"

    main(stage.arguments())
    name = "data/models/phase1/weights.safetensors"
    assert (here / name).read_bytes() == (pretrained / name).read_bytes()


@pytest.fixture
def finished(pretrained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Phase 1 has finished, and DVC died before it wrote dvc.lock: the next repro deletes the outs and starts it."""
    folder = tmp_path / "copy"
    shutil.copytree(pretrained, folder)
    shutil.rmtree(folder / "data" / "models")
    (folder / "metrics" / "pretrain_phase1.json").unlink()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("DVC_STAGE", "pretrain_phase1")
    return folder


def made_by_other_code(folder: Path) -> None:
    (mark,) = (folder / ".scratch").glob(f"pretrain_phase1-*/{FINISHED}")
    mark.write_text(json.dumps(json.loads(mark.read_text()) | {"bert/model/layers.py": "other"}))


def results(folder: Path) -> list[bytes]:
    """Metrics, among them the measured speed, which a second training would not hit; and the weights."""
    return [
        (folder / "metrics" / "pretrain_phase1.json").read_bytes(),
        (folder / "data" / "models" / "phase1" / "weights.safetensors").read_bytes(),
    ]


def test_a_finished_run_is_published_and_not_repeated(finished: Path, pretrained: Path) -> None:
    main(stage.arguments())
    assert results(finished) == results(pretrained)


def test_a_result_of_other_code_does_not_pass_for_one_of_this(finished: Path) -> None:
    made_by_other_code(finished)
    with pytest.raises(StageError, match=r"result in .* made by other code; changed since: bert/model/layers\.py"):
        main(stage.arguments())
    assert not (finished / "data" / "models").exists()


def test_a_result_of_other_code_is_published_if_it_is_accepted(
    finished: Path, pretrained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made_by_other_code(finished)
    monkeypatch.setenv("BERT_RESUME", "accept")
    main(stage.arguments())
    assert results(finished) == results(pretrained)


@pytest.mark.slow
def test_a_result_of_other_code_is_made_anew_if_that_is_wished(
    finished: Path, pretrained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made_by_other_code(finished)
    monkeypatch.setenv("BERT_RESUME", "fresh")
    main(stage.arguments())
    (metrics, weights), (old_metrics, old_weights) = results(finished), results(pretrained)
    assert metrics != old_metrics
    assert weights == old_weights
    main(stage.arguments())  # and now the result is one of this code
    assert results(finished) == [metrics, weights]
