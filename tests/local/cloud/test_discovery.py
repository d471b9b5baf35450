"""What makes an answer fit Google's own description of the method."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.discovery import Method, error_complaints, method_of


def method(http: str, path: str) -> Method:
    found = method_of(http, path)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("http", "path", "name"),
    [
        ("GET", "/bigquery/v2/projects/p/datasets/d/tables/t$20260101", "bigquery.tables.get"),
        ("POST", "/resumable/upload/bigquery/v2/projects/p/jobs", "bigquery.jobs.insert"),
        ("GET", "/storage/v1/b/some/o/a%2Fb.csv", "storage.objects.get"),
        ("POST", "/upload/storage/v1/b/some/o", "storage.objects.insert"),
        ("GET", "/v1b3/projects/p/jobs:aggregated", "dataflow.projects.jobs.aggregated"),
        (
            "POST",
            "/v1b3/projects/p/locations/l/flexTemplates:launch",
            "dataflow.projects.locations.flexTemplates.launch",
        ),
        ("GET", "/v3/projects/p/timeSeries", "monitoring.projects.timeSeries.list"),
        (
            "GET",
            "/v3/projects/p/metricDescriptors/dataflow.googleapis.com/job/system_lag",
            "monitoring.projects.metricDescriptors.get",
        ),
    ],
)
def test_a_request_is_known_by_its_method(http: str, path: str, name: str) -> None:
    assert method(http, path).id == name


def test_a_path_of_no_api_is_none() -> None:
    assert method_of("GET", "/healthz") is None
    assert method_of("PATCH", "/bigquery/v2/projects/p/jobs/j") is None


TABLE = ("GET", "/bigquery/v2/projects/p/datasets/d/tables/t")
JOB = ("GET", "/v1b3/projects/p/locations/l/jobs/j")
OBJECT = ("GET", "/storage/v1/b/some/o/a")


@pytest.mark.parametrize(
    ("call", "answer"),
    [
        (TABLE, {"kind": "bigquery#table", "numRows": "3", "labels": {"any": "label"}}),
        (TABLE, {"schema": {"fields": [{"name": "a", "type": "RECORD", "fields": []}]}}),
        (JOB, {"currentState": "JOB_STATE_DONE", "createTime": "2026-01-01T00:00:00.123456Z"}),
        (OBJECT, {"md5Hash": "1B2M2Y8AsgTpgAmY7PhCfg==", "size": "0", "temporaryHold": False}),
    ],
)
def test_an_answer_as_described_fits(call: tuple[str, str], answer: dict[str, Any]) -> None:
    assert method(*call).complaints(answer) == []


@pytest.mark.parametrize(
    ("call", "answer", "complaint"),
    [
        (TABLE, {"rows": "3"}, "answer.rows is not a field of Table"),
        (TABLE, {"numRows": 3}, "answer.numRows is 3, not of type string"),
        (TABLE, {"numRows": "3.5"}, "answer.numRows is '3.5', not in format uint64"),
        (TABLE, {"kind": "bigquery#tables"}, "not 'bigquery#table'"),
        (TABLE, {"labels": {"night": 1}}, "answer.labels.night is 1, not of type string"),
        (TABLE, {"schema": {"fields": {}}}, "answer.schema.fields is {}, not of type array"),
        (TABLE, {"schema": {"fields": [{"nam": "a"}]}}, "answer.schema.fields[0].nam"),
        (TABLE, {"description": None}, "answer.description is null"),
        (JOB, {"currentState": "JOB_STATE_OVER"}, "not one of JOB_STATE_UNKNOWN"),
        (JOB, {"createTime": "2026-01-01T00:00:00"}, "not in format google-datetime"),
        (JOB, {"satisfiesPzs": 1}, "not of type boolean"),
        (OBJECT, {"componentCount": True}, "not of type integer"),
        (OBJECT, None, "answer is null"),
        (("DELETE", OBJECT[1]), {}, "a body where there should be none"),
    ],
)
def test_an_answer_unlike_its_description_is_told(
    call: tuple[str, str], answer: Any, complaint: str
) -> None:
    (found,) = method(*call).complaints(answer)
    assert complaint in found


def error(**fields: Any) -> dict[str, Any]:
    return {"error": {"code": 404, "message": "Not found: t", "status": "NOT_FOUND", **fields}}


def test_an_error_in_googles_shape_fits() -> None:
    reasons = [{"message": "Not found: t", "domain": "global", "reason": "notFound"}]
    assert error_complaints(404, error()) == []
    assert error_complaints(404, error(errors=reasons)) == []


@pytest.mark.parametrize(
    "body",
    [
        None,
        {"message": "Not found"},
        error(code=400),
        error(message=""),
        error(status=None),
        error(errors=[{"message": "Not found: t"}]),
    ],
)
def test_an_error_of_another_shape_is_told(body: Any) -> None:
    assert error_complaints(404, body)
