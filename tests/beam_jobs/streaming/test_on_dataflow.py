"""From Pub/Sub to BigQuery: the job submitted by the unmodified DataflowRunner."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from typing import Any

import pytest

from beam_jobs.messages.reserved import MESSAGE_ID, POSITION, PUBLISHED_AT, REQUEST_ID
from beam_jobs.runs.profiles import live_profiles_table
from tests.beam_jobs.streaming.conftest import Jobs
from tests.support.dataflow_cloud import eventually
from tests.support.live_service import LiveService
from tests.support.messages import a_request
from tests.support.models import Moody, release


def names(count: int) -> list[str]:
    """New request ids."""
    prefix = uuid.uuid4().hex[:8]
    return [f"{prefix}-{number}" for number in range(count)]


def found(service: LiveService, table: str, ids: list[str]) -> dict[str, dict[str, Any]]:
    """Rows of a table by request id, of those requests."""
    rows = service.rows(table, "*")
    return {row["request_id"]: row for row in rows if row["request_id"] in ids}


def await_requests(service: LiveService, ids: list[str]) -> None:
    """Until each of them stands in one of the tables."""
    tables = service.plan.tables.predictions, service.plan.tables.dead_letters

    def written() -> set[str]:
        return {row["request_id"] for table in tables for row in service.rows(table, "request_id")}

    eventually(lambda: written() >= set(ids))


def test_requests_become_predictions_or_dead_letters_and_are_answered(jobs: Jobs) -> None:
    service = jobs.bundled
    payloads = [a_request(40, id="k"), a_request("forty"), b"no JSON", b"", b'{"weeks":\n30}']
    ids = names(len(payloads))
    (message_id, *_) = service.publish(payloads, [{"rid": rid} for rid in ids])
    await_requests(service, ids)

    scored = found(service, service.plan.tables.predictions, ids)
    assert {rid: row["weight"] for rid, row in scored.items()} == pytest.approx(
        {ids[0]: 8.0, ids[4]: 6.0}
    )
    row = scored[ids[0]]
    assert (row["id"], row["message_id"], row["source_position"]) == ("k", message_id, 0)
    assert (row["source_uri"], row["model_version"]) == (service.plan.subscription, "v1")
    assert row["revision"] == service.plan.revision
    assert row["event_time"] == row["published_at"] <= row["scored_at"]

    dead = found(service, service.plan.tables.dead_letters, ids)
    assert {rid: (row["error_code"], row["payload"]) for rid, row in dead.items()} == {
        ids[1]: ("wrong_type", payloads[1]),
        ids[2]: ("not_json", payloads[2]),
        ids[3]: ("empty_message", payloads[3]),
    }
    answers = _answers(service, ids)
    assert answers[ids[0]]["weight"] == 8.0
    assert {rid: answer.get("error_code") for rid, answer in answers.items()} == {
        ids[0]: None,
        ids[1]: "wrong_type",
        ids[2]: "not_json",
        ids[3]: "empty_message",
        ids[4]: None,
    }


def test_a_model_call_is_made_for_a_micro_batch_and_not_for_a_request(jobs: Jobs) -> None:
    service = jobs.bundled
    ids = names(400)
    service.publish([a_request(n % 100) for n in range(400)], [{"rid": rid} for rid in ids])
    await_requests(service, ids)
    eventually(lambda: service.counters().get("requests", 0) >= 400)
    counters = service.counters()
    assert counters["requests"] == counters["scored"] + counters["dead"]
    assert 1 <= counters["model_calls"] <= counters["batches"] < 100


def test_what_is_sent_again_with_its_identity_changes_no_view(jobs: Jobs) -> None:
    service = jobs.bundled
    ids = names(2)
    service.publish([a_request(40), a_request("x")], [{"rid": rid} for rid in ids])
    await_requests(service, ids)
    before = service.outcome()
    tables = service.plan.tables.predictions, service.plan.tables.dead_letters
    first = [row for table in tables for row in found(service, table, ids).values()]
    again = [
        {
            MESSAGE_ID: row["message_id"],
            POSITION: str(row["source_position"]),
            PUBLISHED_AT: row["published_at"].isoformat(),
            REQUEST_ID: row["request_id"],
        }
        for row in first
    ]
    (marker,) = names(1)
    # Both are scored now; a new one tells when they are through.
    service.publish([a_request(41)] * 3, [*again, {"rid": marker}])
    await_requests(service, [marker])
    after = eventually(lambda: service.outcome() if ids[1] in service.outcome().scored else None)
    assert after.scored == before.scored + Counter([ids[1], marker])
    assert after.dead == {rid: code for rid, code in before.dead.items() if rid != ids[1]}
    rows = service.rows(tables[0], "request_id, message_id, source_position, published_at, weight")
    twice = [row for row in rows if row["request_id"] == ids[0]]
    assert [row["weight"] for row in twice] in ([8.0], [8.0, 8.2], [8.2, 8.0])
    assert {(row["message_id"], row["published_at"]) for row in twice} == {
        (first[0]["message_id"], first[0]["published_at"])
    }


def test_bundles_of_one_message_hold_no_line_or_a_thousand(jobs: Jobs) -> None:
    service = jobs.single
    ids = names(1_001)
    lines = [f"{rid},,,,,{number % 101}".encode() for number, rid in enumerate(ids)]
    sent = service.publish([b"\n", lines[0], b"\n".join(lines[1:])])
    await_requests(service, [f"{sent[0]}-0", *ids])
    scored = found(service, service.plan.tables.predictions, ids)
    assert len(scored) == 1_001
    assert {(row["message_id"], row["source_position"]) for row in scored.values()} == {
        (sent[1], 0),
        *((sent[2], place) for place in range(1_000)),
    }
    eventually(lambda: service.counters().get("requests") == 1_002)
    # One for the message of a line, two of 500 rows for the other.
    assert service.counters()["model_calls"] == 3


def test_a_drain_writes_all_that_it_took_and_leaves_the_rest_on_the_subscription(
    jobs: Jobs,
) -> None:
    service = jobs.single
    before = len(service.rows(service.plan.tables.predictions, "request_id"))
    ids = names(300)
    service.publish([f"{rid},,,,,40".encode() for rid in ids])
    service.drain()
    written = service.rows(service.plan.tables.predictions, "request_id")
    left = _pulled(service, service.paths.subscription)
    assert len(written) - before + len(left) == 300
    waiting = [message.data.decode().partition(",")[0] for message in left]
    assert sorted(
        [*(row["request_id"] for row in written if row["request_id"] in ids), *waiting]
    ) == (sorted(ids))
    profiles = service.rows(live_profiles_table(service.plan.service), "scored")
    assert sum(row["scored"] for row in profiles) >= len(written)


def test_a_model_is_exchanged_under_traffic_and_every_request_is_one_models(jobs: Jobs) -> None:
    service = jobs.bundled
    ids: list[str] = []

    def send() -> None:
        new = names(20)
        service.publish([a_request(40)] * len(new), [{"rid": rid} for rid in new])
        ids.extend(new)

    def refreshed() -> bool:
        send()
        rows = service.rows(service.plan.tables.predictions, "model_version")
        return any(row["model_version"] == "v2" for row in rows)

    send()
    await_requests(service, ids)
    release(service.models, "v2", service.objects, model=Moody(per=2))
    wanted = service.point_to_champion()
    eventually(refreshed)
    send()

    service.account_for(ids)
    rows = found(service, service.plan.tables.predictions, ids).values()
    old = [row for row in rows if row["model_version"] == "v1"]
    new = [row for row in rows if row["model_version"] == "v2"]
    assert {(row["revision"], row["weight"]) for row in old} == {(service.plan.revision, 8.0)}
    assert {(row["revision"], row["weight"]) for row in new} == {(wanted.revision, 20.0)}
    assert len(old) + len(new) == len(ids)
    assert max(row["scored_at"] for row in old) < min(row["scored_at"] for row in new)
    answers = _answers(service, ids)
    assert {answers[row["request_id"]]["model_version"] for row in new} == {"v2"}
    assert {answers[row["request_id"]]["weight"] for row in old} == {8.0}
    eventually(lambda: service.counters()["model_refreshes"] == 1)


def test_an_update_launches_a_job_that_takes_over_from_the_running_one(jobs: Jobs) -> None:
    service = jobs.bundled
    old_plan, old_job = service.plan, service.job_id
    release(service.models, "v3", service.objects, model=Moody(per=4))
    plan = service.prepare()
    assert (plan.base, plan.revision != old_plan.revision) == (old_plan.base, True)

    service.start("--update")

    assert service.job_id != old_job
    assert service.state_of(old_job) == "JOB_STATE_UPDATED"
    ids = names(20)
    service.publish([a_request(40)] * 20, [{"rid": rid} for rid in ids])
    service.account_for(ids)
    rows = found(service, plan.tables.predictions, ids).values()
    assert {(row["revision"], row["weight"]) for row in rows} == {(plan.revision, 10.0)}


def _answers(service: LiveService, ids: list[str]) -> dict[str, dict[str, Any]]:
    """By request id."""
    answers: dict[str, dict[str, Any]] = {}

    def complete() -> bool:
        for message in _pulled(service, service.answers.subscription):
            answers[message.attributes["request_id"]] = json.loads(message.data)
        return answers.keys() >= set(ids)

    eventually(complete)
    return {rid: answers[rid] for rid in ids}


def _pulled(service: LiveService, subscription: str) -> list[Any]:
    """The messages that wait, acknowledged."""
    subscriber = service.pubsub.subscriber()
    pulled: list[Any] = []
    while True:
        answer = subscriber.pull(
            subscription=subscription, max_messages=1_000, return_immediately=True
        )
        if not answer.received_messages:
            return pulled
        pulled += [received.message for received in answer.received_messages]
        subscriber.acknowledge(
            subscription=subscription,
            ack_ids=[received.ack_id for received in answer.received_messages],
        )
