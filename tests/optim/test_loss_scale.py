"""Tests for bert/optim/loss_scale.py."""

from __future__ import annotations

from typing import Any

import pytest
import tensorflow as tf

from bert.optim.loss_scale import LossScale
from bert.optim.settings import LossScaleSettings


def history(scale: LossScale, finite: str) -> list[tuple[float, int]]:
    """(scale, good steps) after each step of `finite`, a string of + and -."""
    states = []
    for sign in finite:
        scale.update(tf.constant(sign == "+"))
        states.append((float(scale.scale), int(scale.good_steps)))
    return states


def test_it_halves_at_an_overflow_and_doubles_after_enough_good_steps() -> None:
    scale = LossScale(LossScaleSettings(initial=8, growth_steps=3))
    assert history(scale, "++-+++++") == [(8, 1), (8, 2), (4, 0), (4, 1), (4, 2), (8, 0), (8, 1), (8, 2)]


def test_only_good_steps_in_a_row_count() -> None:
    scale = LossScale(LossScaleSettings(initial=8, growth_steps=2))
    assert [s for s, _ in history(scale, "+-+-+-")] == [8, 4, 4, 2, 2, 1]


def test_it_does_not_fall_below_1() -> None:
    # Below, it would make gradients smaller than they are: the opposite of its purpose.
    scale = LossScale(LossScaleSettings(initial=2, growth_steps=2))
    assert [s for s, _ in history(scale, "---")] == [1, 1, 1]


def test_without_settings_it_is_1_for_ever() -> None:
    assert history(LossScale(None), "-++") == [(1, 0)] * 3


@pytest.mark.parametrize("compiled", [False, True])
def test_it_works_inside_a_graph(compiled: bool) -> None:
    scale = LossScale(LossScaleSettings(initial=8, growth_steps=2))

    @tf.function(jit_compile=compiled)
    def update(finite: Any) -> None:
        scale.update(finite)

    for finite in (True, True, False):
        update(tf.constant(finite))
    assert (float(scale.scale), int(scale.good_steps)) == (8, 0)


def test_a_checkpoint_holds_both_numbers() -> None:
    assert set(LossScale(None).variables) == {"loss_scale/scale", "loss_scale/good_steps"}
