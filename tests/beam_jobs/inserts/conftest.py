from __future__ import annotations

import pytest

from beam_jobs.inserts.client import InsertClient
from tests.support.local_cloud import PROJECT, LocalCloud


@pytest.fixture
def insert_client(cloud_env: LocalCloud) -> InsertClient:
    assert cloud_env.port
    return InsertClient(PROJECT)
