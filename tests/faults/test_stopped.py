"""Drain and cancel while requests come in, with messages acknowledged as Dataflow does."""

from __future__ import annotations

import time

from tests.support.live_load import Load, a_sound_request
from tests.support.live_service import LiveService
from tests.support.patience import PATIENCE_S


def test_what_a_cancelled_job_had_begun_comes_again(live: LiveService) -> None:
    with Load(live, "cancelled") as load:
        live.wait_for_request(load.await_next())
        live.hold_up_a_bundle()
        live.cancel()
        live.cloud.heal()
    recorded = live.outcome().of(load.ids)
    assert recorded.scored.total() < len(load.ids)
    live.start()
    assert not live.account_for(load.ids).dead


def test_a_drained_job_leaves_each_request_recorded_or_on_the_subscription(
    live: LiveService,
) -> None:
    with Load(live, "drained", payload=_sometimes_broken) as load:
        live.wait_for_request(load.await_next())
        live.drain()
        load.await_next()
    recorded = live.outcome().of(load.ids)
    left = _take_all(live, len(load.ids) - recorded.scored.total() - len(recorded.dead))
    assert left
    assert recorded.scored
    assert recorded.dead
    assert recorded.exactly(set(load.ids) - set(left))
    assert sorted([*recorded.scored, *recorded.dead, *left]) == sorted(load.ids)


def _sometimes_broken(number: int) -> bytes:
    return b"{}" if number % 10 == 0 else a_sound_request(number)


def _take_all(service: LiveService, count: int) -> list[str]:
    """Names of the requests on the subscription, once so many were there; and of any others."""
    subscriber, subscription = service.pubsub.subscriber(), service.paths.subscription
    names: list[str] = []
    deadline = time.monotonic() + PATIENCE_S
    quiet = 0
    while quiet < 3:
        pulled = subscriber.pull(
            subscription=subscription, max_messages=1_000, return_immediately=True
        ).received_messages
        names += [received.message.attributes["request_id"] for received in pulled]
        if pulled:
            acks = [received.ack_id for received in pulled]
            subscriber.acknowledge(subscription=subscription, ack_ids=acks)
        else:
            quiet += len(names) >= count
            assert time.monotonic() < deadline, f"{len(names)} of {count} are there"
            time.sleep(0.2)
    return names
