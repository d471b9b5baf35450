"""A Pub/Sub that starts anew.

The emulator forgets topics, subscriptions and messages then: what nobody has taken is lost with it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.conftest import StartCloud
from tests.support.live_load import a_sound_request, publish_together
from tests.support.live_service import RUNNING, LiveService
from tests.support.moody_service import start_moody_service
from tests.support.pubsub_emulator import PubsubEmulator


@pytest.fixture
def own_pubsub(tmp_path: Path) -> Iterator[PubsubEmulator]:
    emulator = PubsubEmulator(tmp_path / "emulator.log").start()
    yield emulator
    emulator.kill()


def test_the_job_keeps_what_it_took_and_goes_on_once_its_topics_are_there_again(
    start_cloud: StartCloud, own_pubsub: PubsubEmulator
) -> None:
    cloud = start_cloud(pubsub=own_pubsub)
    service = start_moody_service(
        cloud, own_pubsub, "restarted", response_topic="restarted-answers"
    )
    workers = {process.pid for process in service.processes()}
    earlier = _publish(service, "earlier")
    service.account_for(earlier)
    service.cloud.inject(kind="latency", path="/insertAll", seconds=2)
    caught = publish_together(service, "caught", range(20, 45))
    while not service.cloud.injections():
        time.sleep(0.05)
    own_pubsub.restart()
    service.cloud.heal()
    service.create_topics()
    later = _publish(service, "later")
    assert not service.account_for([*earlier, *caught, *later]).dead
    assert service.state() == RUNNING
    assert {process.pid for process in service.processes()} == workers
    service.cancel()


def _publish(service: LiveService, prefix: str) -> list[str]:
    names = [f"{prefix}-{n}" for n in range(200)]
    payloads = [a_sound_request(n) for n in range(200)]
    service.publish(payloads, [{"request_id": name} for name in names])
    return names
