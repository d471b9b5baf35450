"""All measurements, in the order of the table."""

from __future__ import annotations

from collections.abc import Callable

from tests.bench import (
    dag_parsing,
    drift,
    idle_round,
    job_memory,
    job_speed,
    night_overhead,
    night_report,
    per_row_speed,
    prediction_server,
    remote,
    sink,
)
from tests.bench.cloud import inserts, loads, polling, start, submission
from tests.bench.live import calls, drain, gaps, latency, memory
from tests.bench.result import Result
from tests.bench.workshop import Workshop

MEASUREMENTS: dict[str, Callable[[Workshop], Result]] = {
    "job_speed": job_speed.measure,
    "per_row_speed": per_row_speed.measure,
    "job_memory": job_memory.measure,
    "drift": drift.measure,
    "dag_parsing": dag_parsing.measure,
    "night_overhead": night_overhead.measure,
    "night_report": night_report.measure,
    "idle_round": idle_round.measure,
    "live_latency_300": latency.measure_slow,
    "live_latency_4000": latency.measure_fast,
    "live_median_4000": latency.measure_fast_median,
    "live_memory": memory.measure,
    "live_drain": drain.measure_speed,
    "live_drain_ratio": drain.measure_ratio,
    "live_calls": calls.measure,
    "live_update_gap": gaps.measure_update,
    "live_replacement_gap": gaps.measure_replacement,
    "sink": sink.measure,
    "server_throughput": prediction_server.measure_throughput,
    "server_latency": prediction_server.measure_latency,
    "endpoint_batching": remote.measure_batching,
    "endpoint_client": remote.measure_client,
    "cloud_start": start.measure,
    "cloud_load": loads.measure,
    "cloud_inserts": inserts.measure_speed,
    "cloud_inserts_flat": inserts.measure_flatness,
    "cloud_polling": polling.measure,
    "cloud_submission": submission.measure,
}
