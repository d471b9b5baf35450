"""Looking at jobs while a query keeps DuckDB busy."""

from __future__ import annotations

import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import requests
from google.cloud import bigquery

from tests.bench.cloud.table import BenchTables
from tests.bench.result import Result
from tests.bench.workshop import Workshop
from tests.support.local_cloud import PROJECT

_LOOKS = 1_000
_PAUSE_S = 0.005
_DATAFLOW_JOB = {
    "name": "polled",
    "type": "JOB_TYPE_BATCH",
    "environment": {"sdkPipelineOptions": {"options": {"pipelineUrl": "gs://none/pipeline.pb"}}},
}
_BUSY = "SELECT SUM(SQRT(a.score * b.score)) FROM `{table}` a CROSS JOIN `{table}` b"
"""All pairs of rows: hours for a million of them."""


def measure(workshop: Workshop) -> Result:
    """The 99th percentile of jobs.get of BigQuery and of Dataflow, the slower of both."""
    with TemporaryDirectory() as folder:
        tables = BenchTables(workshop, Path(folder))
        table = tables.empty("queried")
        tables.load(table)
        busy = tables.client.query(_BUSY.format(table=table.full_table_id.replace(":", ".")))
        try:
            looks = 100 if workshop.quick else _LOOKS
            bigquery_ms, dataflow_ms = _looks(workshop, busy, looks)
        finally:
            busy.cancel()
    return Result(
        name="jobs.get during a query, p99",
        value=float(max(np.percentile(bigquery_ms, 99), np.percentile(dataflow_ms, 99))),
        unit="ms",
        target=20,
        details={
            f"{api}_{name}_ms": float(np.percentile(times, percent))
            for api, times in (("bigquery", bigquery_ms), ("dataflow", dataflow_ms))
            for name, percent in (("p50", 50), ("p99", 99), ("max", 100))
        },
    )


def _looks(
    workshop: Workshop, busy: bigquery.QueryJob, count: int
) -> tuple[list[float], list[float]]:
    """Milliseconds of looks at a running BigQuery job and at an ended Dataflow job, in turn."""
    url = workshop.cloud.url
    jobs = f"{url}/v1b3/projects/{PROJECT}/locations/us-central1/jobs"
    query = f"{url}/bigquery/v2/projects/{PROJECT}/jobs/{busy.job_id}?location={busy.location}"
    with requests.Session() as session:
        job_id = session.post(jobs, json=_DATAFLOW_JOB).json()["id"]
        bigquery_ms, dataflow_ms = [], []
        for _ in range(count):
            state, milliseconds = _look(session, query)
            if state["status"]["state"] != "RUNNING":
                raise RuntimeError(f"the query does not run: {state['status']}")
            bigquery_ms.append(milliseconds)
            dataflow_ms.append(_look(session, f"{jobs}/{job_id}")[1])
            time.sleep(_PAUSE_S)
    return bigquery_ms, dataflow_ms


def _look(session: requests.Session, url: str) -> tuple[dict[str, Any], float]:
    began = time.monotonic()
    answer = session.get(url)
    milliseconds = (time.monotonic() - began) * 1000
    answer.raise_for_status()
    return answer.json(), milliseconds
