"""bert/compare/difference.py: the rule by which a difference of scores is one."""

from __future__ import annotations

from math import isclose, sqrt
from statistics import fmean, stdev

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import t as students_t
from scipy.stats import ttest_ind

from bert.compare.difference import LEVEL, difference

SCORE = st.integers(0, 10_000).map(lambda n: n / 100)  # per cent, as metrics have them
SEVERAL = st.lists(SCORE, min_size=2, max_size=10)
ANY = st.lists(SCORE, min_size=1, max_size=10)


@given(SEVERAL, SEVERAL)
def test_of_several_seeds_each_it_is_welchs_test(first: list[float], second: list[float]) -> None:
    assume(len(set(first)) > 1 and len(set(second)) > 1)  # of constants, scipy warns
    p = ttest_ind(first, second, equal_var=False).pvalue
    assume(not isclose(p, LEVEL, rel_tol=1e-6))
    assert difference(first, second).is_none == (p > LEVEL)


@given(SEVERAL, ANY, st.sampled_from([-1, 1]))
def test_a_difference_is_one_just_beyond_the_bound(first: list[float], second: list[float], sign: int) -> None:
    bound = difference(first, second).by_chance
    assume(bound)
    for times, is_none in ((0.99, True), (1.01, False)):
        shift = fmean(first) - fmean(second) + sign * times * (bound or 0)
        assert difference(first, [value + shift for value in second]).is_none is is_none


@given(ANY, ANY)
def test_it_is_the_same_from_either_side(first: list[float], second: list[float]) -> None:
    one, other = difference(first, second), difference(second, first)
    assert one.value == -other.value
    assert one.by_chance == pytest.approx(other.by_chance)


@given(SEVERAL, ANY, st.integers(-50, 50), st.sampled_from([0.01, 4.0]))
def test_it_depends_on_no_unit(first: list[float], second: list[float], shift: int, scale: float) -> None:
    found = difference(first, second)
    moved = difference([scale * (x + shift) for x in first], [scale * (x + shift) for x in second])
    assert moved.value == pytest.approx(scale * found.value, abs=1e-9)
    assert moved.by_chance == pytest.approx(scale * (found.by_chance or 0), rel=1e-6, abs=1e-9)


@given(ANY)
def test_nothing_differs_from_itself(values: list[float]) -> None:
    found = difference(values, values)
    assert found.value == 0
    assert found.is_none == (len(values) > 1)


@given(SEVERAL, SCORE)
def test_a_single_run_is_taken_to_vary_as_the_others_do(seeds: list[float], single: float) -> None:
    """A prediction interval: the mean of n seeds, give or take t s sqrt(1 + 1 / n)."""
    n = len(seeds)
    expected = students_t.ppf(1 - LEVEL / 2, n - 1) * stdev(seeds) * sqrt(1 + 1 / n)
    found = difference(seeds, [single])
    assert found.by_chance == pytest.approx(expected)
    assert found.value == pytest.approx(single - fmean(seeds))


def test_of_two_single_runs_nothing_is_said() -> None:
    found = difference([80.0], [90.0])
    assert found.by_chance is None and not found.is_none


def test_where_seeds_change_nothing_any_change_is_a_difference() -> None:
    assert difference([80.0, 80.0], [80.0, 80.0]).is_none
    assert not difference([80.0, 80.0], [80.01, 80.01]).is_none


@pytest.mark.parametrize(("n", "m"), [(2, 2), (3, 3), (5, 10), (1, 5)])
def test_like_samples_are_said_to_differ_once_in_twenty_times_at_most(n: int, m: int) -> None:
    rng = np.random.Generator(np.random.Philox(key=5))
    trials = 2000
    false = sum(
        not difference(list(rng.normal(80, 2, size=n)), list(rng.normal(80, 2, size=m))).is_none for _ in range(trials)
    )
    assert false / trials < LEVEL + 3 * sqrt(LEVEL * (1 - LEVEL) / trials)


def test_the_published_precisions_do_not_differ_on_squad_and_do_on_mrpc_only_by_chance() -> None:
    fp16, tf32 = (91.61, 91.04, 91.59, 91.32, 91.52), (91.50, 91.49, 91.64, 91.29, 91.67)
    assert difference(fp16, tf32).is_none
    assert not difference(fp16, [value - 1 for value in tf32]).is_none
