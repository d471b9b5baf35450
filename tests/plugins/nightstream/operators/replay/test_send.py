"""Requests that were not scored, sent to their topic again: real tables, real Pub/Sub emulator."""

from __future__ import annotations

import base64
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowSkipException
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from beam_jobs.messages.batch import MessageBatch
from beam_jobs.messages.reading import MessageReader, ReadRequests
from nightstream.forms.replay import replay_form
from nightstream.reconciling.service import reconcile
from nightstream.replay_dag import replay_dag
from nightstream.replaying.sending import why_not
from nightstream.streaming.preparation import prepare_live_tables
from tests.plugins.nightstream.operators.conftest import Service
from tests.support.local_cloud import PROJECT
from tests.support.pubsub_emulator import PubsubEmulator
from tests.support.specs import a_service
from tests.support.turns import DagRun, Task

PUBLISHED = datetime.now(UTC).replace(microsecond=123_000) - timedelta(days=1)
HAPPENED = PUBLISHED - timedelta(hours=2)
DAY = str(PUBLISHED.date())
LETTERS = [("r0", "m1", 0, "wrong_type", b'{"id": "a", "weeks": 40}'), ("r1", "m1", 1, "x", b"{")]


@dataclass
class Requests:
    """A service with a streaming job, and its requests."""

    service: Service
    client: bigquery.Client
    pubsub: PubsubEmulator
    subscription: str

    def dead(self, *letters: tuple[str, str, int, str, bytes | None], **more: Any) -> None:
        for request_id, message_id, position, code, payload in letters:
            row = self._row(request_id, message_id, position) | {
                "error_code": code,
                "payload": base64.b64encode(payload).decode() if payload is not None else None,
                "dead_at": PUBLISHED.isoformat(),
            }
            self._insert("dead_letters", row | more)

    def scored(self, request_id: str, message_id: str, position: int) -> None:
        now = datetime.now(UTC).isoformat()
        row = self._row(request_id, message_id, position) | {"scored_at": now}
        self._insert("predictions", row)

    def send(self, run_id: str = "again", **form: Any) -> int | None:
        """Runs the task; None where it is skipped."""
        params = {"source": "streaming", "from_date": DAY, **form}
        task = replay_dag(self.service.spec, self.service.environment).get_task("send")
        run = DagRun(run_id, "weights_replay", params=params)
        try:
            return int(Task(task, run, form=replay_form(streaming=True)).finish())
        except AirflowSkipException:
            return None

    def arrived(self) -> ReadRequests:
        """The messages on the subscription, as the job reads them."""
        with self.pubsub.subscriber() as client:
            pulled = client.pull(subscription=self.subscription, max_messages=100, timeout=20)
        batch = MessageBatch()
        for number, received in enumerate(pulled.received_messages):
            batch.payloads.append(received.message.data)
            batch.attributes.append(dict(received.message.attributes))
            batch.message_ids.append(f"new{number}")
            batch.published_at.append(0)
        spec = self.service.spec
        assert spec.streaming is not None
        return MessageReader(spec, spec.streaming).read(batch, datetime.now(UTC))

    def view(self) -> list[str]:
        """The requests that are dead."""
        dataset = self.service.environment.bigquery.dataset
        query = f"SELECT request_id FROM `{dataset}.weights_dead_letters_live_unique`"
        return sorted(row.request_id for row in self.client.query(query).result())

    def replays(self) -> list[tuple[Any, ...]]:
        dataset = self.service.environment.bigquery.dataset
        query = (
            "SELECT outcome, request_id, message_id, source_position, published_at "
            f"FROM `{dataset}.weights_replays` ORDER BY request_id"
        )
        return [row.values() for row in self.client.query(query).result()]

    def differences(self) -> list[str]:
        day = PUBLISHED.date()
        found = reconcile(self.service.spec, self.service.environment, day, day)
        return [str(difference) for difference in found.differences]

    def _row(self, request_id: str, message_id: str, position: int) -> dict[str, Any]:
        return {
            "request_id": request_id,
            "message_id": message_id,
            "source_position": position,
            "published_at": PUBLISHED.isoformat(),
            "event_time": HAPPENED.isoformat(),
        }

    def _insert(self, part: str, row: dict[str, Any]) -> None:
        table = f"{self.service.environment.bigquery.dataset}.weights_{part}_live"
        assert not self.client.insert_rows_json(table, [row])


