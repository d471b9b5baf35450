"""What the operators ask of BigQuery."""

from __future__ import annotations

import pytest

from nightstream.hooks import sessions
from nightstream.hooks.bigquery import bigquery_client, created_table
from nightstream.tables import RUNS_TABLE, runs_schema, table_id
from tests.plugins.nightstream.operators.conftest import Service, service

__all__ = ["service"]


@pytest.mark.parametrize(("method", "path"), [("POST", "/tables$"), ("GET", "/tables/")])
def test_a_request_that_is_never_answered_is_sent_again(
    service: Service, monkeypatch: pytest.MonkeyPatch, method: str, path: str
) -> None:
    monkeypatch.setattr(sessions, "LONGEST_ANSWER_S", 0.5)
    client = bigquery_client(service.environment)
    client.create_dataset(service.environment.bigquery.dataset)
    fault = service.cloud.inject(kind="hang", method=method, path=path, times=1)
    try:
        table = created_table(client, table_id(service.environment, RUNS_TABLE), runs_schema())
        assert service.cloud.injections(fault) == 1
    finally:
        service.cloud.heal()
    assert table.table_id == RUNS_TABLE
