from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.endpoint_server import EndpointServer, endpoint_server


@pytest.fixture
def server() -> Iterator[EndpointServer]:
    with endpoint_server(EndpointServer()) as running:
        yield running
