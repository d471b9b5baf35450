"""A whole stack for tests: on free ports, with its state in a temporary folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from local.stack import Stack, StackSettings
from local.stack.ports import free_port
from local.stack.processes import await_end, marked


def stack_in(home: Path) -> Stack:
    """A stack of a test's own; it is not up yet."""
    environ = {
        "NIGHTSTREAM_HOME": str(home),
        "NIGHTSTREAM_AIRFLOW_PORT": str(free_port()),
        "NIGHTSTREAM_CLOUD_PORT": str(free_port()),
        "NIGHTSTREAM_PUBSUB_PORT": str(free_port()),
    }
    return Stack(StackSettings.from_environment(environ))


def kill(stack: Stack, name: str) -> int:
    """End a component as a crash would (kill -9), and wait until it is gone; its pid."""
    process = psutil.Process(stack.pid(name))
    process.kill()
    await_end([process], patience=10)
    return process.pid


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The stack of the package's tests: Airflow starts once, with the first that asks for it (mark
    such tests `stack`). A test that kills a component brings it up again."""
    shared = stack_in(tmp_path_factory.mktemp("stack") / "home")
    try:
        shared.up()
        yield shared
    finally:
        shared.down()
    assert marked(shared.settings.home) == []
