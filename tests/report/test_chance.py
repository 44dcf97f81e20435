"""bert/report/chance.py."""

from __future__ import annotations

import random

import pytest

from bert.report.chance import is_above, standard_error


@pytest.mark.parametrize("count", [20, 400])
def test_the_error_is_that_of_repeated_draws(count: int) -> None:
    draws = random.Random(1)
    means = [100 * sum(draws.random() < 0.7 for _ in range(count)) / count for _ in range(2000)]
    spread = (sum((mean - 70) ** 2 for mean in means) / len(means)) ** 0.5
    assert standard_error("accuracy", 70.0, count) == pytest.approx(spread, rel=0.08)


def test_all_right_and_all_wrong_have_an_error_too() -> None:
    assert standard_error("accuracy", 0.0, 10) > 5 and standard_error("accuracy", 100.0, 10) > 5
    assert standard_error("mcc", 0.0, 100) == 10.0


def test_only_what_chance_would_not_make_is_above() -> None:
    assert is_above("accuracy", 60.0, 50.0, 1000) and not is_above("accuracy", 60.0, 50.0, 50)
    assert not is_above("accuracy", 50.0, 60.0, 1000) and not is_above("accuracy", 50.0, 50.0, 10**9)
    assert is_above("mcc", 50.0, 0.0, 1000) and not is_above("mcc", 5.0, 0.0, 1000)
