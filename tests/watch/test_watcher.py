"""Tests for bert/watch/watcher.py and its viewers: what TensorBoard and DVC find, also after a kill."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import tensorflow as tf
from tensorflow.core.util.event_pb2 import Event, SessionLog

from bert.model.fused import Xla
from bert.pipeline.errors import StageError
from bert.watch.watcher import LiveWatcher, folder_name
from tests.training.runs import STEPS, Killed, batches, run, scripted, step_of

OF_TRAINING = {"loss", "mlm_loss", "nsp_loss", "learning_rate", "grad_norm", "loss_scale", "sequences_per_second"}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("DVC_EXP_NAME", "DVC_EXP_BASELINE_REV", "DVC_ROOT", "DVC_STAGE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def events(file: Path) -> list[Event]:
    return [Event.FromString(record.numpy()) for record in tf.data.TFRecordDataset(str(file))]


def scalars(events: list[Event]) -> dict[str, dict[int, float]]:
    """{tag: {step: value}}, read as TensorBoard reads: a start takes away the steps from its own on."""
    found: dict[str, dict[int, float]] = {}
    for event in events:
        if event.session_log.status == SessionLog.START:
            found = {tag: {s: x for s, x in values.items() if s < event.step} for tag, values in found.items()}
        for value in event.summary.value:
            found.setdefault(value.tag, {})[event.step] = value.simple_value
    return found


def table(file: Path) -> dict[int, float]:
    """{step: figure} of a file of DVCLive, each step once."""
    rows = [line.split("\t") for line in file.read_text().splitlines()[1:]]
    assert len({step for step, _ in rows}) == len(rows)
    return {int(step): float(value) for step, value in rows}


def curve_of(lines: list[str], column: str) -> dict[int, float]:
    place = lines[0].split("\t").index(column)
    return {int(line.split("\t")[0]): float(line.split("\t")[place]) for line in lines[1:]}


def test_nothing_is_written_unless_asked_for(here: Path) -> None:
    run(step_of(), here / "scratch", batches(), watcher=LiveWatcher())
    assert [path.name for path in here.iterdir()] == ["scratch"]


def test_tensorboard_sees_a_killed_and_resumed_run_as_one(here: Path) -> None:
    watcher = LiveWatcher(tensorboard="boards")
    with pytest.raises(Killed):
        run(step_of(), here / "cut", batches(killed_at=5), held_out=scripted(4.0, 3.0), watcher=watcher)
    newest = max((here / "cut" / "checkpoints").glob("*.json"))  # it showed step 5, but comes back from step 4
    newest.unlink()
    whole = run(step_of(), here / "cut", batches(), held_out=scripted(2.0, 1.0), watcher=watcher)
    assert whole.resumed_from == 4

    # Not by their names: these tell seconds, then a number whose digits grow.
    first, second = sorted((here / "boards" / "test").iterdir(), key=lambda file: events(file)[0].wall_time)
    assert 5 in scalars(events(first))["train/loss"]
    assert events(second)[0].file_version == "brain.Event:2"
    assert (events(second)[1].session_log.status, events(second)[1].step) == (SessionLog.START, 5)
    found = scalars(events(first) + events(second))
    assert found.keys() == {*(f"train/{name}" for name in OF_TRAINING), "held_out/mlm_loss"}
    for name in OF_TRAINING - {"sequences_per_second"}:
        assert found[f"train/{name}"] == pytest.approx(curve_of(whole.curve, name), rel=1e-5), name
    assert found["train/sequences_per_second"].keys() == set(range(1, STEPS + 1))
    assert found["held_out/mlm_loss"] == {2: 4.0, 4: 3.0, 6: 2.0, 7: 1.0}


def test_dvclive_shows_a_killed_and_resumed_run_without_a_point_twice(here: Path) -> None:
    watcher = LiveWatcher(dvclive=True)
    with pytest.raises(Killed):
        run(step_of(), here / "cut", batches(killed_at=5), held_out=scripted(4.0, 3.0), watcher=watcher)
    max((here / "cut" / "checkpoints").glob("*.json")).unlink()
    whole = run(step_of(), here / "cut", batches(), held_out=scripted(2.0, 1.0), watcher=watcher)
    assert whole.resumed_from == 4

    folder = here / "dvclive" / "test"
    tables = folder / "plots" / "metrics"
    assert {p.stem for p in (tables / "train").iterdir()} == OF_TRAINING
    for name in OF_TRAINING - {"sequences_per_second"}:
        assert table(tables / "train" / f"{name}.tsv") == pytest.approx(curve_of(whole.curve, name), rel=1e-5), name
    assert table(tables / "train" / "sequences_per_second.tsv").keys() == {5, 6, 7}, "times before are gone"
    assert table(tables / "held_out" / "mlm_loss.tsv") == {2: 4.0, 4: 3.0, 6: 2.0, 7: 1.0}
    metrics = json.loads((folder / "metrics.json").read_text())
    assert (metrics["step"], metrics["held_out"]["mlm_loss"]) == (STEPS, 1.0)
    assert {p.name for p in here.iterdir()} == {"cut", "dvclive"}, "no dvc.yaml"


def test_dvclive_is_for_experiments_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    assert LiveWatcher().dvclive_folder("squad") is None
    monkeypatch.setenv("DVC_EXP_NAME", "at-bf16")
    folder = LiveWatcher().dvclive_folder("glue@mrpc from random weights")
    assert folder == Path("dvclive/glue-mrpc-from-random-weights")
    assert LiveWatcher(dvclive=False).dvclive_folder("squad") is None
    assert folder_name("pretrain_phase1") == "pretrain_phase1"


def test_a_folder_that_cannot_be_written_is_named(here: Path) -> None:
    (here / "boards").touch()
    with pytest.raises(StageError, match=r"BERT_TENSORBOARD: .*boards/test cannot be written"):
        run(step_of(), here / "scratch", batches(), watcher=LiveWatcher(tensorboard="boards"))


def test_a_viewer_that_fails_does_not_end_the_training(here: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("WARNING", logger="bert")

    def evaluate_in_the_way(xla: Xla) -> dict[str, float]:
        (here / "dvclive" / "test" / "plots" / "metrics" / "held_out").touch()  # DVCLive wants a folder there
        return {"mlm_loss": 1.0}

    curve = scripted()
    curve._evaluate = evaluate_in_the_way
    whole = run(step_of(), here / "scratch", batches(), held_out=curve, watcher=LiveWatcher(dvclive=True))
    assert len(whole.curve) == 1 + STEPS
    assert caplog.text.count("no more live figures in DvcLive: ") == 1
