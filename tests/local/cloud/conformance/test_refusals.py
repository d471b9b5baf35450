"""What the README says is not supported is refused by its name, never taken in silence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from google.api_core.exceptions import MethodNotImplemented
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery, storage

from tests.support.local_cloud import PROJECT, LocalCloud

_FIELDS = [bigquery.SchemaField("n", "INT64"), bigquery.SchemaField("s", "STRING")]


@pytest.fixture
def objects(cloud_env: LocalCloud, bucket: str) -> storage.Bucket:  # noqa: ARG001
    found = storage.Client(PROJECT, AnonymousCredentials()).bucket(bucket)
    found.blob("x").upload_from_string("y")
    return found


@pytest.fixture
def words(cloud_env: LocalCloud, dataset: str, monkeypatch: pytest.MonkeyPatch) -> bigquery.Table:
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", cloud_env.url)
    return _client().create_table(bigquery.Table(f"{PROJECT}.{dataset}.words", _FIELDS))


def _client() -> bigquery.Client:
    return bigquery.Client(PROJECT, AnonymousCredentials())


@pytest.mark.parametrize(
    ("feature", "call"),
    [
        ("acl", lambda bucket: list(bucket.acl)),
        ("acl", lambda bucket: list(bucket.blob("x").acl)),
        ("defaultObjectAcl", lambda bucket: list(bucket.default_object_acl)),
        ("iam", lambda bucket: bucket.get_iam_policy(retry=None)),
        ("notificationConfigs", lambda bucket: list(bucket.list_notifications(retry=None))),
        ("softDeleted", lambda bucket: list(bucket.list_blobs(soft_deleted=True, retry=None))),
        ("hmacKeys", lambda bucket: bucket.client.create_hmac_key("a@b.c", retry=None)),
        (
            "predefinedAcl",
            lambda bucket: bucket.blob("z").upload_from_string("y", predefined_acl="publicRead"),
        ),
    ],
)
def test_a_method_of_storage(
    objects: storage.Bucket, feature: str, call: Callable[[storage.Bucket], Any]
) -> None:
    with pytest.raises(MethodNotImplemented, match=feature):
        call(objects)
    assert [blob.name for blob in objects.list_blobs()] == ["x"]


@pytest.mark.parametrize(
    ("feature", "value"),
    [
        ("versioning", {"enabled": True}),
        ("softDeletePolicy", {"retentionDurationSeconds": "604800"}),
        ("lifecycle", {"rule": [{"action": {"type": "Delete"}, "condition": {"age": 1}}]}),
        ("retentionPolicy", {"retentionPeriod": "10"}),
        ("encryption", {"defaultKmsKeyName": "k"}),
        ("acl", [{"entity": "allUsers", "role": "READER"}]),
    ],
)
def test_an_attribute_of_a_bucket(objects: storage.Bucket, feature: str, value: Any) -> None:
    body = {"name": f"{objects.name}-{feature.lower()}", feature: value}
    with pytest.raises(MethodNotImplemented, match=feature):
        objects.client._connection.api_request(method="POST", path="/b", data=body)
    assert not objects.client.bucket(body["name"]).exists()


@pytest.mark.parametrize(
    ("feature", "resource"),
    [
        ("requirePartitionFilter", {"requirePartitionFilter": True}),
        ("externalDataConfiguration", {"externalDataConfiguration": {"sourceFormat": "CSV"}}),
        ("differ only in case", {"tableReference": {"tableId": "WORDS"}}),
    ],
)
def test_a_table(words: bigquery.Table, feature: str, resource: dict[str, Any]) -> None:
    name = {"projectId": PROJECT, "datasetId": words.dataset_id, "tableId": "other"}
    name |= resource.get("tableReference", {})
    table = bigquery.Table.from_api_repr({**resource, "tableReference": name})
    with pytest.raises(MethodNotImplemented, match=feature):
        _client().create_table(table, retry=None)


@pytest.mark.parametrize(
    ("feature", "field"),
    [
        *((kind, {"type": kind}) for kind in ("BIGNUMERIC", "JSON", "INTERVAL", "RANGE")),
        ("maxLength", {"type": "STRING", "maxLength": "5"}),
        ("precision", {"type": "NUMERIC", "precision": "5", "scale": "2"}),
        ("policyTags", {"type": "STRING", "policyTags": {"names": ["a"]}}),
        ("defaultValueExpression", {"type": "STRING", "defaultValueExpression": "'x'"}),
        (
            "REQUIRED fields inside a RECORD",
            {"type": "RECORD", "fields": [{"name": "a", "type": "STRING", "mode": "REQUIRED"}]},
        ),
    ],
)
def test_a_column(words: bigquery.Table, feature: str, field: dict[str, Any]) -> None:
    name = {"projectId": PROJECT, "datasetId": words.dataset_id, "tableId": "other"}
    schema = {"fields": [{"name": "x", **field}]}
    table = bigquery.Table.from_api_repr({"tableReference": name, "schema": schema})
    with pytest.raises(MethodNotImplemented, match=feature):
        _client().create_table(table, retry=None)


@pytest.mark.parametrize(
    ("feature", "sql"),
    [
        ("PIVOT", "SELECT * FROM {t} PIVOT(SUM(n) FOR s IN ('a'))"),
        ("PIVOT", "SELECT * FROM {t} UNPIVOT(v FOR k IN (n))"),
        ("region-wide", "SELECT * FROM `region-us`.INFORMATION_SCHEMA.TABLES"),
        ("project-wide", "SELECT * FROM INFORMATION_SCHEMA.SCHEMATA"),
        ("INFORMATION_SCHEMA.VIEWS", "SELECT * FROM {d}.INFORMATION_SCHEMA.VIEWS"),
        ("MATERIALIZED", "CREATE MATERIALIZED VIEW {d}.m AS SELECT 1 AS x"),
        ("EXTERNAL", "CREATE EXTERNAL TABLE {d}.e OPTIONS(format='CSV', uris=['gs://x/y'])"),
        ("SNAPSHOT", "CREATE SNAPSHOT TABLE {d}.s CLONE {t}"),
        ("EXPORT DATA", "EXPORT DATA OPTIONS(uri='gs://x/*', format='CSV') AS SELECT 1"),
        ("LOAD DATA", "LOAD DATA INTO {t} FROM FILES(format='CSV', uris=['gs://x/y'])"),
        ("PREDICT", "SELECT * FROM ML.PREDICT(MODEL {d}.m, TABLE {t})"),
        ("GRANT", "GRANT `roles/x` ON TABLE {t} TO 'user:a@b'"),
        ("ST_GEOGPOINT", "SELECT ST_GEOGPOINT(1, 2)"),
        ("EXTERNAL_QUERY", "SELECT * FROM EXTERNAL_QUERY('c', 'SELECT 1')"),
    ],
)
def test_a_statement(words: bigquery.Table, feature: str, sql: str) -> None:
    statement = sql.format(d=words.dataset_id, t=f"{words.dataset_id}.words")
    with pytest.raises(MethodNotImplemented, match=feature):
        _client().query_and_wait(statement, retry=None, job_retry=None)


@pytest.mark.parametrize(
    ("feature", "call"),
    [
        (
            "routines",
            lambda client, table: list(client.list_routines(table.dataset_id, retry=None)),
        ),
        ("models", lambda client, table: list(client.list_models(table.dataset_id, retry=None))),
        ("getIamPolicy", lambda client, table: client.get_iam_policy(table, retry=None)),
        ("serviceAccount", lambda client, _: client.get_service_account_email(retry=None)),
    ],
)
def test_a_method_of_bigquery(
    words: bigquery.Table, feature: str, call: Callable[[bigquery.Client, bigquery.Table], Any]
) -> None:
    with pytest.raises(MethodNotImplemented, match=feature):
        call(_client(), words)
