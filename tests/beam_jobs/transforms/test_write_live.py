"""Scored requests and dead letters into the live tables of the local cloud."""

from __future__ import annotations

import json
import logging
import math
import pickle
from collections.abc import Callable, Iterator
from typing import Any

import apache_beam as beam
import pyarrow as pa
import pytest
from apache_beam.metrics.metric import MetricsFilter
from google.cloud import bigquery

from beam_jobs.inserts.table import SinkDownError
from beam_jobs.messages.requests import Requests
from beam_jobs.objects import open_objects
from beam_jobs.rows import DeadRow
from beam_jobs.runs.dead_letter import ErrorCode, Stage
from beam_jobs.transforms.dead_storage import LARGEST_PAYLOAD_BYTES, LONGEST_MESSAGE
from beam_jobs.transforms.elements import ScoredRequests
from beam_jobs.transforms.write_live import WriteLive
from tests.support.live_tables import SCORED_BY, FakeClock, LiveTables, a_micro_batch
from tests.support.local_cloud import PROJECT, LocalCloud
from tests.support.poison_proxy import POISON, poison_proxy

SUBSCRIPTION = "projects/p/subscriptions/weights-scoring"
Write = Callable[[ScoredRequests], ScoredRequests]


@pytest.fixture
def live(cloud_env: LocalCloud) -> Iterator[LiveTables]:
    """Two empty tables, and the service's work bucket."""
    live = LiveTables(bigquery.Client(PROJECT))
    live.create()
    cloud_env.call("POST", "/storage/v1/b", {"name": live.plan.root.split("/")[2]})
    yield live
    cloud_env.heal()


@pytest.fixture
def time() -> FakeClock:
    return FakeClock()


@pytest.fixture
def write(live: LiveTables, time: FakeClock) -> Iterator[Write]:
    """Writes one micro-batch; what came out."""
    step = WriteLive(live.plan, SUBSCRIPTION, time.clock())
    step.setup()

    def write(batch: ScoredRequests) -> ScoredRequests:
        (written,) = step.process(batch)
        return written

    yield write
    step.teardown()


def a_dead_row(position: int, payload: bytes = b"\xff broken", **parts: Any) -> DeadRow:
    row = {"stage": Stage.READ, "code": ErrorCode.NOT_UTF8, "message": "byte 0", "field": None}
    return DeadRow(**{**row, **parts}, payload=payload, position=position)


def test_scored_rows_and_dead_letters_say_all_they_know(write: Write, live: LiveTables) -> None:
    batch = a_micro_batch([7.5, math.nan], [a_dead_row(2)])
    assert write(batch) is batch
    published = batch.source.identity.column("published_at")[0].as_py()
    origin = ("v1", "m0", SUBSCRIPTION, 0, published, published, batch.scored_at)
    columns = "request_id, id, weeks, weight, model_version, message_id, source_uri, "
    columns += "source_position, event_time, published_at, scored_at, revision"
    scored, nan = live.rows(live.predictions, columns)
    assert scored == ("r0", "k0", 39.5, 7.5, *origin, SCORED_BY.revision)
    assert math.isnan(nan[3])
    columns = "request_id, stage, error_code, error_field, error_message, payload, payload_uri, "
    columns += "model_version, message_id, source_uri, source_position, event_time, published_at, "
    columns += "dead_at, revision"
    why = ("read", "not_utf8", None, "byte 0", b"\xff broken", None)
    origin = ("v1", "m2", SUBSCRIPTION, 0, published, published, batch.scored_at)
    assert live.rows(live.dead_letters, columns) == [("r2", *why, *origin, SCORED_BY.revision)]


def test_an_empty_batch_writes_nothing(write: Write, live: LiveTables) -> None:
    assert write(a_micro_batch()).rows_in == 0
    assert live.rows(live.predictions, "request_id") == []


def test_a_batch_that_comes_again_adds_no_row(write: Write, live: LiveTables) -> None:
    batch = a_micro_batch([1, 2, 3], [a_dead_row(3)])
    write(batch)
    write(batch)
    assert len(live.rows(live.predictions, "request_id")) == 3
    assert len(live.rows(live.dead_letters, "request_id")) == 1


