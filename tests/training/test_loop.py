"""Tests for bert/training/loop.py: the curve, skipped updates, checkpoints, and going on after a kill."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bert.optim.settings import LossScaleSettings
from bert.pipeline.errors import StageError
from bert.training.loop import Run
from bert.training.step import TrainStep
from bert.training.world import Split
from tests.training.runs import (
    CODE,
    IN_FOUR,
    ROWS,
    STEPS,
    WHOLE,
    Killed,
    assert_same_bits,
    batches,
    run,
    step_of,
)
from tests.training.tiny import FP16, FP32, fresh_step, make_batch, make_step, take_steps, tensors, values_of


@pytest.mark.parametrize("split", [WHOLE, IN_FOUR], ids=["whole", "accumulated"])
@pytest.mark.parametrize("curve_points", [STEPS, 2], ids=["a point a step", "a point every 3 steps"])
def test_a_resumed_run_ends_bit_for_bit_as_an_uninterrupted_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, split: Split, curve_points: int
) -> None:
    monkeypatch.setattr("bert.training.curves.CURVE_POINTS", curve_points)
    step = step_of(split)
    whole = run(step, tmp_path / "whole", batches())
    expected = values_of(step)

    for killed_at in (2, 4):  # twice, the second time a run that was resumed itself
        with pytest.raises(Killed):
            run(step_of(split), tmp_path / "cut", batches(killed_at=killed_at))
    step = step_of(split)
    resumed = run(step, tmp_path / "cut", batches())
    # The interval of the curve is 3 steps, and step 4 stands inside one: no checkpoint waits for its end.
    assert resumed.resumed_from == 4
    assert len(resumed.step_seconds) == STEPS - 4
    assert_same_bits(values_of(step), expected)
    assert resumed.curve == whole.curve
    assert resumed.last == whole.last
    assert len(whole.curve) == 1 + math.ceil(STEPS / (STEPS // curve_points))


def test_a_damaged_checkpoint_costs_steps_and_no_bit(tmp_path: Path) -> None:
    step = step_of()
    run(step, tmp_path / "whole", batches())
    expected = values_of(step)
    with pytest.raises(Killed):
        run(step_of(), tmp_path / "cut", batches(killed_at=5))
    newest = max((tmp_path / "cut" / "checkpoints").glob("*.safetensors"))
    data = bytearray(newest.read_bytes())
    data[len(data) // 2] ^= 1
    newest.write_bytes(data)
    step = step_of()
    assert run(step, tmp_path / "cut", batches()).resumed_from == 4
    assert_same_bits(values_of(step), expected)


def test_the_time_between_checkpoints_is_kept(tmp_path: Path) -> None:
    run(step_of(), tmp_path, batches(), save_seconds=3600.0)
    assert not (tmp_path / "checkpoints").exists()


def test_the_curve_holds_means_weighted_by_what_they_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bert.training.curves.CURVE_POINTS", 2)
    curve = run(step_of(), tmp_path, batches()).curve
    figures = take_steps(step_of(), range(STEPS), ROWS)  # the same steps, without the loop
    header, *rows = [line.split("\t") for line in curve]
    assert header == ["step", "loss", "mlm_loss", "nsp_loss", "learning_rate", "grad_norm", "loss_scale"]
    assert [row[0] for row in rows] == ["3", "6", "7"], "every third step, and the last"
    for (first, stop), row in zip([(0, 3), (3, 6), (6, 7)], rows, strict=True):
        part = figures[first:stop]
        mlm = sum(t["mlm_loss"] for t in part) / sum(t["predictions"] for t in part)
        nsp = sum(t["nsp_loss"] for t in part) / sum(t["rows"] for t in part)
        norm = sum(t["grad_norm"] for t in part) / len(part)
        expected = [mlm + nsp, mlm, nsp, part[-1]["learning_rate"], norm, 1.0]
        assert [float(x) for x in row[1:]] == pytest.approx(expected, rel=1e-5)


def test_updates_that_are_not_finite_are_skipped_and_counted(tmp_path: Path) -> None:
    # Never more than two in a row: a good one in between starts the count again.
    step = step_of()
    ended = run(step, tmp_path, batches(bad="--+--+-"), patience=2)
    assert ended.skipped_steps == 5
    assert int(step.updates) == 2
    assert all(np.isfinite(value).all() for value in values_of(step).values())
    assert all(math.isfinite(float(x)) for line in ended.curve[1:] for x in line.split("\t"))


def fp16_step() -> TrainStep:
    """With a loss scale that has counted good steps when the streak comes, and grows after it."""
    return fresh_step(WHOLE, precision=FP16, loss_scale=LossScaleSettings(initial=2.0**10, growth_steps=3))


def test_too_many_in_a_row_roll_back_once_and_skip_their_batches(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def without(first: int, stop: int) -> Iterator[Any]:
        """What training sees once the poisoned batches 2, 3 and 4 are passed over."""
        for number in [0, 1, *range(5, STEPS + 3)][first:stop]:
            yield tensors(make_batch(ROWS, seed=number))

    caplog.set_level("WARNING", logger="bert")  # whatever other tests have left
    step = fp16_step()
    clean = run(step, tmp_path / "clean", without)
    expected = values_of(step)

    step = fp16_step()
    ended = run(step, tmp_path / "poisoned", batches(bad="++---"))
    assert_same_bits(values_of(step), expected)
    assert (ended.curve, ended.skipped_steps, ended.skipped_batches) == (clean.curve, 0, [2, 3, 4])
    assert "back to the state before step 2, without the batches 2 to 4" in caplog.text

    for killed_at in (4, 7):  # in the streak, and after the rollback
        with pytest.raises(Killed):
            run(fp16_step(), tmp_path / "cut", batches(killed_at=killed_at, bad="++---"))
    step = fp16_step()
    resumed = run(step, tmp_path / "cut", batches(bad="++---"))
    assert resumed.resumed_from == 4
    assert_same_bits(values_of(step), expected)
    assert (resumed.curve, resumed.skipped_batches) == (clean.curve, [2, 3, 4])


def test_too_many_in_a_row_for_the_second_time_end_the_run_and_tell_the_figures(tmp_path: Path) -> None:
    with pytest.raises(StageError, match="test: 3 updates in a row were not finite, the last at step 4, ") as error:
        run(step_of(), tmp_path, batches(bad="++------"), patience=2)
    said = str(error.value)
    assert "for the second time: batches 2 to 4 had been skipped before" in said
    assert "loss scale 1 at the first of them, 1 at the last; gradient norm nan, the last finite one 1." in said
    assert "norm of all weights" in said and "learning rate" in said


def test_a_run_without_a_single_update_has_no_result(tmp_path: Path) -> None:
    with pytest.raises(StageError, match="not one of 2 updates was finite"):
        run(step_of(), tmp_path, batches(bad="--"), steps=2, patience=5)


def test_a_resumed_run_compiles_as_the_first_one_did(tmp_path: Path) -> None:
    # `xla: auto` on a GPU, resumed on a CPU: the rest of the run is computed as its beginning.
    step = step_of()
    run(step, tmp_path / "whole", batches())
    expected = values_of(step)
    with pytest.raises(Killed):
        run(step_of(), tmp_path / "cut", batches(killed_at=3))
    step = make_step(WHOLE, clip_norm=0.5, precision=replace(FP32, xla=True))
    assert not run(step, tmp_path / "cut", batches()).xla
    assert_same_bits(values_of(step), expected)


def test_skipped_steps_survive_a_kill(tmp_path: Path) -> None:
    with pytest.raises(Killed):
        run(step_of(), tmp_path, batches(bad="-+-++++", killed_at=4))
    assert run(step_of(), tmp_path, batches()).skipped_steps == 2


def test_a_checkpoint_can_be_read_as_json_and_names_the_code(tmp_path: Path) -> None:
    run(step_of(), tmp_path, batches())
    mark = json.loads(max((tmp_path / "checkpoints").glob("*.json")).read_text())
    assert mark["step"] == STEPS - 1, "after the last step comes the result itself"
    assert mark["code"] == CODE


def test_the_rate_leaves_the_first_steps_out() -> None:
    # Tracing and compiling are no part of the throughput.
    ended = Run([], step_seconds=[60.0] * 5 + [0.5] * 10)
    assert ended.rate(batch_size=4) == pytest.approx(8)
    assert Run([], step_seconds=[2.0]).rate(4) == 2
    # Nor are later steps that compile: the first of a batch of another shape.
    another = Run([], step_seconds=[60.0] * 5 + [0.5] * 4 + [30.0] + [0.5] * 4, compiled={0, 9})
    assert another.rate(batch_size=4) == another.recent_rate(batch_size=4) == pytest.approx(8)
    assert Run([]).rate(4) == 0
