"""The chapters of the streaming job: launched, fed, looked at while it runs, suspended."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Sequence
from datetime import UTC, datetime

from examples.babyweight.requests import make_requests
from examples.demo.dag_runs import DagRuns, wait_for_dag
from examples.demo.metrics import JobMetrics, RunningJob, latest_job
from examples.demo.show import DemoError, Show
from examples.demo.streaming_books import differences, read_requests, request_ids
from examples.demo.streaming_report import (
    sender_latencies,
    show_latencies,
    show_metrics,
    show_requests,
    show_scored,
)
from nightstream.streaming.naming import Slot, live_job_name

DAG_ID = "babyweight_streaming"
REQUESTS = 2000
FIRST = 50
"""So many are sent ahead: they wait until the worker has loaded the model, the others do not."""
RATE = 300
_METRICS_S = 30
_JOB_S = 180


def play_streaming(show: Show) -> list[str]:
    """The streaming job, told; what did not add up."""
    every = show.environment.airflow.reconcile_seconds
    show.chapter(f"{DAG_ID} is switched on: every {every:g} s a round does what is due")
    wait_for_dag(show.airflow, DAG_ID)
    show.airflow.pause(DAG_ID, paused=False)
    job = _launched_job(show)
    _await_state(job, "RUNNING")
    show.say(f"job {job.name} was launched, and is {job.state}")

    requests = make_requests(REQUESTS)
    first, others = requests.payloads[:FIRST], requests.payloads[FIRST:]
    since = datetime.now(UTC).date()
    show.chapter(f"{REQUESTS:,} requests, {len(requests.broken)} of them broken: the first {FIRST}")
    _send(show, first, "first-")
    show.chapter("… and, now that the worker has its model, the others")
    told = _send(show, others, "then-")

    show.chapter("What BigQuery holds of the requests, while the job runs")
    found = read_requests(show.bigquery, show.dataset, since)
    metrics = _settled_metrics(job)
    show_requests(show.console, requests, found, metrics)
    show_latencies(show.console, sender_latencies(told), found.milliseconds("then-"))
    show_scored(show.console, found)
    show_metrics(show.console, job.name, metrics)

    show.chapter(f"{DAG_ID} is triggered with the action suspend")
    runs = DagRuns(show.airflow, DAG_ID, show.say)
    runs.see_to_its_end(show.airflow.trigger(DAG_ID, {"action": "suspend"}), "suspend")
    _await_state(job, "DRAINED")
    show.say(f"job {job.name} is {job.state}, and no round launches another until `resume`")
    ids = [*request_ids("first-", len(first)), *request_ids("then-", len(others))]
    faults = differences(requests, ids, found, metrics)
    return faults if job.state == "DRAINED" else [*faults, f"{job.name} is not drained"]


def _launched_job(show: Show) -> RunningJob:
    """The job that the first rounds launch."""
    name = live_job_name(show.spec.service, Slot.A)
    deadline = time.monotonic() + _JOB_S
    while True:
        job = latest_job(show.stack.settings.cloud_url, show.environment, name)
        if job is not None:
            return job
        if time.monotonic() > deadline:
            raise DemoError(f"no round has launched {name} within {_JOB_S} s")
        time.sleep(0.5)


def _await_state(job: RunningJob, state: str) -> None:
    deadline = time.monotonic() + _JOB_S
    while (now := job.state) != state:
        if time.monotonic() > deadline or now == "FAILED":
            raise DemoError(f"{job.name} is {now}, and should be {state}")
        time.sleep(0.5)


def _send(show: Show, payloads: Sequence[bytes], id_prefix: str) -> str:
    """Publishes the requests as a person would; what the sender says of the answers."""
    streaming = show.spec.streaming
    assert streaming is not None
    settings = show.stack.settings
    file = settings.home / f"{id_prefix}requests.jsonl"
    file.write_bytes(b"".join(payload + b"\n" for payload in payloads))
    where = os.path.relpath(file, settings.repository)
    command = ["python", "-m", "beam_jobs.send", "--topic", streaming.topic, "--file", where]
    command += ["--rate", str(RATE), "--id-prefix", id_prefix]
    command += ["--wait", "--responses", str(streaming.response_topic)]
    show.say(f"$ {shlex.join(command)}")
    sent = show.stack.run(*command)
    for line in sent.stdout.splitlines():
        show.say(line)
    if sent.returncode:
        raise DemoError(f"not every request was answered:\n{sent.stdout}{sent.stderr}")
    return sent.stdout


def _settled_metrics(job: RunningJob) -> JobMetrics:
    """What the job counts, once all requests are counted: metrics are some seconds behind."""
    deadline = time.monotonic() + _METRICS_S
    while (metrics := job.metrics()).counter("requests") < REQUESTS:
        if time.monotonic() > deadline:
            return metrics
        time.sleep(0.5)
    return metrics
