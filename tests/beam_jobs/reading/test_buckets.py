"""Files in a bucket are read as files on disk are."""

from __future__ import annotations

import uuid

import pytest
from google.cloud import storage

from beam_jobs.objects import ObjectChangedError, open_objects
from beam_jobs.reading import inspect, read
from beam_jobs.runs.plan import InputObject
from tests.support.input_files import input_spec
from tests.support.local_cloud import LocalCloud

SPEC = input_spec([{"name": "key", "type": "string"}, {"name": "n", "type": "integer"}])


@pytest.fixture
def uri(cloud_env: LocalCloud) -> str:
    assert cloud_env.url
    bucket = storage.Client().create_bucket(f"reading-{uuid.uuid4().hex[:12]}")
    return f"gs://{bucket.name}/night/a.csv"


def upload(uri: str, rows: int) -> InputObject:
    data = b"key,n\n" + b"".join(b"key %d,%d\n" % (i, i) for i in range(rows))
    generation = open_objects(uri).put(uri, data)
    return InputObject(uri=uri, generation=generation, size=len(data))


def test_ranges_of_an_object_share_its_rows_out(uri: str) -> None:
    objects = open_objects(uri)
    layout = inspect(SPEC, upload(uri, 20_000), objects)
    ranges = layout.ranges(100_000)
    assert len(ranges) > 2
    blocks = [block for range_ in ranges for block in read(SPEC, layout, range_, objects)]
    numbers = [n for block in blocks for n in block.rows.batch.column("n").to_pylist()]
    assert numbers == list(range(20_000))
    assert sum(block.rows_in for block in blocks) == 20_000


def test_an_object_overwritten_between_two_ranges_fails_the_run(uri: str) -> None:
    objects = open_objects(uri)
    layout = inspect(SPEC, upload(uri, 20_000), objects)
    first, second, *_ = layout.ranges(100_000)
    assert sum(block.rows_in for block in read(SPEC, layout, first, objects)) > 0
    upload(uri, 20_001)
    with pytest.raises(ObjectChangedError, match=r"night/a\.csv changed"):
        list(read(SPEC, layout, second, objects))
