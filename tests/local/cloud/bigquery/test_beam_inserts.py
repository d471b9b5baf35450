"""Beam's own WriteToBigQuery by streaming inserts."""

from __future__ import annotations

import apache_beam as beam
import pytest
from apache_beam.io.gcp.bigquery import BigQueryDisposition, WriteToBigQuery
from apache_beam.io.gcp.internal.clients.bigquery import BigqueryV2
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.testing.util import assert_that, equal_to
from google.cloud import bigquery

from tests.support.bigquery_live import ids, live_table, row
from tests.support.local_cloud import LocalCloud


def test_write_to_bigquery_inserts_rows_and_hands_out_those_that_fail(
    client: bigquery.Client,
    dataset: str,
    cloud_env: LocalCloud,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Beam reads the address of its second client nowhere else.
    monkeypatch.setattr(BigqueryV2, "BASE_URL", f"{cloud_env.url}/bigquery/v2/")
    table = live_table(client, dataset)
    rows = [row("a"), {**row("b"), "score": "much"}, row("c")]
    options = PipelineOptions(["--runner=DirectRunner", f"--project={client.project}"])
    with beam.Pipeline(options=options) as pipeline:
        written = (
            pipeline
            | beam.Create(rows)
            | WriteToBigQuery(
                table.replace(".", ":", 1),
                method=WriteToBigQuery.Method.STREAMING_INSERTS,
                create_disposition=BigQueryDisposition.CREATE_NEVER,
                insert_retry_strategy="RETRY_NEVER",
            )
        )
        failed = written.failed_rows_with_errors | beam.Map(lambda found: found[1]["id"])
        assert_that(failed, equal_to(["b"]))
    assert ids(client, table) == ["a", "c"]
