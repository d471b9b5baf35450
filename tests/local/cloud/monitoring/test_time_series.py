"""timeSeries.list and the descriptors, over points that were sampled before."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from googleapiclient.errors import HttpError

from local.cloud.monitoring.series import Reading
from local.cloud.monitoring.store import PointStore
from tests.support.local_cloud import PROJECT, ObservedCloud
from tests.support.monitoring import JOB, Monitoring, value

T = 1_750_000_000 + 10 * 60.0
"""A moment in 2025; points lie a minute apart, the newest is at T."""
LAG, PRODUCED = JOB + "system_lag", JOB + "elements_produced_count"
Filled = Callable[..., Monitoring]


def resource(name: str, project: str = PROJECT) -> dict[str, str]:
    return {"project_id": project, "job_name": name, "region": "us-central1"}


def ten_minutes(store: PointStore) -> None:
    """Lags 1 to 10 s of the job `live`, 100 of `night`, 7 of one in another project; 50 elements a
    minute, which begin anew in the middle."""
    for minute in range(1, 11):
        produced = 50 * minute if minute < 6 else 50 * (minute - 5)
        labels = {"job_id": "job-1", "pcollection": "Read-out0", "ptransform": "Read"}
        store.add(
            T - 600 + 60 * minute,
            [
                Reading(LAG, resource("live"), {"job_id": "job-1"}, minute),
                Reading(LAG, resource("night"), {"job_id": "job-2"}, 100),
                Reading(LAG, resource("live", "other"), {"job_id": "job-3"}, 7),
                Reading(PRODUCED, resource("live"), labels, produced, T - 600),
                Reading(JOB + "status", resource("live"), {"job_id": "job-1"}, "RUNNING"),
            ],
        )


@pytest.fixture(scope="module")
def monitoring(tmp_path_factory: pytest.TempPathFactory) -> Any:
    data = tmp_path_factory.mktemp("filled") / "data"
    store = PointStore(data / "monitoring" / "points.sqlite")
    ten_minutes(store)
    store.close()
    # An interval so long that nothing is sampled, by which old points would be forgotten.
    cloud = ObservedCloud(data, ["--monitoring-interval=3600"]).start()
    yield Monitoring(cloud)
    cloud.end()


def aligned(aligner: str, period: str) -> dict[str, Any]:
    return {"aggregation_perSeriesAligner": aligner, "aggregation_alignmentPeriod": period}


def lags(answer: dict[str, Any]) -> dict[str, list[float]]:
    """Values by job, newest first."""
    return {
        one["resource"]["labels"]["job_name"]: [value(point) for point in one["points"]]
        for one in answer["timeSeries"]
    }


def test_points_come_newest_first_with_their_labels_kind_and_unit(monitoring: Monitoring) -> None:
    answer = monitoring.list(f'metric.type = "{LAG}"', T - 120, T)
    assert lags(answer) == {"live": [10, 9], "night": [100, 100]}
    assert answer["unit"] == "s"
    first = answer["timeSeries"][0]
    assert first["metric"] == {"type": LAG, "labels": {"job_id": "job-1"}}
    assert first["resource"] == {"type": "dataflow_job", "labels": resource("live")}
    assert (first["metricKind"], first["valueType"]) == ("GAUGE", "INT64")
    newest = first["points"][0]["interval"]
    assert newest["startTime"] == newest["endTime"] == "2025-06-15T15:16:40.000000Z"


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (T - 60, T, [10]),
        (T - 61, T, [10, 9]),
        (T - 120, T - 60, [9]),
        (T - 60, T - 60, [9]),
        (T - 59, T - 1, []),
        (T, T + 3600, []),
    ],
)
def test_the_interval_excludes_its_start_and_includes_its_end(
    monitoring: Monitoring, start: float, end: float, expected: list[float]
) -> None:
    answer = monitoring.list(f'metric.type="{LAG}" resource.labels.job_name="live"', start, end)
    assert lags(answer).get("live", []) == expected


@pytest.mark.parametrize(
    ("condition", "jobs"),
    [
        ('AND resource.type = "dataflow_job"', {"live", "night"}),
        ('AND resource.type = "gce_instance"', set()),
        ('AND resource.labels.job_name = "live"', {"live"}),
        ('resource.label."job_name" = "live"', {"live"}),
        ('AND resource.labels.job_name != "live"', {"night"}),
        ('AND metric.labels.job_id = "job-2"', {"night"}),
        ('AND NOT metric.labels.job_id = "job-2"', {"live"}),
        ("AND metric.labels.job_id = one_of('job-1', 'job-2')", {"live", "night"}),
        ('AND resource.labels.job_name = starts_with("li")', {"live"}),
        ('AND resource.labels.job_name = ends_with("t")', {"night"}),
        ('AND resource.labels.job_name = has_substring("igh")', {"night"}),
        ('AND resource.labels.job_name : "igh"', {"night"}),
        ('AND resource.labels.job_name = monitoring.regex.full_match("l.*e")', {"live"}),
        (
            '(resource.labels.job_name = "live" OR metric.labels.job_id = "job-2")',
            {"live", "night"},
        ),
        (f'AND project = "{PROJECT}"', {"live", "night"}),
        ('AND project = "other"', set()),
    ],
)
def test_filters_choose_series(monitoring: Monitoring, condition: str, jobs: set[str]) -> None:
    answer = monitoring.list(f'metric.type = "{LAG}" {condition}', T - 60, T)
    assert set(lags(answer)) == jobs


@pytest.mark.parametrize(
    ("code", "words", "query"),
    [
        (400, "single metric type", {"filter": 'resource.type = "dataflow_job"'}),
        (400, "no label job_id", {"filter": f'metric.type="{LAG}" resource.labels.job_id="x"'}),
        (400, "Could not parse", {"filter": f'metric.type = "{LAG}" AND AND'}),
        (400, "no regular expression", {"filter": 'project = monitoring.regex.full_match("(")'}),
        (501, "job/per_stage_system_lag", {"filter": f'metric.type = "{JOB}per_stage_system_lag"'}),
        (501, "group.id", {"filter": f'metric.type = "{LAG}" group.id = "g"'}),
        (501, "> 5", {"filter": f'metric.type = "{LAG}" metric.labels.job_id > 5'}),
        (501, "REDUCE_SUM", {"aggregation_crossSeriesReducer": "REDUCE_SUM"}),
        (501, "ALIGN_STDDEV", aligned("ALIGN_STDDEV", "60s")),
        (400, "alignmentPeriod", {"aggregation_perSeriesAligner": "ALIGN_MAX"}),
        (400, "at least 60", aligned("ALIGN_MAX", "30s")),
        (400, "be applied", {"filter": f'metric.type="{PRODUCED}"'} | aligned("ALIGN_MAX", "60s")),
        (400, "must be left blank", {"orderBy": "time"}),
        (400, "pageToken", {"pageToken": "x"}),
        (501, "secondaryAggregation", {"secondaryAggregation_alignmentPeriod": "60s"}),
        (400, "later than the end", {"end": T - 3600}),
    ],
)
def test_what_is_wrong_or_missing_is_refused_by_name(
    monitoring: Monitoring, code: int, words: str, query: dict[str, Any]
) -> None:
    usual = {"filter": f'metric.type = "{LAG}"', "start": T - 60, "end": T}
    with pytest.raises(HttpError) as refusal:
        monitoring.list(**{**usual, **query})
    assert refusal.value.status_code == code
    assert words in refusal.value.reason


@pytest.mark.parametrize(
    ("aligner", "values", "value_type"),
    [
        ("ALIGN_MAX", [10, 7, 4], "INT64"),
        ("ALIGN_MIN", [8, 5, 2], "INT64"),
        ("ALIGN_MEAN", [9, 6, 3], "DOUBLE"),
        ("ALIGN_SUM", [27, 18, 9], "INT64"),
        ("ALIGN_COUNT", [3, 3, 3], "INT64"),
        ("ALIGN_NEXT_OLDER", [10, 7, 4], "INT64"),
    ],
)
def test_gauges_are_aligned_in_periods_counted_back_from_the_end(
    monitoring: Monitoring, aligner: str, values: list[float], value_type: str
) -> None:
    answer = monitoring.list(
        f'metric.type = "{LAG}" AND metric.labels.job_id = "job-1"',
        T - 540,
        T,
        **aligned(aligner, "180s"),
    )
    assert lags(answer) == {"live": values}
    assert answer["timeSeries"][0]["valueType"] == value_type


def test_a_period_without_points_has_none(monitoring: Monitoring) -> None:
    answer = monitoring.list(
        f'metric.type = "{LAG}" AND metric.labels.job_id = "job-1"',
        T,
        T + 600,
        **aligned("ALIGN_COUNT", "60s"),
    )
    assert answer["timeSeries"] == []


def test_a_delta_tells_what_was_counted_since_the_point_before_also_when_it_began_anew(
    monitoring: Monitoring,
) -> None:
    answer = monitoring.list(f'metric.type = "{PRODUCED}"', T - 300, T)
    (series,) = answer["timeSeries"]
    assert series["metricKind"] == "DELTA"
    assert [value(point) for point in series["points"]] == [50] * 5
    first, second = series["points"][:2]
    assert first["interval"]["startTime"] == second["interval"]["endTime"]
    rates = monitoring.list(
        f'metric.type = "{PRODUCED}"',
        T - 600,
        T,
        **aligned("ALIGN_RATE", "120s"),
    )
    assert [value(p) for p in rates["timeSeries"][0]["points"]] == [pytest.approx(50 / 60)] * 5


def test_strings_are_string_values(monitoring: Monitoring) -> None:
    answer = monitoring.list(f'metric.type = "{JOB}status"', T - 60, T)
    assert answer["timeSeries"][0]["points"][0]["value"] == {"stringValue": "RUNNING"}


def test_pages_are_of_points_and_together_hold_each_of_them_once(monitoring: Monitoring) -> None:
    service = monitoring.projects.timeSeries()
    request = service.list(
        name=f"projects/{PROJECT}",
        filter=f'metric.type = "{LAG}"',
        interval_startTime="2025-06-15T15:06:40Z",
        interval_endTime="2025-06-15T15:16:40.000000000Z",
        pageSize=7,
    )
    found: list[tuple[str, float]] = []
    while request is not None:
        answer = request.execute()
        page = [(job, lag) for job, values in lags(answer).items() for lag in values]
        assert len(page) <= 7
        found += page
        request = service.list_next(request, answer)
    live = [("live", float(lag)) for lag in range(10, 0, -1)]
    assert found == live + [("night", 100.0)] * 10


def test_headers_have_no_points(monitoring: Monitoring) -> None:
    answer = monitoring.list(f'metric.type = "{LAG}"', T - 600, T, view="HEADERS", pageSize=1)
    (series,) = answer["timeSeries"]
    assert "points" not in series
    assert answer["nextPageToken"]


def test_descriptors_are_those_of_the_service(monitoring: Monitoring) -> None:
    metrics = monitoring.projects.metricDescriptors()
    listed = metrics.list(name=f"projects/{PROJECT}").execute()["metricDescriptors"]
    lag = metrics.get(name=f"projects/{PROJECT}/metricDescriptors/{LAG}").execute()
    assert lag in listed
    assert (lag["unit"], lag["metricKind"], lag["valueType"]) == ("s", "GAUGE", "INT64")
    assert [label["key"] for label in lag["labels"]] == ["job_id"]
    assert lag["metadata"]["ingestDelay"] == "240s"
    resources = monitoring.projects.monitoredResourceDescriptors()
    found = resources.list(name=f"projects/{PROJECT}").execute()["resourceDescriptors"]
    assert {r["type"] for r in found} == {"dataflow_job", "pubsub_subscription"}
    name = f"projects/{PROJECT}/monitoredResourceDescriptors/pubsub_subscription"
    labels = resources.get(name=name).execute()["labels"]
    assert {label["key"] for label in labels} == {"project_id", "subscription_id"}


def test_series_are_not_written(monitoring: Monitoring) -> None:
    with pytest.raises(HttpError) as refusal:
        monitoring.projects.timeSeries().create(name=f"projects/{PROJECT}", body={}).execute()
    assert refusal.value.status_code == 501


@pytest.mark.parametrize(("delay", "visible"), [(None, [300]), (30, [60, 300])])
def test_a_point_is_seen_once_its_delay_is_over_and_for_a_day(
    filled: Filled, delay: float | None, visible: list[float]
) -> None:
    def fill(store: PointStore) -> None:
        for age in (25 * 3600, 300, 60, 5):
            lag = Reading(LAG, resource("live"), {"job_id": "job-1"}, age)
            store.add(time.time() - age, [lag])

    options = [] if delay is None else [f"--monitoring-delay={delay}"]
    assert filled(fill, *options).values(LAG, seconds=48 * 3600) == visible