def test_one_request_id_twice_is_one_prediction_but_two_dead_letters(
    write: Write, live: LiveTables
) -> None:
    dead = [a_dead_row(2, b"one"), a_dead_row(3, b"other")]
    write(a_micro_batch([1, 2], dead, ids=["same", "same", "same", "same"]))
    assert live.rows(live.predictions, "request_id") == [("same",)]
    assert live.rows(live.dead_letters, "payload", "payload") == [(b"one",), (b"other",)]


def test_a_row_that_its_table_refuses_is_a_dead_letter(live: LiveTables, time: FakeClock) -> None:
    table = bigquery.Client(PROJECT).get_table(live.predictions)
    narrow = [field for field in table.schema if field.name != "weight"]
    client = bigquery.Client(PROJECT)
    client.delete_table(table)
    replaced = bigquery.Table(live.predictions, [*narrow, bigquery.SchemaField("weight", "INT64")])
    replaced.time_partitioning = table.time_partitioning
    client.create_table(replaced)
    step = WriteLive(live.plan, SUBSCRIPTION, time.clock())
    step.setup()
    (written,) = step.process(a_micro_batch([1, 2.5, 3], [a_dead_row(3)]))
    step.teardown()
    assert written.positions.to_pylist() == [0, 2]
    assert written.rows.column("id").to_pylist() == ["k0", "k2"]
    assert written.outputs.column("weight").to_pylist() == [1, 3]
    assert written.dead.column("position").to_pylist() == [3, 1]
    assert (written.rows_in, written.source.identity.num_rows) == (4, 4)
    assert live.rows(live.predictions, "request_id") == [("r0",), ("r2",)]
    letters = live.rows(live.dead_letters, "request_id, stage, error_code, error_field, payload")
    assert letters == [
        ("r1", "write", "write_refused", "weight", b"as received"),
        ("r3", "read", "not_utf8", None, b"\xff broken"),
    ]


def test_a_row_that_fails_for_ever_is_a_dead_letter_too(
    cloud_env: LocalCloud, live: LiveTables, time: FakeClock
) -> None:
    with poison_proxy(cloud_env.url) as proxy, pytest.MonkeyPatch.context() as patch:
        patch.setenv("BIGQUERY_EMULATOR_HOST", proxy.url)
        proxy.failing_path = live.plan.tables.predictions
        step = WriteLive(live.plan, SUBSCRIPTION, time.clock())
        step.setup()
        (written,) = step.process(a_micro_batch([1, 2, 3], ids=["a", POISON.decode(), "c"]))
        step.teardown()
    assert written.positions.to_pylist() == [0, 2]
    assert live.rows(live.predictions, "request_id") == [("a",), ("c",)]
    columns = "request_id, stage, error_code, error_message"
    ((request, stage, code, message),) = live.rows(live.dead_letters, columns)
    assert (request, stage, code) == (POISON.decode(), "write", "write_failed")
    assert "503" in message


@pytest.mark.parametrize("table", ["predictions", "dead_letters"])
def test_a_sink_that_is_down_raises_so_that_the_messages_come_again(
    write: Write, live: LiveTables, cloud_env: LocalCloud, table: str
) -> None:
    name = getattr(live.plan.tables, table)
    cloud_env.inject(kind="error", path=f"/tables/{name}/insertAll")
    batch = a_micro_batch([1, 2], [a_dead_row(2)])
    with pytest.raises(SinkDownError, match=name):
        write(batch)
    cloud_env.heal()
    write(batch)
    assert len(live.rows(live.predictions, "request_id")) == 2
    assert len(live.rows(live.dead_letters, "request_id")) == 1


def test_a_503_of_a_minute_is_waited_for(
    write: Write, live: LiveTables, cloud_env: LocalCloud, time: FakeClock
) -> None:
    cloud_env.inject(kind="error", path=f"/datasets/{live.plan.tables.dataset}/")
    time.on_sleep = lambda _: cloud_env.heal() if time.time > 60 else None
    write(a_micro_batch([1.0] * 50, [a_dead_row(50)]))
    assert len(live.rows(live.predictions, "request_id")) == 50
    assert len(live.rows(live.dead_letters, "request_id")) == 1