@pytest.fixture
def requests(service: Service, pubsub: PubsubEmulator, monkeypatch: pytest.MonkeyPatch) -> Requests:
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", pubsub.host)
    paths = pubsub.create()
    streaming = {
        "topic": paths.topic.rpartition("/")[2],
        "subscription": paths.subscription.rpartition("/")[2],
        "event_time": {"attribute": "happened"},
    }
    service = replace(service, spec=a_service(streaming=streaming))
    client = bigquery.Client(PROJECT, AnonymousCredentials(), location="US")
    client.create_dataset(service.environment.bigquery.dataset)
    prepare_live_tables(client, service.spec, service.environment)
    return Requests(service, client, pubsub, paths.subscription)


def test_a_request_that_is_sent_again_is_the_request_that_it_was(requests: Requests) -> None:
    requests.dead(*LETTERS)
    assert requests.send() == 2

    read = requests.arrived()

    identity = sorted(read.requests.identity.to_pylist(), key=lambda row: row["position"])
    assert [(row["request_id"], row["message_id"], row["position"]) for row in identity] == [
        ("r0", "m1", 0),
        ("r1", "m1", 1),
    ]
    assert {row["published_at"] for row in identity} == {PUBLISHED}
    assert {row["event_time"] for row in identity} == {HAPPENED}
    assert read.valid.batch.to_pylist() == [{"id": "a", "weeks": 40.0}]
    assert requests.replays() == [
        ("sent", "r0", "m1", 0, PUBLISHED),
        ("sent", "r1", "m1", 1, PUBLISHED),
    ]


def test_once_scored_a_request_is_no_dead_letter_any_more(requests: Requests) -> None:
    requests.dead(*LETTERS)
    requests.send()
    assert requests.differences() == []
    requests.scored("r0", "m1", 0)
    requests.dead(("r1", "m1", 1, "x", b"{"))
    assert requests.view() == ["r1"]
    assert requests.differences() == []
    assert requests.send("once more") == 1, "only what is dead still"
    assert requests.view() == ["r1"]


def test_letters_are_chosen_and_a_dry_run_sends_nothing(requests: Requests) -> None:
    requests.dead(*LETTERS)
    assert requests.send(dry_run=True) is None
    assert requests.send(error_codes=["not_json"]) is None
    assert requests.send(condition="request_id = 'r1'") == 1
    assert requests.arrived().requests.identity.column("request_id").to_pylist() == ["r1"]


def test_a_large_payload_is_fetched_and_what_is_gone_is_left(requests: Requests) -> None:
    uri = f"gs://{requests.service.environment.buckets.work}/payloads/large"
    requests.service.objects.put(uri, b'{"id": "b", "weeks": 39}')
    requests.dead(("r0", "m1", 0, "x", None), payload_uri=uri)
    requests.dead(("r1", "m1", 1, "x", None), payload_uri=f"{uri}-gone")
    assert requests.send() == 1
    assert requests.arrived().valid.batch.to_pylist() == [{"id": "b", "weeks": 39.0}]


def test_a_request_that_may_not_say_how_old_it_is_stays_dead() -> None:
    letter = {"published_at": PUBLISHED - timedelta(days=4 * 365)}
    assert "older than 1095 days" in why_not(letter, b"{}", PUBLISHED)
    assert why_not({"published_at": PUBLISHED}, b"{}", PUBLISHED) == ""
    assert "payload is empty" in why_not({"published_at": PUBLISHED}, b"", PUBLISHED)
