"""Rows into one table of the local cloud: through failures, and past rows that cannot go in."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from google.cloud import bigquery

from beam_jobs.inserts.client import InsertClient
from beam_jobs.inserts.rows import InsertRow
from beam_jobs.inserts.table import MAX_REQUEST_BYTES, SinkDownError, TableWriter, Written
from tests.support.bigquery_tables import FIELD
from tests.support.live_tables import FakeClock
from tests.support.local_cloud import PROJECT, LocalCloud
from tests.support.poison_proxy import POISON, poison_proxy

RETRY_SECONDS = 600.0
SCHEMA = [FIELD("id", "STRING"), FIELD("weight", "FLOAT")]
POISONED = POISON.decode()


@dataclass
class World:
    """A table that takes ids and weights, and a writer whose time is the test's."""

    cloud: LocalCloud
    client: InsertClient
    table: bigquery.TableReference
    time: FakeClock = field(default_factory=FakeClock)

    def create_table(self) -> None:
        self.client.create_table(bigquery.Table(self.table, SCHEMA))

    def writer(self, client: InsertClient | None = None) -> TableWriter:
        return TableWriter(self.table, client or self.client, RETRY_SECONDS, self.time.clock())

    def write(self, rows: Sequence[InsertRow]) -> Written:
        return self.writer().write(rows)

    def fail(self, **fault: object) -> None:
        """Strikes the inserts into this table."""
        self.cloud.inject(path=f"/tables/{self.table.table_id}/insertAll", **fault)

    def ids(self) -> list[str]:
        sql = f"SELECT id FROM `{self.table}` ORDER BY id"
        return [row[0] for row in self.client.query(sql).result()]


@pytest.fixture
def world(cloud_env: LocalCloud, insert_client: InsertClient) -> Iterator[World]:
    dataset = bigquery.DatasetReference(PROJECT, f"d_{uuid.uuid4().hex[:12]}")
    insert_client.create_dataset(dataset)
    world = World(cloud_env, insert_client, dataset.table(f"t_{uuid.uuid4().hex[:12]}"))
    world.create_table()
    yield world
    cloud_env.heal()


def row(id_: str, weight: object = 1.5) -> InsertRow:
    return {"insertId": id_, "json": {"id": id_, "weight": weight}}


def large_row(id_: str, size: int) -> InsertRow:
    return {"insertId": id_, "json": {"id": id_ + "x" * size}}


def rows(count: int) -> list[InsertRow]:
    return [row(f"r{index:04}") for index in range(count)]


def names(written: Sequence[InsertRow]) -> list[str]:
    return sorted(one["json"]["id"] for one in written)


def test_rows_are_inserted_by_one_request(world: World) -> None:
    assert world.write(rows(500)) == Written(requests=1)
    assert world.ids() == names(rows(500))


def test_no_rows_are_no_request(world: World) -> None:
    assert world.write([]) == Written()


def test_rows_come_once_though_an_insert_id_comes_again(world: World) -> None:
    world.write([row("a"), row("a"), row("b")])
    world.write([row("b"), row("c")])
    assert world.ids() == ["a", "b", "c"]


def test_many_threads_share_a_writer(world: World) -> None:
    writer, sent = world.writer(), rows(400)
    with ThreadPoolExecutor(8) as threads:
        written = threads.map(
            writer.write, [sent[start : start + 20] for start in range(0, 400, 20)]
        )
        assert [one.errors for one in written] == [{}] * 20
    assert world.ids() == names(sent)


@pytest.mark.parametrize("code", [500, 503, 429])
def test_a_failure_that_passes_is_waited_for(world: World, code: int) -> None:
    world.fail(kind="error", code=code, times=4)
    written = world.write(rows(3))
    assert world.ids() == names(rows(3))
    assert (written.errors, written.requests, written.retries) == ({}, 5, 4)
    assert world.time.slept == [0.25, 0.5, 1, 2]


def test_a_connection_that_breaks_after_the_insert_doubles_no_row(world: World) -> None:
    world.fail(kind="reset", when="after", times=2)
    written = world.write(rows(20))
    assert world.ids() == names(rows(20))
    assert (written.errors, written.retries) == ({}, 2)


def test_the_wait_that_the_service_asks_for_is_kept(world: World) -> None:
    with poison_proxy(world.cloud.url) as proxy, pytest.MonkeyPatch.context() as patch:
        patch.setenv("BIGQUERY_EMULATOR_HOST", proxy.url)
        proxy.headers_of_503 = {"Retry-After": "20"}
        proxy.failures = 2
        world.writer(InsertClient(PROJECT)).write([row(POISONED)])
    assert world.time.slept == [20, 20]
    assert world.ids() == [POISONED]


