"""What is seen of a job that really runs."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from googleapiclient.errors import HttpError

from nightstream.hooks.dataflow import DataflowHook
from nightstream.lifecycle.readings import Reading
from nightstream.lifecycle.revisions import Workers
from nightstream.lifecycle.snapshot import Snapshot
from nightstream.streaming.observing import observe
from nightstream.streaming.rounds import Observed, from_json, to_json
from tests.support.dataflow_cloud import eventually
from tests.support.live_service import LiveService
from tests.support.local_cloud import ObservedCloud
from tests.support.moody_service import start_moody_service
from tests.support.pubsub_emulator import PubsubEmulator


@pytest.fixture(scope="module")
def live(watched_cloud: ObservedCloud, pubsub: PubsubEmulator) -> Iterator[LiveService]:
    watched_cloud.heal()
    service = start_moody_service(watched_cloud, pubsub, "observed")
    yield service
    service.cancel()


@pytest.fixture(autouse=True)
def clients(
    watched_cloud: ObservedCloud, pubsub: PubsubEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched_cloud.point_clients_here(monkeypatch)
    for name, value in pubsub.env.items():
        monkeypatch.setenv(name, value)


def look(live: LiveService) -> Snapshot:
    return observe(live.spec, live.environment).snapshot


def reading(live: LiveService) -> Reading:
    return look(live).readings[live.job_id]


def test_requests_dead_letters_and_times_are_read(live: LiveService) -> None:
    began = time.time()
    live.publish([b'{"id": "a", "weeks": 30}'] * 20 + [b"no json"] * 5)
    live.wait_for_requests(25)

    counted = eventually(lambda: (now := reading(live)).requests == 25 and now)

    assert (counted.scored, counted.dead, counted.errors) == (20, 5, 0)
    assert counted.last_event_at is not None
    assert abs(counted.last_event_at.timestamp() - began) < 60
    caught_up = eventually(lambda: (now := reading(live)).backlog == 0 and now)
    assert caught_up.oldest_unacked_seconds == 0
    timed = eventually(lambda: (now := reading(live)).watermark_age_seconds is not None and now)
    assert 0 <= timed.watermark_age_seconds < 60


def test_the_revision_that_runs_is_the_one_that_is_declared(live: LiveService) -> None:
    seen = look(live)

    [job] = seen.jobs
    assert seen.wanted is not None
    assert (job.id, job.running) == (live.job_id, True)
    assert job.revision == seen.wanted.id
    assert job.workers == seen.wanted.workers
    observed = observe(live.spec, live.environment)
    assert from_json(Observed, to_json(observed)) == observed


def test_workers_that_were_changed_in_flight_are_seen(live: LiveService) -> None:
    def workers() -> Workers:
        return look(live).jobs[-1].workers

    before = workers()
    DataflowHook(live.environment).tune(live.job_id, 2, 3)
    assert workers() == Workers(least=2, most=3)
    DataflowHook(live.environment).tune(live.job_id, before.least, before.most)
    assert workers() == before


def test_a_job_is_reached_from_another_region(live: LiveService) -> None:
    other = DataflowHook(live.environment, "europe-west1")
    assert other.describe(live.job_id) is None

    other.tune(live.job_id, 1, 2)

    assert look(live).jobs[-1].workers == Workers(least=1, most=2)
    with pytest.raises(HttpError, match="404"):
        other.cancel("2020-01-01_00_00_00-1")
