"""Real storage clients against the real server."""

from __future__ import annotations

import pytest
from google.cloud import storage

import tests.support.airflow  # noqa: F401 - its environment, before anything imports Airflow
from tests.support.local_cloud import LocalCloud


@pytest.fixture
def client(cloud_env: LocalCloud) -> storage.Client:
    """Finds its project and credentials by itself, as in production."""
    return storage.Client(cloud_env.env["GOOGLE_CLOUD_PROJECT"])


@pytest.fixture
def objects(client: storage.Client, bucket: str) -> storage.Bucket:
    """A new, empty bucket through google-cloud-storage."""
    return client.bucket(bucket)
