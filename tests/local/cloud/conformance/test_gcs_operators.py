"""The google provider's storage operators, sensors and transfers, as its example DAGs use them."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.google.cloud.hooks.gcs import GCSHook
from airflow.providers.google.cloud.operators.gcs import (
    GCSBucketCreateAclEntryOperator,
    GCSCreateBucketOperator,
    GCSDeleteBucketOperator,
    GCSDeleteObjectsOperator,
    GCSFileTransformOperator,
    GCSListObjectsOperator,
    GCSSynchronizeBucketsOperator,
    GCSTimeSpanFileTransformOperator,
)
from airflow.providers.google.cloud.sensors.gcs import (
    GCSObjectExistenceSensor,
    GCSObjectsWithPrefixExistenceSensor,
    GCSObjectUpdateSensor,
    GCSUploadSessionCompleteSensor,
)
from airflow.providers.google.cloud.transfers.gcs_to_gcs import GCSToGCSOperator
from airflow.providers.google.cloud.transfers.gcs_to_local import GCSToLocalFilesystemOperator
from airflow.providers.google.cloud.transfers.local_to_gcs import LocalFilesystemToGCSOperator
from google.api_core.exceptions import GoogleAPICallError

from tests.support.airflow_tasks import TaskRun, run
from tests.support.local_cloud import PROJECT

UPPER = "import sys; open(sys.argv[2], 'w').write(open(sys.argv[1]).read().upper())"
UPPER_ALL = """
import pathlib, sys
for file in pathlib.Path(sys.argv[1]).rglob('*.txt'):
    (pathlib.Path(sys.argv[2]) / file.name).write_text(file.read_text().upper())
