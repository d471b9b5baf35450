"""A local cloud that has sampled something before the test begins."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local.cloud.monitoring.store import PointStore
from tests.support.local_cloud import LocalCloud, ObservedCloud
from tests.support.monitoring import Monitoring


@pytest.fixture
def filled(tmp_path: Path) -> Iterator[Callable[..., Monitoring]]:
    """Starts a local cloud that has sampled already: its options, after a call for its store."""
    clouds: list[LocalCloud] = []

    def start(fill: Callable[[PointStore], None], *arguments: str) -> Monitoring:
        data = tmp_path / f"cloud-{len(clouds)}"
        store = PointStore(data / "monitoring" / "points.sqlite")
        fill(store)
        store.close()
        clouds.append(ObservedCloud(data, arguments).start())
        return Monitoring(clouds[-1])

    yield start
    for cloud in clouds:
        cloud.end()
