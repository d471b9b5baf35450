"""Distances between distributions."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightstream.drift.distances import FLOOR, jensen_shannon, psi, shares

BINS = 5

some_counts = st.lists(st.integers(0, 10**9), min_size=BINS, max_size=BINS).filter(any)
small_counts = st.lists(st.integers(0, 1_000), min_size=BINS, max_size=BINS).filter(any)


@given(some_counts, some_counts)
def test_psi_is_symmetric_and_bounded(one: list[int], other: list[int]) -> None:
    assert psi(one, other) == pytest.approx(psi(other, one), abs=1e-12)
    assert 0 <= psi(one, other) <= -2 * math.log(FLOOR)


@given(some_counts, some_counts)
def test_the_jensen_shannon_distance_is_symmetric_and_at_most_1(
    one: list[int], other: list[int]
) -> None:
    assert jensen_shannon(one, other) == pytest.approx(jensen_shannon(other, one), abs=1e-7)
    assert 0 <= jensen_shannon(one, other) <= 1


@given(small_counts, st.integers(1, 10**6))
def test_the_same_shares_are_at_no_distance_however_many_rows_there_are(
    counts: list[int], times: int
) -> None:
    more = [count * times for count in counts]
    assert psi(counts, more) == pytest.approx(0, abs=1e-12)
    # The root of a rounding error is still small.
    assert jensen_shannon(counts, more) == pytest.approx(0, abs=1e-7)


@given(small_counts, small_counts, st.integers(1, 10**6))
def test_only_shares_matter_and_not_the_number_of_rows(
    one: list[int], other: list[int], times: int
) -> None:
    more = [count * times for count in one]
    assert psi(more, other) == pytest.approx(psi(one, other), abs=1e-9)
    assert jensen_shannon(more, other) == pytest.approx(jensen_shannon(one, other), abs=1e-7)


@given(small_counts, small_counts, st.permutations(range(BINS)))
def test_the_order_of_the_bins_does_not_matter(
    one: list[int], other: list[int], order: list[int]
) -> None:
    turned = [[counts[place] for place in order] for counts in (one, other)]
    assert psi(*turned) == pytest.approx(psi(one, other), abs=1e-12)
    assert jensen_shannon(*turned) == pytest.approx(jensen_shannon(one, other), abs=1e-7)


def test_distances_are_those_of_the_textbook() -> None:
    assert psi([50, 50], [25, 75]) == pytest.approx(0.25 * math.log(2) + 0.25 * math.log(1.5))
    assert jensen_shannon([1, 0], [0, 1]) == 1
    assert jensen_shannon([1, 1], [1, 0]) == pytest.approx(0.5579230452841438)


def test_an_empty_bin_counts_as_the_floor() -> None:
    expected = (0.5 - FLOOR) * math.log(0.5 / FLOOR) + 0.5 * math.log(2)
    assert psi([1, 1], [0, 1]) == pytest.approx(expected)


def test_shares_sum_to_one() -> None:
    assert shares([1, 0, 3]).tolist() == [0.25, 0, 0.75]
