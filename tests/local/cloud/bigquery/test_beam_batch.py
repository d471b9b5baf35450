"""Beam's own ReadFromBigQuery and WriteToBigQuery in a job on the local Dataflow.

Reads are exports (a query's by way of a temporary dataset), writes are load jobs into temporary
tables that copy jobs put together.
"""

from __future__ import annotations

import uuid
from decimal import Decimal

import apache_beam as beam
import pytest
from apache_beam.io.gcp.bigquery import BigQueryDisposition, ReadFromBigQuery, WriteToBigQuery
from apache_beam.io.gcp.internal.clients.bigquery import BigqueryV2
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.runner import PipelineState
from google.cloud import bigquery

from tests.support.bigquery_tables import rows_of
from tests.support.dataflow_cloud import eventually
from tests.support.local_cloud import LocalCloud

SCHEMA = {
    "fields": [
        {"name": "id", "type": "INTEGER", "mode": "REQUIRED"},
        {"name": "name", "type": "STRING"},
        {"name": "weight", "type": "NUMERIC"},
        {"name": "tags", "type": "STRING", "mode": "REPEATED"},
    ]
}


def options(cloud: LocalCloud, bucket: str) -> PipelineOptions:
    return PipelineOptions(
        [
            "--runner=DataflowRunner",
            f"--dataflow_endpoint={cloud.url}",
            f"--project={cloud.env['GOOGLE_CLOUD_PROJECT']}",
            "--region=us-central1",
            "--no_auth",
            f"--temp_location=gs://{bucket}/temp",
            f"--job_name=bigquery-{uuid.uuid4().hex[:8]}",
        ]
    )


def write(table: str, method: str, **more: object) -> WriteToBigQuery:
    return WriteToBigQuery(
        table.replace(".", ":", 1),
        schema=SCHEMA,
        method=method,
        create_disposition=BigQueryDisposition.CREATE_IF_NEEDED,
        write_disposition=BigQueryDisposition.WRITE_APPEND,
        **more,
    )


def test_a_job_reads_tables_and_queries_and_writes_by_loads_and_inserts(
    client: bigquery.Client,
    dataset: str,
    bucket: str,
    cloud_env: LocalCloud,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Beam reads the address of its second client nowhere else.
    monkeypatch.setattr(BigqueryV2, "BASE_URL", f"{cloud_env.url}/bigquery/v2/")
    table = f"{client.project}.{dataset}.source"
    client.query(
        f"CREATE TABLE {dataset}.source AS SELECT id, CONCAT('n', CAST(id AS STRING)) AS name, "
        "NUMERIC '0.5' AS weight, ['a', 'b'] AS tags "
        "FROM UNNEST(GENERATE_ARRAY(1, 100)) AS id"
    ).result()
    before = {found.dataset_id for found in client.list_datasets()}
    pipeline = beam.Pipeline(options=options(cloud_env, bucket))
    query = f"SELECT id, name, NUMERIC '2.5' AS weight, tags FROM {dataset}.source WHERE id <= 10"
    small = {"max_file_size": 200, "max_partition_size": 400}
    (
        pipeline
        | "Query" >> ReadFromBigQuery(query=query, use_standard_sql=True)
        | "Load" >> write(f"{table}_loaded", "FILE_LOADS", **small)
    )
    (
        pipeline
        | "Table" >> ReadFromBigQuery(table=table.replace(".", ":", 1), use_json_exports=True)
        | "Insert" >> write(f"{table}_inserted", "STREAMING_INSERTS")
    )
    result = pipeline.run()
    eventually(lambda: PipelineState.is_terminal(result.state))
    assert result.state == PipelineState.DONE
    sums = f"SELECT COUNT(*), SUM(id), MAX(weight), ANY_VALUE(tags) FROM {dataset}.source"
    assert rows_of(client, f"{sums}_loaded") == [(10, 55, Decimal("2.5"), ["a", "b"])]
    assert rows_of(client, f"{sums}_inserted") == [(100, 5050, Decimal("0.5"), ["a", "b"])]
    # What Beam made for itself on the way is gone.
    assert {found.dataset_id for found in client.list_datasets()} == before
    names = {found.table_id for found in client.list_tables(dataset)}
    assert names == {"source", "source_loaded", "source_inserted"}
    copies = [job for job in client.list_jobs() if isinstance(job, bigquery.CopyJob)]
    copied = [job for job in copies if job.destination.dataset_id == dataset]
    assert sum(int(job._properties["statistics"]["copy"]["copiedRows"]) for job in copied) == 10
    assert len(copied) > 1
