from __future__ import annotations

import math

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beam_jobs.prediction.reference import reference_statistics
from beam_jobs.transforms.histograms import Bins, Profile, merged
from tests.support.specs import a_service

EDGES = (1.0, 2.0, 4.0)
numbers = st.lists(st.none() | st.sampled_from([0.0, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0, math.inf]))


def place(value: float) -> int:
    """Where a value falls, said slowly: below, the bins, above; the last bin is closed."""
    if value == EDGES[-1]:
        return len(EDGES) - 1
    return sum(value >= edge for edge in EDGES)


@settings(deadline=None)
@given(numbers)
def test_every_number_falls_into_exactly_one_bin(values: list[float | None]) -> None:
    histogram = Bins(edges=EDGES).count(pa.array(values, pa.float64()))

    finite = [value for value in values if value is not None and math.isfinite(value)]
    places = [place(value) for value in finite]
    assert histogram.counts == tuple(places.count(number) for number in range(len(EDGES) + 1))
    assert histogram.nulls == values.count(None)
    assert histogram.non_finite == values.count(math.inf)
    assert histogram.total == len(values)


@settings(deadline=None)
@given(numbers, numbers)
def test_histograms_of_parts_add_up_to_that_of_the_whole(
    one: list[float | None], other: list[float | None]
) -> None:
    bins = Bins(edges=EDGES, lowest=1.0, highest=3.0)
    parts = [bins.count(pa.array(values, pa.float64())) for values in (one, other)]
    assert merged([bins.empty(), *parts]) == bins.count(pa.array(one + other, pa.float64()))


def test_integers_fall_into_bins_too() -> None:
    assert Bins(edges=EDGES).count(pa.array([0, 1, 2, 4, 9])).counts == (1, 1, 2, 1)


def test_values_outside_the_declared_range_are_counted_apart() -> None:
    histogram = Bins(lowest=0.0, highest=20.0).count(pa.array([-0.1, 0.0, 20.0, 20.5, math.nan]))
    assert (histogram.out_of_range, histogram.non_finite, histogram.counts) == (2, 1, ())


def test_categories_are_counted_by_name_and_the_rest_together() -> None:
    histogram = Bins(categories=("a", "b")).count(pa.array(["a", "a", "c", None, "d"]))
    assert histogram.values == {"a": 2, "b": 0}
    assert (histogram.other, histogram.nulls, histogram.total) == (2, 1, 5)


def test_booleans_are_categories_as_in_the_training_data() -> None:
    reference = reference_statistics(pa.table({"flag": [True, False, True]}))
    bins = Bins(categories=tuple(reference.categorical["flag"].values))
    assert bins.count(pa.array([True, True, False])).values == {"false": 1, "true": 2}


def test_the_profile_holds_features_of_the_training_data_and_every_output() -> None:
    reference = reference_statistics(pa.table({"weeks": [20.0, 30.0, 40.0]}))
    profile = Profile.of(a_service(), reference)
    assert profile.features["weeks"].edges == reference.numeric["weeks"].edges
    assert list(profile.features) == ["weeks"]
    assert profile.outputs == {"weight": Bins()}


@pytest.mark.parametrize(
    "other",
    [
        Bins(edges=tuple(edge + 1 for edge in EDGES)),
        Bins(edges=EDGES[:-1]),
        Bins(categories=("a",)),
    ],
)
def test_histograms_over_different_bins_are_never_summed(other: Bins) -> None:
    with pytest.raises(ValueError, match="different bins"):
        merged([Bins(edges=EDGES).empty(), other.empty()])
