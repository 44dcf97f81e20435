"""bert/cloze/draws.py: random draws that stay the same."""

from __future__ import annotations

import numpy as np

from bert.cloze.draws import choose, position


def test_a_position_is_the_same_on_every_machine() -> None:
    assert position("split", 7, "wikipedia:12") == 0.21110007163953062
    assert position("a", "b") != position("ab")


def test_positions_are_spread_evenly() -> None:
    tenths = [int(position("x", n) * 10) for n in range(2000)]
    assert all(150 < tenths.count(tenth) < 250 for tenth in range(10))


def test_every_option_is_chosen_about_as_often() -> None:
    rng = np.random.default_rng(0)
    chosen = [choose(rng, "abcd") for _ in range(2000)]
    assert all(400 < chosen.count(option) < 600 for option in "abcd")
