"""Fixtures that every room may use."""

from __future__ import annotations

import gc
import sys
import uuid
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.support.local_cloud import ROOT, WORKER_IMAGE, LocalCloud, ObservedCloud
from tests.support.pubsub_emulator import pubsub as pubsub

_IMAGE = ("--image", f"{WORKER_IMAGE}={sys.executable}:{ROOT}")


def pytest_configure() -> None:
    """A property holds or it does not: how long an example takes is the machine's affair."""
    settings.register_profile(
        "at any pace", deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
    settings.load_profile("at any pace")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is imported now is there to the end: the garbage collector need not look at it."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


def pytest_unconfigure() -> None:
    """So that what libraries say about what is left at the end is true."""
    gc.unfreeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests on the stack come first: nothing takes longer, and one process does all of them. The
    longest histories have an hour each."""
    items.sort(key=lambda item: item.get_closest_marker("stack") is None)
    for item in items:
        if item.get_closest_marker("long") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(3_600))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    from tests.support.processes_of_tests import ByFile

    return ByFile(config, log)


@pytest.fixture(scope="session")
def local_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObservedCloud]:
    """The whole local cloud, shared by all tests; ask for `fresh_cloud` to kill or break one."""
    cloud = ObservedCloud(tmp_path_factory.mktemp("local_cloud") / "data", _IMAGE).start()
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
    cloud = ObservedCloud(tmp_path / "cloud", _IMAGE).start()
    cloud.point_clients_here(monkeypatch)
    yield cloud
    cloud.end()


@pytest.fixture
def bucket(cloud_env: LocalCloud) -> str:
    """The name of a new, empty bucket in the shared local cloud."""
    name = f"bucket-{uuid.uuid4().hex[:12]}"
    cloud_env.call("POST", "/storage/v1/b", {"name": name})
    return name
