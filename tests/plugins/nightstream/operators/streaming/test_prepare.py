"""What stands before a streaming job is launched."""

from __future__ import annotations

from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from beam_jobs.runs.streaming import StreamingPlan
from tests.plugins.nightstream.operators.streaming.conftest import Streaming, prepared_by
from tests.support.local_cloud import PROJECT
from tests.support.models import release
from tests.support.specs import a_service


def changed(service: Streaming, **streaming: Any) -> None:
    """Another spec of the same service."""
    assert service.spec.streaming
    declared = service.spec.streaming.model_dump(mode="json") | streaming
    service.spec = a_service(service.spec.service, streaming=declared)


def test_the_plan_is_written_once_and_names_the_model_that_the_alias_stands_for(
    service: Streaming,
) -> None:
    first = prepared_by(service.prepared())
    written = service.objects.stat(first.plan_uri)

    again = prepared_by(service.prepared())

    assert again == first
    assert service.objects.stat(first.plan_uri) == written
    plan = StreamingPlan.model_validate_json(service.objects.read(first.plan_uri))
    assert (plan.revision, plan.model.version) == (first.revision, "v1")
    assert first.subscription == plan.subscription
    dataset = service.environment.bigquery.dataset
    client = bigquery.Client(PROJECT, AnonymousCredentials())
    tables = {table.table_id for table in client.list_tables(dataset)}
    names = (plan.tables.predictions, plan.tables.dead_letters)
    assert tables == {*names, *(f"{name}_unique" for name in names)}


def test_another_model_is_another_revision(service: Streaming) -> None:
    first = prepared_by(service.prepared())
    release(service.models, "v2", service.objects)

    assert prepared_by(service.prepared()).revision != first.revision
    assert prepared_by(service.prepared(model_version="v1")) == first


def test_a_missing_subscription_and_response_topic_are_told_with_their_remedies(
    service: Streaming,
) -> None:
    changed(service, subscription="nowhere", response_topic="silence")

    with pytest.raises(AirflowFailException) as refused:
        service.prepared()

    first, second = str(refused.value).splitlines()
    assert "subscription projects/nightstream-test/subscriptions/nowhere does not exist" in first
    assert "topic projects/nightstream-test/topics/silence does not exist. Remedy:" in second


def test_a_missing_model_fails_without_retry(service: Streaming) -> None:
    with pytest.raises(AirflowFailException, match="neither a version nor an alias 'v9'"):
        service.prepared(model_version="v9")


def test_tables_that_cannot_take_the_rows_fail_without_retry(service: Streaming) -> None:
    table = f"{service.environment.bigquery.dataset}.{service.spec.service}_predictions_live"
    client = bigquery.Client(PROJECT, AnonymousCredentials())
    client.query(f"CREATE TABLE {table} (request_id STRING)").result()

    with pytest.raises(AirflowFailException, match=r"partitioned by nothing, not by .*Remedy"):
        service.prepared()
