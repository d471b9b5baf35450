"""A whole stack for tests: on free ports, with its state in a temporary folder."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
import yaml

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
    settings = StackSettings.from_environment(environ)
    # Half of what Airflow costs at rest is reading the DAGs again: see `declarations_changed`.
    return Stack(replace(settings, dags=_dags_in(home, settings), parse_seconds=300))


def declarations_changed(stack: Stack) -> None:
    """Makes Airflow read the DAG files again at once."""
    for file in stack.settings.dags.glob("*.py"):
        file.touch()


def _dags_in(home: Path, settings: StackSettings) -> Path:
    """A DAGs folder of the stack's own, where services may come and go, and where rounds of
    streaming jobs follow one another at once."""
    dags = home / "dags"
    if not dags.exists():
        shutil.copytree(settings.dags, dags, ignore=shutil.ignore_patterns("__pycache__"))
        local = dags / "environments" / "local.yaml"
        declared = yaml.safe_load(local.read_text())
        declared["airflow"]["reconcile_seconds"] = 5
        local.write_text(yaml.safe_dump(declared, sort_keys=False))
    return dags


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
