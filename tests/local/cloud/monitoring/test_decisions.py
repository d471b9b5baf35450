"""The pure parts: filters, counts and periods, whatever they are given."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.cloud.http import ApiError
from local.cloud.monitoring.alignment import Alignment
from local.cloud.monitoring.filters import parse_filter
from local.cloud.monitoring.metrics import METRICS
from local.cloud.monitoring.series import Point, Series, deltas
from local.cloud.monitoring.subscriptions import Shadow
from local.cloud.monitoring.times import moment, rfc3339
from tests.support.monitoring import JOB

LAG = JOB + "system_lag"


def outcome(text: str) -> int:
    """The HTTP code that a filter would be answered with."""
    try:
        parse_filter(text)
    except ApiError as error:
        return error.code
    return 200


@given(st.text())
def test_any_text_is_a_filter_or_refused(text: str) -> None:
    assert outcome(text) in (400, 501)
    assert outcome(f'metric.type = "{LAG}" {text}') in (200, 400, 501)


@given(
    st.lists(
        st.sampled_from(
            ["AND", "OR", "NOT", "(", ")", "=", "!=", ":", ".", '"a"', "metric", "type", "one_of"]
        )
    )
)
def test_any_order_of_words_is_a_filter_or_refused(words: list[str]) -> None:
    assert outcome(f'metric.type = "{LAG}" ' + " ".join(words)) in (200, 400, 501)


@pytest.mark.parametrize("opening", ["(", "NOT "])
def test_what_is_nested_too_deeply_is_refused(opening: str) -> None:
    assert outcome(f'metric.type = "{LAG}" ' + 5_000 * opening) == 400


@given(st.text(st.characters(exclude_categories=("Cs",))))
def test_a_quoted_value_is_taken_as_it_is(name: str) -> None:
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    found = parse_filter(f'metric.type = "{LAG}" AND resource.labels.job_name = "{quoted}"')
    assert found.chooses({"job_name": name}, {})
    assert not found.chooses({"job_name": name + "x"}, {})


@pytest.mark.parametrize(
    ("condition", "chosen"),
    [
        ('resource.labels.region = "a" OR resource.labels.region = "b" AND project = "p"', True),
        ('project = "p" resource.labels.region = "x" OR resource.labels.region = "b"', True),
        ('(resource.labels.region = "b" AND project = "p") OR project = "q"', True),
        ('resource.labels.region = "b" OR project = "p" AND project = "q"', False),
    ],
)
def test_or_binds_closer_than_and(condition: str, chosen: bool) -> None:
    found = parse_filter(f'metric.type = "{LAG}" AND {condition}')
    assert found.chooses({"region": "b", "project_id": "p"}, {}) is chosen


@given(st.lists(st.integers(0, 1_000), min_size=1))
def test_deltas_add_up_to_what_was_counted(counted: list[int]) -> None:
    totals = list(itertools.accumulate(counted))
    samples = [Point(5.0, 10.0 + number, total) for number, total in enumerate(totals)]
    found = deltas(samples)
    assert [point.value for point in found] == counted
    assert [point.start for point in found] == [5.0, *(p.end for p in found[:-1])]


@given(st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 9)), unique_by=lambda p: p[0]))
def test_alignment_loses_no_point_and_counts_none_twice(pairs: list[tuple[int, int]]) -> None:
    points = [Point(float(end), float(end), number) for end, number in sorted(pairs, reverse=True)]
    series = Series(METRICS[LAG], {}, {}, "GAUGE", "INT64", points)
    aligned = Alignment("ALIGN_SUM", 60.0).apply(series, -1.0, 10_000.0)
    assert sum(float(point.value) for point in aligned.points) == sum(n for _, n in pairs)
    ends = [point.end for point in aligned.points]
    assert ends == sorted(ends, reverse=True)
    assert all((10_000 - end) % 60 == 0 for end in ends)


@given(st.floats(0, 4e9))
def test_moments_are_read_as_they_are_written(time: float) -> None:
    assert moment(rfc3339(time), "time") == pytest.approx(time, abs=1e-6)


def test_a_shadow_says_in_its_name_whose_it_is_and_since_when() -> None:
    shadow = Shadow.of("projects/p/subscriptions/s", 1_750_000_000.25)
    assert Shadow.parse(shadow.id) == shadow
    assert shadow.belongs_to("projects/p/subscriptions/s")
    assert not shadow.belongs_to("projects/p/subscriptions/t")
