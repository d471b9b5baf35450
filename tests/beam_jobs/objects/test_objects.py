"""Both stores keep the same promises: pinned reads, conditional writes, nothing half-written."""

from __future__ import annotations

import pickle
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from google.cloud import storage

from beam_jobs.objects import (
    ObjectChangedError,
    ObjectExistsError,
    Objects,
    PreconditionError,
    open_objects,
)
from beam_jobs.objects.base import CHUNK_BYTES
from tests.support.local_cloud import LocalCloud


@pytest.fixture(params=["file", "gcs"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A folder of its own in either store, without the slash at its end."""
    if request.param == "file":
        yield str(tmp_path)
        return
    request.getfixturevalue("cloud_env")
    bucket = storage.Client().create_bucket(f"objects-{uuid.uuid4().hex[:12]}")
    yield f"gs://{bucket.name}/root"


@pytest.fixture
def objects(root: str) -> Objects:
    return open_objects(root)


def test_what_is_put_can_be_read(root: str, objects: Objects) -> None:
    generation = objects.put(f"{root}/a/b.csv", b"abc")
    assert objects.read(f"{root}/a/b.csv") == b"abc"
    assert objects.read(f"{root}/a/b.csv", generation) == b"abc"
    info = objects.stat(f"{root}/a/b.csv")
    assert info is not None
    assert (info.uri, info.generation, info.size) == (f"{root}/a/b.csv", generation, 3)
    assert info.updated.tzinfo is not None


def test_what_is_not_there_has_no_stat_and_cannot_be_read(root: str, objects: Objects) -> None:
    assert objects.stat(f"{root}/nothing") is None
    with pytest.raises(FileNotFoundError, match="nothing does not exist"):
        objects.read(f"{root}/nothing")
    with pytest.raises(FileNotFoundError, match="nothing does not exist"):
        list(objects.chunks(f"{root}/nothing", 0, 1))


def test_chunks_are_the_bytes_asked_for(root: str, objects: Objects) -> None:
    data = bytes(range(256)) * (CHUNK_BYTES // 256) + b"the end"
    generation = objects.put(f"{root}/large", data)
    chunks = list(objects.chunks(f"{root}/large", 5, len(data), generation))
    assert max(map(len, chunks)) <= CHUNK_BYTES
    assert b"".join(chunks) == data[5:]
    assert b"".join(objects.chunks(f"{root}/large", 3, 9, generation)) == data[3:9]
    assert list(objects.chunks(f"{root}/large", 4, 4, generation)) == []


def test_an_overwritten_object_is_no_longer_the_pinned_one(root: str, objects: Objects) -> None:
    generation = objects.put(f"{root}/a", b"first")
    objects.replace(f"{root}/a", b"second", generation)
    for read in (
        lambda: objects.read(f"{root}/a", generation),
        lambda: list(objects.chunks(f"{root}/a", 0, 5, generation)),
    ):
        with pytest.raises(ObjectChangedError, match=rf"a changed .* generation {generation}"):
            read()
    assert objects.read(f"{root}/a") == b"second"


def test_an_object_overwritten_while_it_is_read_is_noticed(root: str, objects: Objects) -> None:
    data = b"x" * (CHUNK_BYTES + 1)
    generation = objects.put(f"{root}/a", data)
    chunks = objects.chunks(f"{root}/a", 0, len(data), generation)
    next(chunks)
    objects.put(f"{root}/a", b"y" * len(data))
    with pytest.raises(ObjectChangedError):
        list(chunks)


def test_a_deleted_object_is_no_longer_the_pinned_one(root: str, objects: Objects) -> None:
    generation = objects.put(f"{root}/a", b"first")
    objects.delete(f"{root}/a")
    objects.delete(f"{root}/a")
    with pytest.raises(ObjectChangedError):
        objects.read(f"{root}/a", generation)


def test_an_object_is_created_once(root: str, objects: Objects) -> None:
    objects.create(f"{root}/manifest.json", b"{}")
    with pytest.raises(ObjectExistsError, match=r"manifest\.json exists already"):
        objects.create(f"{root}/manifest.json", b"{1}")
    assert objects.read(f"{root}/manifest.json") == b"{}"


def test_of_many_creators_one_wins(root: str, objects: Objects) -> None:
    def create(number: int) -> int | None:
        try:
            objects.create(f"{root}/lease", str(number).encode())
        except ObjectExistsError:
            return None
        return number

    with ThreadPoolExecutor(8) as pool:
        winners = [number for number in pool.map(create, range(8)) if number is not None]
    assert len(winners) == 1
    assert objects.read(f"{root}/lease") == str(winners[0]).encode()


def test_only_the_generation_that_was_seen_is_replaced(root: str, objects: Objects) -> None:
    first = objects.replace(f"{root}/a", b"1", 0)
    second = objects.replace(f"{root}/a", b"2", first)
    assert second != first
    with pytest.raises(PreconditionError, match="no longer generation"):
        objects.replace(f"{root}/a", b"3", first)
    with pytest.raises(PreconditionError):
        objects.replace(f"{root}/a", b"3", 0)
    with pytest.raises(PreconditionError):
        objects.replace(f"{root}/nothing", b"3", first)
    assert objects.read(f"{root}/a") == b"2"


def test_a_prefix_lists_its_objects_in_order(root: str, objects: Objects) -> None:
    for name in ("b/2", "b/1", "bb", "a"):
        objects.put(f"{root}/{name}", name.encode())
    assert [info.uri for info in objects.list(f"{root}/b/")] == [f"{root}/b/1", f"{root}/b/2"]
    assert [info.uri for info in objects.list(f"{root}/b")] == [
        f"{root}/b/1",
        f"{root}/b/2",
        f"{root}/bb",
    ]
    assert objects.list(f"{root}/c/") == []
    assert [info.size for info in objects.list(f"{root}/a")] == [1]


def test_a_file_is_uploaded(root: str, objects: Objects, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"artifact")
    generation = objects.put_file(f"{root}/models/1/artifact", source)
    assert objects.read(f"{root}/models/1/artifact", generation) == b"artifact"


def test_a_store_travels_to_workers(root: str, objects: Objects) -> None:
    objects.put(f"{root}/a", b"abc")
    assert pickle.loads(pickle.dumps(objects)).read(f"{root}/a") == b"abc"


def test_errors_travel_from_workers() -> None:
    error = pickle.loads(pickle.dumps(ObjectChangedError("gs://b/a.csv", 7)))
    assert (error.uri, "generation 7" in str(error)) == ("gs://b/a.csv", True)


def test_an_unknown_scheme_is_refused_with_its_remedy() -> None:
    with pytest.raises(ValueError, match=r"no store for s3://\. Remedy: use gs:// or a local path"):
        open_objects("s3://bucket/a")


def test_gzip_objects_are_read_as_they_were_written(cloud_env: LocalCloud) -> None:
    assert cloud_env.url
    bucket = storage.Client().create_bucket(f"objects-{uuid.uuid4().hex[:12]}")
    blob = bucket.blob("a.csv.gz")
    blob.content_encoding = "gzip"
    blob.upload_from_string(b"\x1f\x8b not really")
    uri = f"gs://{bucket.name}/a.csv.gz"
    objects = open_objects(uri)
    assert objects.read(uri) == b"\x1f\x8b not really"
    assert b"".join(objects.chunks(uri, 0, 4)) == b"\x1f\x8b n"
