"""Services of their own on the session's stack; each is gone after its test."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from local.stack import Stack
from tests.support.lifecycle.service import DeclaredService

NewService = Callable[[str], DeclaredService]


@pytest.fixture
def new_service(stack: Stack) -> Iterator[NewService]:
    """Makes a service of that name, which must be new to the stack."""
    made: list[DeclaredService] = []

    def new(name: str) -> DeclaredService:
        made.append(DeclaredService(stack, name))
        return made[-1]

    yield new
    for service in made:
        service.retire()
