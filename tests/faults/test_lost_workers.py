"""Workers, and a whole cloud, that end in the middle of their work."""

from __future__ import annotations

import pytest

from tests.faults.conftest import StartCloud
from tests.support.live_load import Load, publish_together
from tests.support.live_service import RUNNING, LiveService
from tests.support.models import HANGING_WEEKS
from tests.support.moody_service import start_moody_service
from tests.support.pubsub_emulator import PubsubEmulator


@pytest.fixture(scope="module")
def service(start_cloud: StartCloud, pubsub: PubsubEmulator) -> LiveService:
    """Messages of a lost worker come again soon: the emulator allows less than Pub/Sub does."""
    return start_moody_service(
        start_cloud(),
        pubsub,
        "lost_workers",
        ack_deadline_seconds=3,
        model_timeout_seconds=2,
        max_attempts=2,
    )


@pytest.mark.parametrize(
    ("job_kills", "cloud_kills"),
    [(3, 1), pytest.param(20, 5, marks=[pytest.mark.long, pytest.mark.timeout(1_800)])],
)
def test_every_request_is_recorded_once_whatever_is_killed(
    service: LiveService, job_kills: int, cloud_kills: int
) -> None:
    with Load(service, f"killed-{job_kills}", rate=200) as load:
        for round_ in range(job_kills):
            service.wait_for_request(load.await_next())
            if round_ % 2 == 0:  # the other rounds strike wherever the job is
                service.hold_up_a_bundle()
            service.kill()
            service.cloud.heal()
        for _ in range(cloud_kills):
            service.wait_for_request(load.await_next())
            service.cloud.kill()
            service.cloud.start()
        service.wait_for_request(load.await_next())
    assert not service.account_for(load.ids).dead
    assert service.state() == RUNNING


@pytest.mark.long
def test_a_request_that_hangs_the_model_is_dead_after_its_attempts_and_no_other(
    service: LiveService,
) -> None:
    workers = {process.pid for process in service.processes()}
    names = publish_together(service, "hanging", [*range(20, 40), HANGING_WEEKS, *range(20, 49)])
    found = service.account_for(names, seconds=180)
    assert found.dead == {"hanging-20": "prediction_timeout"}
    assert service.state() == RUNNING
    assert workers.isdisjoint(process.pid for process in service.processes())
