"""Whole nights on the whole stack: the real scheduler, real jobs, real tables."""

from __future__ import annotations

import pytest

from local.stack import Stack
from tests.support.stack import stack as stack
from tests.support.stack_nights import StackNights


@pytest.fixture(scope="package")
def nights(stack: Stack) -> StackNights:
    """The example service on the stack, switched on, with two model versions."""
    return StackNights.on(stack)