"""


@pytest.fixture
def put(bucket: str) -> Callable[..., None]:
    """Writes objects, each with its own name as content."""

    def write(*names: str, into: str = bucket) -> None:
        for name in names:
            GCSHook().upload(into, name, data=name)

    return write


@pytest.fixture
def other(bucket: str) -> str:
    """A second bucket, made as a DAG makes one."""
    name = f"{bucket}-other"
    run(GCSCreateBucketOperator(task_id="t", bucket_name=name, project_id=PROJECT))
    return name


def names(bucket: str, **how: Any) -> list[str]:
    return sorted(run(GCSListObjectsOperator(task_id="t", bucket=bucket, **how)))


def test_a_bucket_is_made_once_and_deleted_with_what_is_in_it(
    bucket: str, put: Callable[..., None]
) -> None:
    name = f"{bucket}-made"
    make = {"task_id": "t", "bucket_name": name, "project_id": PROJECT, "location": "US-CENTRAL1"}
    run(GCSCreateBucketOperator(**make, storage_class="STANDARD", labels={"a": "b"}))
    run(GCSCreateBucketOperator(**make))
    made = GCSHook().get_bucket(name)
    made.reload()
    assert (made.location, made.storage_class) == ("US-CENTRAL1", "STANDARD")
    assert made.labels.keys() == {"a", "airflow-version"}
    put("x", into=name)
    run(GCSDeleteBucketOperator(task_id="t", bucket_name=name, force=True))
    assert not GCSHook().get_bucket(name).exists()


def test_files_go_up_and_come_down(bucket: str, tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text(name)
    up = LocalFilesystemToGCSOperator(
        task_id="t", src=str(tmp_path / "*.csv"), dst="in/", bucket=bucket, gzip=False
    )
    run(up)
    assert names(bucket) == ["in/a.csv", "in/b.csv"]
    down = tmp_path / "down"
    fetch = {"task_id": "t", "bucket": bucket, "object_name": "in/a.csv"}
    run(GCSToLocalFilesystemOperator(**fetch, filename=str(down)))
    assert down.read_text() == "a.csv"
    task = TaskRun(GCSToLocalFilesystemOperator(**fetch, store_to_xcom_key="text"))
    task.finish()
    assert task.xcoms["text"] == "a.csv"


def test_objects_are_listed_by_prefix_and_glob_and_deleted(
    bucket: str, put: Callable[..., None]
) -> None:
    put("in/a.csv", "in/b.txt", "in/deep/c.csv", "out/d.csv")
    assert names(bucket, prefix="in/") == ["in/a.csv", "in/b.txt", "in/deep/c.csv"]
    assert names(bucket, match_glob="in/**/*.csv") == ["in/a.csv", "in/deep/c.csv"]
    run(GCSDeleteObjectsOperator(task_id="t", bucket_name=bucket, objects=["in/a.csv"]))
    run(GCSDeleteObjectsOperator(task_id="t", bucket_name=bucket, prefix="in/deep/"))
    assert names(bucket) == ["in/b.txt", "out/d.csv"]


def test_objects_are_copied_and_moved_between_buckets(
    bucket: str, other: str, put: Callable[..., None]
) -> None:
    put("one", "sub/a", "sub/b", "data/x.txt", "data/y.bin")
    ends = {"task_id": "t", "source_bucket": bucket, "destination_bucket": other}
    run(GCSToGCSOperator(**ends, source_object="one", destination_object="1", exact_match=True))
    run(GCSToGCSOperator(**ends, source_object="sub/", destination_object="backup/"))
    run(GCSToGCSOperator(**ends, source_object="data/", match_glob="**/*.txt"))
    assert names(other) == ["1", "backup/a", "backup/b", "data/x.txt"]
    run(
        GCSToGCSOperator(
            **ends,
            source_objects=["sub/a", "sub/b"],
            destination_object="moved/",
            move_object=True,
        )
    )
    assert names(bucket) == ["data/x.txt", "data/y.bin", "one"]
    assert names(other, prefix="moved/") == ["moved/a", "moved/b"]


def test_buckets_are_synchronized(bucket: str, other: str, put: Callable[..., None]) -> None:
    put("same", "new", "changed")
    put("same", "extra", into=other)
    GCSHook().upload(other, "changed", data="old")
    ends = {"task_id": "t", "source_bucket": bucket, "destination_bucket": other}
    run(GCSSynchronizeBucketsOperator(**ends))
    assert names(other) == ["changed", "extra", "new", "same"]
    assert GCSHook().download(other, "changed") == b"old"
    run(GCSSynchronizeBucketsOperator(**ends, allow_overwrite=True, delete_extra_files=True))
    assert names(other) == ["changed", "new", "same"]
    assert GCSHook().download(other, "changed") == b"changed"


def test_an_object_is_transformed_by_a_script(
    bucket: str, put: Callable[..., None], tmp_path: Path
) -> None:
    put("in/word.txt")
    script = tmp_path / "upper.py"
    script.write_text(UPPER)
    run(
        GCSFileTransformOperator(
            task_id="t",
            source_bucket=bucket,
            source_object="in/word.txt",
            destination_object="out.txt",
            transform_script=[sys.executable, str(script)],
        )
    )
    assert GCSHook().download(bucket, "out.txt") == b"IN/WORD.TXT"


def test_objects_of_a_time_span_are_transformed_by_a_script(
    bucket: str, put: Callable[..., None], tmp_path: Path
) -> None:
    put("in/word.txt")
    script = tmp_path / "upper.py"
    script.write_text(UPPER_ALL)

    def transformed_since(start: datetime) -> list[str]:
        transform = GCSTimeSpanFileTransformOperator(
            task_id="t",
            source_bucket=bucket,
            source_prefix="in/",
            source_gcp_conn_id="google_cloud_default",
            destination_bucket=bucket,
            destination_prefix="out/",
            destination_gcp_conn_id="google_cloud_default",
            transform_script=[sys.executable, str(script)],
        )
        return TaskRun(transform, start).finish()

    now = datetime.now(UTC)
    assert transformed_since(now - timedelta(days=2)) == []
    assert transformed_since(now - timedelta(hours=1)) == ["out/word.txt"]
    assert GCSHook().download(bucket, "out/word.txt") == b"IN/WORD.TXT"


@pytest.mark.parametrize("deferrable", [False, True])
def test_sensors_see_an_object_that_comes_later(
    bucket: str, put: Callable[..., None], deferrable: bool
) -> None:
    how = {"task_id": "t", "bucket": bucket, "poke_interval": 0.2, "deferrable": deferrable}
    later = threading.Timer(0.5, put, ["in/late.csv"])
    later.start()
    waiting = TaskRun(GCSObjectExistenceSensor(**how, object="in/late.csv"))
    assert waiting.finish() is True
    later.join()
    assert waiting.deferred == (["GCSBlobTrigger"] if deferrable else [])
    assert run(GCSObjectExistenceSensor(**how, object="in/*.csv", use_glob=True))
    assert run(GCSObjectsWithPrefixExistenceSensor(**how, prefix="in/")) == ["in/late.csv"]
    run(GCSObjectUpdateSensor(**how, object="in/late.csv"))


def test_a_deferred_sensor_sees_objects_of_a_prefix(bucket: str, put: Callable[..., None]) -> None:
    later = threading.Timer(0.5, put, ["in/late.csv"])
    later.start()
    sensor = GCSObjectsWithPrefixExistenceSensor(
        task_id="t", bucket=bucket, prefix="in/", poke_interval=0.2, deferrable=True
    )
    assert run(sensor) == ["in/late.csv"]
    later.join()


@pytest.mark.parametrize("deferrable", [False, True])
def test_an_upload_session_is_complete_when_nothing_comes_any_more(
    bucket: str, put: Callable[..., None], deferrable: bool
) -> None:
    put("in/a", "in/b")
    sensor = GCSUploadSessionCompleteSensor(
        task_id="t",
        bucket=bucket,
        prefix="in/",
        inactivity_period=0.5,
        min_objects=2,
        poke_interval=0.3,
        deferrable=deferrable,
    )
    task = TaskRun(sensor)
    task.finish()
    assert task.deferred == (["GCSUploadSessionTrigger"] if deferrable else [])


def test_access_control_lists_are_refused_by_name(bucket: str) -> None:
    with pytest.raises(GoogleAPICallError) as refused:
        run(
            GCSBucketCreateAclEntryOperator(
                task_id="t", bucket=bucket, entity="allAuthenticatedUsers", role="READER"
            )
        )
    assert refused.value.code == 501
