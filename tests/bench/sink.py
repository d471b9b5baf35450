"""Rows per second into BigQuery: the streaming job's sink against Beam's WriteToBigQuery."""

from __future__ import annotations

from google.cloud import bigquery

from beam_jobs.objects import open_objects
from beam_jobs.spec import load_service
from tests.bench.jobs import run_job
from tests.bench.result import Result
from tests.bench.workshop import BUCKET, SPEC, Workshop
from tests.support.live_tables import LiveTables
from tests.support.local_cloud import PROJECT


def measure(workshop: Workshop) -> Result:
    """Both write such scored rows into the same kind of table by insertAll, each as many as take
    it some seconds; the time that the same job takes for one row is taken off.
    """
    own = _rows_per_second(workshop, "own", workshop.rows(100_000))
    beams = _rows_per_second(workshop, "beam", workshop.rows(10_000))
    return Result(
        name="rows/s into BigQuery, own sink / WriteToBigQuery",
        value=own / beams,
        unit="x",
        target=None,
        details={"own_rows_per_s": own, "beam_rows_per_s": beams},
    )


def _rows_per_second(workshop: Workshop, sink: str, rows: int) -> float:
    return rows / (_seconds(workshop, sink, rows) - _seconds(workshop, sink, 1))


def _seconds(workshop: Workshop, sink: str, rows: int) -> float:
    client = bigquery.Client(PROJECT)
    live = LiveTables(client, load_service(SPEC))
    live.create()
    uri = f"gs://{BUCKET}/sink/{live.plan.tables.dataset}.json"
    open_objects(uri).put(uri, live.plan.model_dump_json().encode())
    command = ["tests.bench.sink_job", "--plan", uri, "--rows", str(rows), "--sink", sink]
    seconds = run_job(workshop.cloud, BUCKET, f"sink-{sink}-{rows}", command).seconds
    written = len(live.rows(live.predictions, "request_id"))
    if written != rows:
        raise RuntimeError(f"{sink}: {written} rows written of {rows}")
    return seconds
