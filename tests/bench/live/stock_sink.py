"""The streaming job with Beam's own WriteToBigQuery in the place of its sink.

python -m tests.bench.live.stock_sink --plan gs://…/plan.json
"""

from __future__ import annotations

import argparse
from typing import Any

import apache_beam as beam

from beam_jobs.streaming.main import streaming_options
from beam_jobs.streaming.pipeline import score_messages
from beam_jobs.streaming.planning import read_plan
from beam_jobs.transforms.collect import ReadMessages
from tests.bench.sink_job import Dicts


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--plan", required=True)
    known, options = parser.parse_known_args()
    plan = read_plan(known.plan)
    pipeline = beam.Pipeline(options=streaming_options(plan, options))
    tables = plan.tables
    (
        score_messages(pipeline | ReadMessages(plan.subscription), plan)
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
    from tests.bench.live import stock_sink

    # Pickled by name, not as parts of __main__.
    stock_sink.main()