def test_a_table_that_is_missing_is_asked_for_until_it_is_there(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.client.delete_table(world.table)
    world.time.on_sleep = lambda number: world.create_table() if number == 3 else None
    assert world.write(rows(2)).errors == {}
    assert world.ids() == names(rows(2))
    errors = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert len(errors) == 3
    assert all("create the dataset and the table" in record.getMessage() for record in errors)


def test_a_table_that_lacks_a_column_is_asked_for_until_it_has_it(world: World) -> None:
    def add_column(_: int) -> None:
        table = world.client.get_table(world.table)
        table.schema = [*SCHEMA, FIELD("new", "STRING")]
        world.client.update_table(table, ["schema"])

    world.time.on_sleep = add_column
    more = [{"insertId": one["insertId"], "json": {**one["json"], "new": "x"}} for one in rows(3)]
    assert world.write(more).errors == {}
    assert world.ids() == names(rows(3))


def test_a_table_that_stays_missing_takes_the_sink_down_and_no_row_is_given_up(
    world: World,
) -> None:
    world.client.delete_table(world.table)
    with pytest.raises(SinkDownError, match="Remedy: create the dataset and the table"):
        world.write(rows(100))
    assert sum(world.time.slept) <= RETRY_SECONDS
    assert len(world.time.slept) < 40


def test_a_sink_that_is_wholly_down_is_told_so_after_few_more_calls(world: World) -> None:
    world.fail(kind="error", code=503)
    writer = world.writer()
    with pytest.raises(SinkDownError, match="takes no rows"):
        writer.write(rows(500))
    assert RETRY_SECONDS - 30 < sum(world.time.slept) <= RETRY_SECONDS
    assert max(world.time.slept) == 30
    (fault,) = (
        one
        for one in world.cloud.call("GET", "/_local/faults")["faults"]
        if world.table.table_id in one["path"]
    )
    assert fault["injected"] == len(world.time.slept) + 1 + 2 + 4


def test_a_single_row_is_not_given_up_while_nothing_else_passes(world: World) -> None:
    world.fail(kind="error", code=503)
    with pytest.raises(SinkDownError):
        world.write(rows(1))


def test_an_error_of_another_kind_is_no_reason_to_wait(world: World) -> None:
    with pytest.raises(TypeError):
        world.write([{"insertId": "a", "json": {"id": object()}}])
    assert world.time.slept == []


def test_a_row_of_the_wrong_type_is_refused_and_the_others_are_inserted(world: World) -> None:
    sent = [*rows(9), row("bad", "heavy"), row("bad too", "light")]
    written = world.write(sent)
    assert world.ids() == names(rows(9))
    assert sorted(written.refused) == [9, 10]
    assert written.refused[9].location == "weight"
    assert "heavy" in written.refused[9].message
    assert (written.requests, world.time.slept) == (2, [])


def test_a_row_that_spoils_its_whole_request_is_found_by_halving(world: World) -> None:
    sent = rows(500)
    sent[123] = {"insertId": "spoilt", "json": None}
    written = world.write(sent)
    assert list(written.refused) == [123]
    assert world.ids() == names([one for index, one in enumerate(sent) if index != 123])
    assert written.requests <= 2 * 9 + 1
    assert world.time.slept == []


def test_single_400s_scattered_over_a_request_cost_few_calls_each(world: World) -> None:
    sent = rows(512)
    bad = {5, 6, 200, 511}
    for index in bad:
        sent[index] = {"insertId": "spoilt", "json": None}
    written = world.write(sent)
    assert set(written.refused) == bad
    assert len(world.ids()) == 508
    assert written.requests <= len(bad) * 2 * 9


def test_rows_too_large_for_one_request_go_in_several(world: World) -> None:
    sent = [large_row(f"{index:02}", 1024 * 1024) for index in range(20)]
    written = world.write(sent)
    assert written.errors == {}
    assert world.ids() == names(sent)
    assert 3 <= written.requests <= 8


def test_a_row_too_large_for_any_request_is_refused_unsent(world: World) -> None:
    sent = [row("a"), large_row("large", MAX_REQUEST_BYTES), row("b")]
    written = world.write(sent)
    assert world.ids() == ["a", "b"]
    assert written.refused[1].reason == "tooLarge"
    assert written.requests == 2


def test_more_rows_than_a_request_takes_go_in_several(world: World) -> None:
    assert world.write(rows(25_000)).requests == 3
    assert len(world.ids()) == 25_000


@pytest.mark.parametrize("poisoned", [[0], [499], [17, 18], [3, 250, 251]])
def test_a_row_that_fails_for_ever_is_given_up_and_blocks_no_other(
    world: World, poisoned: list[int]
) -> None:
    sent = rows(500)
    for index in poisoned:
        sent[index] = row(f"{POISONED} {index}")
    with poison_proxy(world.cloud.url) as proxy, pytest.MonkeyPatch.context() as patch:
        patch.setenv("BIGQUERY_EMULATOR_HOST", proxy.url)
        written = world.writer(InsertClient(PROJECT)).write(sent)
    assert sorted(written.failed) == poisoned
    assert written.refused == {}
    assert len(world.ids()) == 500 - len(poisoned)
    assert sum(world.time.slept) <= RETRY_SECONDS
    assert written.requests - written.retries <= len(poisoned) * 2 * 9 + 1


def test_a_lone_row_that_fails_for_ever_is_given_up_when_others_pass_meanwhile(
    world: World,
) -> None:
    with poison_proxy(world.cloud.url) as proxy, pytest.MonkeyPatch.context() as patch:
        patch.setenv("BIGQUERY_EMULATOR_HOST", proxy.url)
        writer = world.writer(InsertClient(PROJECT))
        world.time.on_sleep = lambda number: writer.write([row(f"other {number:02}")]) and None
        written = writer.write([row(POISONED)])
    assert list(written.failed) == [0]
    assert "503" in written.failed[0].message
    assert world.ids() == [f"other {number + 1:02}" for number in range(len(world.time.slept))]


def test_a_table_that_died_after_the_first_try_does_not_blame_the_rows(world: World) -> None:
    writer = world.writer()
    world.fail(kind="error", code=503)
    other = row("other")

    def one_more_passes(number: int) -> None:
        if number == 1:
            world.cloud.heal()
            writer.write([other])
            world.fail(kind="error", code=503)

    world.time.on_sleep = one_more_passes
    with pytest.raises(SinkDownError):
        writer.write(rows(4))
    assert world.ids() == ["other"]


def test_rows_pass_through_a_table_that_fails_half_of_the_calls(world: World) -> None:
    world.fail(kind="error", code=503, share=0.5, seed=7)
    for begin, end in pairwise(range(0, 401, 20)):
        assert world.write(rows(400)[begin:end]).errors == {}
    assert world.ids() == names(rows(400))
