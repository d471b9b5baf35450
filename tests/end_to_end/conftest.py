"""Whole nights on the whole stack: the real scheduler, real jobs, real tables."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local.stack import Stack
from local.stack.processes import marked
from tests.support.stack import stack_in
from tests.support.stack_nights import StackNights


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The stack of these tests: Airflow starts once, with the first that asks for it (mark such
    tests `stack`). A test that kills a component brings it up again."""
    shared = stack_in(tmp_path_factory.mktemp("stack") / "home")
    try:
        shared.up()
        yield shared
    finally:
        shared.down()
    assert marked(shared.settings.home) == []


@pytest.fixture(scope="package")
def nights(stack: Stack) -> StackNights:
    """The example service on the stack, switched on, with two model versions."""
    return StackNights.on(stack)
