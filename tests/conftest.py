"""Fixtures that every room may use."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.support.local_cloud import ROOT, WORKER_IMAGE, LocalCloud, ObservedCloud
from tests.support.pubsub_emulator import pubsub as pubsub
from tests.support.stack import stack as stack

_TOGETHER = ("faults", "beam_jobs/streaming", "plugins/nightstream/streaming")
"""Folders whose files share what takes long to start."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where several processes run the tests, each runs whole files, and one of them the stack.

    Tests on the stack come last: once it is up, it takes a share of every other test's time.
    """
    items.sort(key=lambda item: item.get_closest_marker("stack") is not None)
    for item in items:
        item.add_marker(pytest.mark.xdist_group(_group(item)))


def _group(item: pytest.Item) -> str:
    if item.get_closest_marker("stack"):
        return "stack"
    path = item.path.relative_to(Path(__file__).parent)
    return next((name for name in _TOGETHER if path.is_relative_to(name)), path.as_posix())


@pytest.fixture(scope="session")
def local_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObservedCloud]:
    """The whole local cloud, shared by all tests; ask for `fresh_cloud` to kill or break one."""
    image = ("--image", f"{WORKER_IMAGE}={sys.executable}:{ROOT}")
    cloud = ObservedCloud(tmp_path_factory.mktemp("local_cloud") / "data", image).start()
    yield cloud
    cloud.end()


@pytest.fixture
def cloud_env(
    local_cloud: ObservedCloud, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ObservedCloud]:
    """The shared local cloud, with this process's Google clients pointed at it.

    A test during which an answer did not fit Google's description of its APIs fails.
    """
    local_cloud.point_clients_here(monkeypatch)
    yield local_cloud
    local_cloud.verify()


@pytest.fixture
def fresh_cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalCloud]:
    """A local cloud of this test's own, with the clients pointed at it."""
    cloud = ObservedCloud(tmp_path / "cloud").start()
    cloud.point_clients_here(monkeypatch)
    yield cloud
    cloud.end()


@pytest.fixture
def bucket(cloud_env: LocalCloud) -> str:
    """The name of a new, empty bucket in the shared local cloud."""
    name = f"bucket-{uuid.uuid4().hex[:12]}"
    cloud_env.call("POST", "/storage/v1/b", {"name": name})
    return name
