"""The life of a real streaming job: launched, found again, drained."""

from __future__ import annotations

from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from nightstream.streaming.records import AskedFor
from tests.plugins.nightstream.operators.streaming.conftest import Streaming, prepared_by
from tests.support.dataflow_cloud import eventually
from tests.support.local_cloud import PROJECT
from tests.support.pubsub_emulator import PubsubEmulator
from tests.support.turns import DagRun


def shown(service: Streaming) -> dict[str, list[str]]:
    """The ids of requests in each unique view."""
    tables = f"{service.environment.bigquery.dataset}.{service.spec.service}"
    client = bigquery.Client(PROJECT, AnonymousCredentials())
    return {
        kind: [
            row.request_id
            for row in client.query_and_wait(f"SELECT request_id FROM {tables}_{kind}_live_unique")
        ]
        for kind in ("predictions", "dead_letters")
    }


def test_a_job_is_launched_once_scores_and_is_drained(
    service: Streaming, pubsub: PubsubEmulator
) -> None:
    run = service.prepared()
    [job_id] = AskedFor.model_validate(service.task("start", run).finish()).job_ids
    assert service.task("await_job", run).finish() == {job_id: "RUNNING"}
    job = service.dataflow.get(job_id)
    assert (job.name, job.labels["revision"]) == (service.job_name, prepared_by(run).revision)

    again = service.prepared()
    assert AskedFor.model_validate(service.task("start", again).finish()).job_ids == (job_id,)

    assert service.spec.streaming
    topic = f"projects/{PROJECT}/topics/{service.spec.streaming.topic}"
    publisher = pubsub.publisher()
    for name, payload in (("a", b'{"id": "a", "weeks": 40}'), ("b", b"not JSON")):
        publisher.publish(topic, payload, request_id=name).result(30)
    eventually(lambda: shown(service) == {"predictions": ["a"], "dead_letters": ["b"]})

    drain = DagRun(dag_id=service.dag.dag_id, params={"action": "drain"})
    service.task("drain", drain).finish()
    assert service.task("await_job", drain).finish() == {job_id: "DRAINED"}
    assert service.dataflow.ids_named(service.job_name) == {job_id}
