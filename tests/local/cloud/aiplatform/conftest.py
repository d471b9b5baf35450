"""One local cloud for all tests of Vertex AI, and the SDK pointed at it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.vertex_cloud import VertexCloud


@pytest.fixture(scope="session")
def vertex_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VertexCloud]:
    cloud = VertexCloud.started(tmp_path_factory.mktemp("vertex"))
    yield cloud
    cloud.server.end()


@pytest.fixture
def vertex(vertex_cloud: VertexCloud) -> Iterator[VertexCloud]:
    """A test during which an answer did not fit Google's description of its API fails."""
    vertex_cloud.point_sdk_here()
    yield vertex_cloud
    vertex_cloud.server.heal()
    vertex_cloud.server.verify()
