"""Callers who wait hear what was recorded."""

from __future__ import annotations

import json
import time
from typing import Any

from tests.support.live_service import LiveService
from tests.support.patience import PATIENCE_S


def test_each_request_is_answered_as_it_was_recorded(live: LiveService) -> None:
    weeks: list[Any] = [*range(20, 90), None, "forty", -5, 200]
    ids = [f"answered-{n}" for n in range(len(weeks))]
    payloads = [json.dumps({"weeks": value}).encode() for value in weeks]
    live.publish(payloads, [{"request_id": name} for name in ids])
    found = live.account_for(ids)
    assert len(found.dead) == 4
    answers = _hear(live, ids)
    tables = live.plan.tables
    recorded: dict[str, list[dict[str, Any]]] = {name: [] for name in ids}
    for row in live.rows(tables.predictions, "request_id, weight, model_version, scored_at"):
        scored_at = row.pop("scored_at").isoformat()
        answer = {**row, "status": "scored", "scored_at": scored_at}
        recorded.get(row["request_id"], []).append(answer)
    for row in live.rows(tables.dead_letters, "request_id, error_code, error_field, error_message"):
        recorded.get(row["request_id"], []).append({**row, "status": "dead_letter"})
    for name in ids:
        assert all(answer in recorded[name] for answer in answers[name]), name


def _hear(live: LiveService, ids: list[str]) -> dict[str, list[dict[str, Any]]]:
    """The answers to each of those requests, once there is one to all of them."""
    subscriber = live.pubsub.subscriber()
    subscription = live.answers.subscription
    heard: dict[str, list[dict[str, Any]]] = {name: [] for name in ids}
    deadline = time.monotonic() + PATIENCE_S
    while not all(heard.values()):
        assert time.monotonic() < deadline, [name for name in ids if not heard[name]]
        pulled = subscriber.pull(
            subscription=subscription, max_messages=1_000, return_immediately=True
        )
        for received in pulled.received_messages:
            answer = json.loads(received.message.data)
            assert received.message.attributes["request_id"] == answer["request_id"]
            assert received.message.attributes["status"] == answer["status"]
            if answer["request_id"] in heard:
                heard[answer["request_id"]].append(answer)
        if acks := [received.ack_id for received in pulled.received_messages]:
            subscriber.acknowledge(subscription=subscription, ack_ids=acks)
    return heard