def test_a_payload_of_9_mb_lies_in_gcs(write: Write, live: LiveTables) -> None:
    payload = bytes(range(256)) * (9 * 4096)
    write(a_micro_batch([1], [a_dead_row(1, payload), a_dead_row(2, b"small")]))
    columns = "payload, payload_uri"
    ((large, uri), small) = live.rows(live.dead_letters, columns)
    assert (large, small) == (None, (b"small", None))
    assert uri.startswith(f"{live.plan.root}/payloads/")
    assert open_objects(uri).read(uri) == payload


def test_the_largest_payload_of_a_row_is_in_the_row(write: Write, live: LiveTables) -> None:
    payload = b"x" * LARGEST_PAYLOAD_BYTES
    write(a_micro_batch(dead=[a_dead_row(index, payload) for index in range(12)]))
    assert live.rows(live.dead_letters, "payload, payload_uri") == [(payload, None)] * 12


def test_a_scored_row_larger_than_a_request_is_a_dead_letter(
    write: Write, live: LiveTables
) -> None:
    batch = a_micro_batch([1, 2], payload=b"y" * 2_000_000)
    ids = pa.array(["k0", "k" * 10_000_000])
    large = pa.RecordBatch.from_arrays([ids, batch.rows.column(1)], ["id", "weeks"])
    written = write(ScoredRequests(**{**vars(batch), "rows": large}))
    assert written.positions.to_pylist() == [0]
    ((code, payload, uri),) = live.rows(live.dead_letters, "error_code, payload, payload_uri")
    assert (code, payload) == ("write_refused", None)
    assert open_objects(uri).read(uri) == b"y" * 2_000_000


def test_an_endless_error_message_is_cut(write: Write, live: LiveTables) -> None:
    write(a_micro_batch(dead=[a_dead_row(0, message="ü" * 1_000_000)]))
    assert live.rows(live.dead_letters, "error_message") == [("ü" * LONGEST_MESSAGE,)]


def test_a_letter_that_its_own_table_refuses_is_kept_and_told(
    write: Write, live: LiveTables, caplog: pytest.LogCaptureFixture
) -> None:
    batch = a_micro_batch(dead=[a_dead_row(0), a_dead_row(1)])
    far = batch.source.identity.set_column(
        3,
        batch.source.identity.schema.field(3),
        pa.array([None, 400_000_000_000_000_000], batch.source.identity.schema.field(3).type),
    )
    source = Requests(far, batch.source.payloads)
    assert write(ScoredRequests(**{**vars(batch), "source": source})).dead.num_rows == 2
    assert live.rows(live.dead_letters, "request_id") == [("r0",)]
    (record,) = (one for one in caplog.records if one.levelno == logging.ERROR)
    assert "letter of request r1" in record.getMessage()
    objects = open_objects(live.plan.root)
    (kept,) = objects.list(f"{live.plan.root}/letters/")
    assert kept.uri in record.getMessage()
    assert json.loads(objects.read(kept.uri))["error_code"] == "not_utf8"


def test_the_step_travels_to_workers_and_counts(live: LiveTables) -> None:
    step = pickle.loads(pickle.dumps(WriteLive(live.plan, SUBSCRIPTION)))
    pipeline = beam.Pipeline("DirectRunner")
    batches = pipeline | beam.Create([a_micro_batch([1, 2], [a_dead_row(2)])])
    written = batches | beam.ParDo(step)
    assert written is not None
    result = pipeline.run()
    result.wait_until_finish()
    found = result.metrics().query(MetricsFilter().with_namespace("nightstream"))["counters"]
    counted = {counter.key.metric.name: counter.committed for counter in found}
    assert counted == {"insert_requests": 2, "write_retries": 0, "rows_refused": 0}
    assert len(live.rows(live.predictions, "request_id")) == 2
