"""Whether a candidate is good enough."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beam_jobs.runs.release import Evaluation, Figures
from beam_jobs.spec.release import HeldOutSpec, Metric, ReleaseSpec
from nightstream.releasing.comparison import compare

METRICS: list[Metric] = ["rmse", "mae", "auc", "log_loss"]
values = st.floats(0, 1e6)


def evaluation(
    metric: Metric, candidate: float, champion: float | None, failed: tuple[int, int] = (0, 0)
) -> Evaluation:
    before = None
    if champion is not None:
        before = Figures(version="v1", value=champion, failed=failed[1])
    after = Figures(version="v2", value=candidate, failed=failed[0])
    return Evaluation(
        key="k", metric=metric, rows=9, left_out=1, compared=8, candidate=after, champion=before
    )


def release(metric: Metric, tolerance: float = 0) -> ReleaseSpec:
    held_out = HeldOutSpec(path="a.csv", label="truth")
    return ReleaseSpec(held_out=held_out, metric=metric, tolerance=tolerance)


@given(st.sampled_from(METRICS), values, values, values)
def test_a_candidate_is_refused_exactly_where_it_is_worse_by_more_than_is_tolerated(
    metric: Metric, candidate: float, champion: float, tolerance: float
) -> None:
    verdict = compare(evaluation(metric, candidate, champion), release(metric, tolerance))
    worse = champion - candidate if metric == "auc" else candidate - champion
    assert verdict.accepted == (worse <= tolerance)


@pytest.mark.parametrize("metric", METRICS)
def test_an_equal_candidate_is_accepted_and_the_figures_are_told(metric: Metric) -> None:
    verdict = compare(evaluation(metric, 0.5, 0.5), release(metric))
    assert verdict.accepted
    assert f"{metric} over 8 of 9 held-out rows: v2 0.5, champion v1 0.5" in verdict.reason


def test_the_first_candidate_has_nobody_to_beat() -> None:
    assert compare(evaluation("rmse", 3.0, None), release("rmse")).accepted


@pytest.mark.parametrize("champion", [None, 1.0])
def test_no_number_is_no_proof(champion: float | None) -> None:
    assert not compare(evaluation("rmse", math.nan, champion), release("rmse")).accepted


def test_a_better_candidate_that_fails_on_more_rows_is_refused() -> None:
    verdict = compare(evaluation("rmse", 0.1, 9.0, failed=(2, 1)), release("rmse", 5))
    assert not verdict.accepted
    assert "fails on 2 rows, the champion on 1" in verdict.reason
