"""Tests for bert/training/held_out_curve.py: evaluations in between, in the loop."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bert.examples.reading import Records
from bert.training.evaluation import HeldOut
from bert.training.held_out_curve import HeldOutCurve
from bert.training.world import World
from tests.training.runs import EVERY, Killed, assert_same_bits, batches, run, scripted, step_of
from tests.training.tiny import held_out_sums, values_of, write_records, write_vocab

COLUMNS = ("mlm_loss", "mlm_accuracy", "nsp_loss", "nsp_accuracy")


@pytest.fixture(scope="module")
def held_out(tmp_path_factory: pytest.TempPathFactory) -> HeldOut:
    """Of the step that step_of gives, whose variables stay the same: compiled once."""
    folder = tmp_path_factory.mktemp("held_out")
    write_records(folder / "test", [9, 4], write_vocab(folder / "vocab.txt"), seed=2)
    records = Records(folder / "test", "dvc repro tfrecords@phase1")
    return HeldOut(held_out_sums(step_of().parameters), records, None, 5, World())


def of_records(held_out: HeldOut) -> HeldOutCurve:
    return HeldOutCurve(EVERY, COLUMNS, lambda xla: held_out(xla, at_most=7), keep_weights=True)


def steps_of(curve: HeldOutCurve) -> list[int]:
    return [int(line.split("\t")[0]) for line in curve.lines[1:]]


def test_evaluations_in_between_change_no_bit_of_the_training(tmp_path: Path, held_out: HeldOut) -> None:
    step = step_of()
    without = run(step, tmp_path / "without", batches())
    expected = values_of(step)
    step, curve = step_of(), of_records(held_out)
    evaluated = run(step, tmp_path / "with", batches(), held_out=curve)
    assert_same_bits(values_of(step), expected)
    assert evaluated.curve == without.curve
    assert curve.lines[0].split("\t") == ["step", *COLUMNS]
    assert steps_of(curve) == [2, 4, 6, 7], "every second step, and the last"
    last = held_out(xla=False, at_most=7)
    assert curve.lines[-1] == "\t".join(["7", *(f"{last[name]:.6g}" for name in COLUMNS)])


def test_a_killed_run_ends_with_the_same_held_out_curve_and_best_weights(tmp_path: Path, held_out: HeldOut) -> None:
    whole = of_records(held_out)
    run(step_of(), tmp_path / "whole", batches(), held_out=whole)
    for killed_at in (3, 5):  # twice, the second time a run that was resumed itself
        with pytest.raises(Killed):
            run(step_of(), tmp_path / "cut", batches(killed_at=killed_at), held_out=of_records(held_out))
    resumed = of_records(held_out)
    assert run(step_of(), tmp_path / "cut", batches(), held_out=resumed).resumed_from == 5
    assert resumed.lines == whole.lines
    assert (resumed.best_step, resumed.best_loss) == (whole.best_step, whole.best_loss)
    assert_same_bits(resumed.best_weights, whole.best_weights)


def test_the_best_weights_survive_a_kill_after_them(tmp_path: Path) -> None:
    step = step_of()
    run(step, tmp_path / "short", batches(), steps=4)
    at_the_best = {name: value for name, value in values_of(step).items() if name in step.parameters}
    with pytest.raises(Killed):
        run(step_of(), tmp_path / "cut", batches(killed_at=5), held_out=scripted(3.0, 1.0))
    resumed = scripted(2.0, 1.0)  # as good at the last step: the earlier one stays
    run(step_of(), tmp_path / "cut", batches(), held_out=resumed)
    assert (resumed.best_step, resumed.best_loss) == (4, 1.0)
    assert steps_of(resumed) == [2, 4, 6, 7]
    assert resumed.best_weights.keys() == step.parameters.keys()
    moved = [n for n, value in resumed.best_weights.items() if not np.array_equal(value, step_of().parameters[n])]
    assert moved, "not those of the beginning"
    for name, value in resumed.best_weights.items():
        # The learning rate follows from the step alone, so four steps of a longer run are a run of four steps.
        np.testing.assert_array_equal(value, at_the_best[name], err_msg=name)


def test_a_loss_that_is_no_number_is_never_the_best(tmp_path: Path) -> None:
    curve = scripted(float("nan"), 5.0, float("nan"), float("nan"))
    run(step_of(), tmp_path, batches(), held_out=curve)
    assert (curve.best_step, curve.best_loss) == (4, 5.0)


def test_an_evaluation_that_falls_into_a_streak_comes_after_it(tmp_path: Path) -> None:
    # Update 2, at which the first is due, is not finite: it is made after update 3.
    curve = scripted(1.0, 2.0, 3.0, 4.0)
    run(step_of(), tmp_path, batches(bad="+-+"), held_out=curve)
    assert steps_of(curve) == [3, 4, 6, 7]
