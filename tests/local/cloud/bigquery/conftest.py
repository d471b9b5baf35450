"""A BigQuery client on the shared local cloud, a dataset of its own, and files in a bucket."""

from __future__ import annotations

import io
import uuid
from collections.abc import Callable

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery, storage

from tests.support.local_cloud import PROJECT, LocalCloud

Put = Callable[..., str]


def new_client(project: str = PROJECT) -> bigquery.Client:
    return bigquery.Client(project, credentials=AnonymousCredentials())


def put_in(bucket_name: str) -> Put:
    """Puts an Arrow table (as Parquet), bytes or text into a bucket; answers the URI."""
    bucket = storage.Client(PROJECT, credentials=AnonymousCredentials()).bucket(bucket_name)

    def put(content: pa.Table | bytes | str, name: str = "") -> str:
        if isinstance(content, pa.Table):
            buffer = io.BytesIO()
            pq.write_table(content, buffer)
            content = buffer.getvalue()
        name = name or uuid.uuid4().hex
        bucket.blob(name).upload_from_string(content)
        return f"gs://{bucket_name}/{name}"

    return put


@pytest.fixture
def client(cloud_env: LocalCloud) -> bigquery.Client:
    return new_client(cloud_env.env["GOOGLE_CLOUD_PROJECT"])


@pytest.fixture
def dataset(client: bigquery.Client) -> str:
    """The id of a new, empty dataset in US."""
    name = f"d_{uuid.uuid4().hex[:12]}"
    client.create_dataset(name)
    return name


@pytest.fixture
def put(bucket: str) -> Put:
    return put_in(bucket)
