"""Streaming jobs as they are launched in production, one in bundles and one message by message."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.support.live_service import LiveService
from tests.support.local_cloud import ROOT, WORKER_IMAGE, LocalCloud
from tests.support.messages import CSV, FIELDS
from tests.support.models import release
from tests.support.pubsub_emulator import PubsubEmulator
from tests.support.specs import a_service


class Jobs(NamedTuple):
    """Two running jobs."""

    bundled: LiveService
    """JSON with a request id by attribute; answers; bundles of any size; refreshes its model."""
    single: LiveService
    """CSV with a request id by field; every bundle holds a single message, a batch 500 rows."""


@pytest.fixture(scope="module")
def jobs(tmp_path_factory: pytest.TempPathFactory, pubsub: PubsubEmulator) -> Iterator[Jobs]:
    folder = tmp_path_factory.mktemp("streaming")
    clouds = [_cloud(folder / "bundled", pubsub), _cloud(folder / "single", pubsub, bundle=1)]
    try:
        services = [
            _service(
                clouds[0],
                pubsub,
                "bundled",
                request_id={"attribute": "rid"},
                response_topic="bundled-out",
                lifecycle={"upgrade": {"model": "refresh"}},
            ),
            _service(
                clouds[1],
                pubsub,
                "single",
                payload=CSV,
                request_id={"field": "id"},
                batch={"rows": 500},
            ),
        ]
        with ThreadPoolExecutor() as threads:
            list(threads.map(LiveService.start, services))
        yield Jobs(*services)
    finally:
        for cloud in clouds:
            cloud.end()


def _cloud(data: Path, pubsub: PubsubEmulator, bundle: int = 1_000) -> LocalCloud:
    image = ("--image", f"{WORKER_IMAGE}={sys.executable}:{ROOT}")
    how = ("--pubsub", pubsub.host, "--streaming-bundle", str(bundle))
    return LocalCloud(data, [*image, *how]).start()


def _service(cloud: LocalCloud, pubsub: PubsubEmulator, name: str, **streaming: Any) -> LiveService:
    declared = {"topic": f"{name}-in", "subscription": f"{name}-sub", **streaming}
    spec = a_service(name, input={"fields": FIELDS}, streaming=declared)
    service = LiveService(cloud, pubsub, spec, WORKER_IMAGE)
    service.create_places()
    release(service.models, "v1", service.objects)
    service.prepare()
    return service
