"""Local clouds for streaming jobs, and a service that most tests share."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

import pytest

from tests.support.live_service import RUNNING, LiveService
from tests.support.local_cloud import ROOT, WORKER_IMAGE, LocalCloud
from tests.support.moody_service import start_moody_service
from tests.support.pubsub_emulator import PubsubEmulator

StartCloud = Callable[..., LocalCloud]


@pytest.fixture(scope="package")
def start_cloud(
    tmp_path_factory: pytest.TempPathFactory, pubsub: PubsubEmulator
) -> Iterator[StartCloud]:
    """Starts a local cloud with those arguments, on the shared emulator unless told."""
    started: list[LocalCloud] = []

    def start(*arguments: str, pubsub: PubsubEmulator = pubsub) -> LocalCloud:
        image = f"{WORKER_IMAGE}={sys.executable}:{ROOT}"
        data = tmp_path_factory.mktemp("faults") / "data"
        started.append(LocalCloud(data, ("--image", image, "--pubsub", pubsub.host, *arguments)))
        return started[-1].start()

    yield start
    for cloud in started:
        cloud.end()


@pytest.fixture(scope="package")
def shared(start_cloud: StartCloud, pubsub: PubsubEmulator) -> LiveService:
    """A service whose job acknowledges messages when Dataflow does."""
    cloud = start_cloud("--streaming-ack=first-stage")
    return start_moody_service(cloud, pubsub, "shared", response_topic="shared-answers")


@pytest.fixture
def live(shared: LiveService) -> Iterator[LiveService]:
    """The shared service with its job running; all faults of its cloud are disarmed afterwards."""
    if shared.state() != RUNNING:
        shared.start()
    yield shared
    shared.cloud.heal()
