"""Scored requests into the live tables, by the job's own sink or by Beam's.

python -m tests.bench.sink_job --plan gs://…/plan.json --rows 60000 --sink own|beam
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import apache_beam as beam
import pyarrow as pa
from apache_beam.options.pipeline_options import PipelineOptions

from beam_jobs.inserts.rows import insert_rows
from beam_jobs.messages.requests import REQUEST_SCHEMA, Requests
from beam_jobs.objects import open_objects
from beam_jobs.prediction.live.served import ScoredBy
from beam_jobs.rows import GivenPayloads, dead_batch
from beam_jobs.runs.streaming import StreamingPlan
from beam_jobs.transforms.elements import ScoredRequests
from beam_jobs.transforms.live_columns import (
    live_prediction_rows,
    live_prediction_schema,
)
from beam_jobs.transforms.write_live import WriteLive

BATCH_ROWS = 500
SUBSCRIPTION = "projects/bench/subscriptions/births"
_VALUES: dict[str, Any] = {
    "weight_pounds": 7.8,
    "is_male": "True",
    "mother_age": 31.0,
    "plurality": "Single(1)",
    "gestation_weeks": 39.0,
}


def micro_batch(number: int, rows: int) -> ScoredRequests:
    """So many births of the babyweight example, with ids of their own."""
    now = datetime.now(UTC)
    ids = pa.array([f"request-{number:06}-{index:04}" for index in range(rows)])
    places = pa.array(range(rows), pa.int64())
    moments = pa.repeat(pa.scalar(now, REQUEST_SCHEMA.field("published_at").type), rows)
    identity = pa.RecordBatch.from_arrays(
        [ids, ids, places, moments, moments], schema=REQUEST_SCHEMA
    )
    columns = [pa.repeat(value, rows) for value in _VALUES.values()]
    return ScoredRequests(
        source=Requests(identity, GivenPayloads(pa.nulls(rows, pa.binary()))),
        rows=pa.RecordBatch.from_arrays([*columns, ids], [*_VALUES, "key"]),
        outputs=pa.RecordBatch.from_arrays([pa.repeat(7.5, rows)], ["predicted_weight_pounds"]),
        positions=places,
        dead=dead_batch(),
        rows_in=rows,
        scored_at=now,
        scored_by=ScoredBy("v1", "0" * 40),
    )


class Dicts(beam.DoFn):
    """ScoredRequests → a dict per row, ready for JSON: Beam's sink is spared the conversion."""

    def __init__(self, plan: StreamingPlan) -> None:
        self._spec = plan.spec

    def process(self, batch: ScoredRequests) -> Iterator[dict[str, Any]]:
        rows = live_prediction_rows(batch, SUBSCRIPTION, live_prediction_schema(self._spec))
        for row in insert_rows(rows, rows.column("request_id")):
            yield row["json"]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--plan", required=True)
    parser.add_argument("--rows", required=True, type=int)
    parser.add_argument("--sink", required=True, choices=["own", "beam"])
    known, options = parser.parse_known_args()
    plan = StreamingPlan.model_validate_json(open_objects(known.plan).read(known.plan))
    size = min(BATCH_ROWS, known.rows)
    pipeline = beam.Pipeline(options=PipelineOptions(options))
    numbers = pipeline | beam.Create(range(math.ceil(known.rows / size)), reshuffle=False)
    scored = numbers | beam.Map(micro_batch, size).with_output_types(ScoredRequests)
    if known.sink == "own":
        scored | beam.ParDo(WriteLive(plan, SUBSCRIPTION))
    else:
        tables = plan.tables
        (
            scored
            | beam.ParDo(Dicts(plan))
            | beam.io.WriteToBigQuery(
                f"{tables.project}:{tables.dataset}.{tables.predictions}",
                method=beam.io.WriteToBigQuery.Method.STREAMING_INSERTS,
                create_disposition=beam.io.BigQueryDisposition.CREATE_NEVER,
            )
        )
    result: Any = pipeline.run()
    print(result.job_id())


if __name__ == "__main__":
    from tests.bench import sink_job

    # Pickled by name, not as parts of __main__.
    sink_job.main()
