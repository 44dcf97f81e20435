"""Tests for bert/optim/schedule.py."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from bert.optim.schedule import learning_rate
from bert.optim.settings import DecayFrom


def rates(peak: float, warmup: int, steps: int, power: float, decay_from: DecayFrom = "warmup") -> list[float]:
    numbers = tf.range(steps, dtype=tf.int64)
    return [float(rate) for rate in learning_rate(numbers, peak, warmup, steps, power, decay_from)]


def test_a_whole_schedule_by_hand() -> None:
    # Up in 4 steps, the peak twice (the last of the warm-up, the first of the decay), then down by an eighth each.
    expected = [0.25, 0.5, 0.75, 1, 1, 7 / 8, 6 / 8, 5 / 8, 4 / 8, 3 / 8, 2 / 8, 1 / 8]
    assert rates(2.0, 4, 12, 1.0) == pytest.approx([2 * x for x in expected])


def test_power_half_decays_late() -> None:
    # NVIDIA's setting for both phases: half-way through the decay, the square root of a half.
    assert rates(1.0, 4, 12, 0.5)[8] == pytest.approx(0.5**0.5)
    assert rates(1.0, 4, 12, 0.5)[11] == pytest.approx(0.125**0.5)


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
def test_the_end_of_the_warm_up_is_the_peak_and_has_no_jump(power: float) -> None:
    # The reference's decay begins at step 0: with power 0.5 its rate falls by 15 % after step 2000 of 7038.
    seen = rates(6e-3, 2000, 7038, power)
    assert max(seen) == pytest.approx(6e-3)
    assert seen[1999] == seen[2000] == max(seen)
    assert np.abs(np.diff(seen[1900:2100])).max() < 6e-3 / 1000


def test_the_last_step_still_learns() -> None:
    assert rates(1.0, 2, 100, 1.0)[-1] == pytest.approx(1 / 98)
    assert min(rates(1.0, 2, 100, 0.5)) > 0


def test_without_warm_up_the_first_step_has_the_peak() -> None:
    assert rates(1.0, 0, 4, 1.0) == pytest.approx([1, 0.75, 0.5, 0.25])


def test_a_schedule_of_warm_up_only_does_not_divide_by_zero() -> None:
    assert rates(1.0, 4, 4, 1.0) == pytest.approx([0.25, 0.5, 0.75, 1])


def test_a_decay_counted_from_the_start_by_hand() -> None:
    # Up in 4 steps; then what is left of all 12, and not of the 8 after the warm-up.
    expected = [0.25, 0.5, 0.75, 1, 8 / 12, 7 / 12, 6 / 12, 5 / 12, 4 / 12, 3 / 12, 2 / 12, 1 / 12]
    assert rates(2.0, 4, 12, 1.0, "start") == pytest.approx([2 * x for x in expected])


def test_a_decay_counted_from_the_start_drops_at_the_end_of_the_warm_up_as_nvidias_does() -> None:
    # Phase 1 of the reference: sqrt(1 - 2000 / 7038) = 0.846 of the peak.
    seen = rates(6e-3, 2000, 7038, 0.5, "start")
    assert (seen[1999], seen[2000]) == pytest.approx((6e-3, 0.84605 * 6e-3), rel=1e-4)
    assert seen[:2000] == rates(6e-3, 2000, 7038, 0.5)[:2000]
    numbers = np.arange(2000, 7038)
    np.testing.assert_allclose(seen[2000:], 6e-3 * np.sqrt(1 - numbers / 7038), rtol=1e-4)


def test_without_warm_up_there_is_nothing_to_count_from() -> None:
    assert rates(1.0, 0, 9, 0.5, "start") == rates(1.0, 0, 9, 0.5)
