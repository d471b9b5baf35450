"""Objects through google-cloud-storage: generations, preconditions, attributes, copies."""

from __future__ import annotations

import base64
import gzip
import hashlib
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import google_crc32c
import pytest
import requests
from google.api_core import exceptions
from google.cloud import storage


def write(objects: storage.Bucket, name: str, data: str | bytes, **how) -> storage.Blob:
    blob = objects.blob(name)
    blob.upload_from_string(data, **how)
    return blob


def test_bytes_come_back_with_their_checksums_and_attributes(objects: storage.Bucket) -> None:
    data = bytes(range(256)) * 5
    blob = objects.blob("a folder/ü & ?#%2F.bin")
    blob.metadata = {"night": "2026-01-01"}
    blob.cache_control = "no-store"
    blob.upload_from_string(data, content_type="application/x-thing")
    read = objects.get_blob(blob.name)
    assert read.download_as_bytes() == data
    assert read.size == len(data)
    assert read.md5_hash == base64.b64encode(hashlib.md5(data).digest()).decode()
    crc = google_crc32c.Checksum(data).digest()
    assert read.crc32c == base64.b64encode(crc).decode()
    assert (read.content_type, read.cache_control) == ("application/x-thing", "no-store")
    assert read.metadata == {"night": "2026-01-01"}
    assert abs((datetime.now(UTC) - read.updated).total_seconds()) < 60


def test_each_write_is_a_new_and_later_generation(objects: storage.Bucket) -> None:
    generations = [write(objects, "x", str(i)).generation for i in range(5)]
    assert generations == sorted(set(generations))
    assert objects.get_blob("x").download_as_text() == "4"


def test_a_read_pinned_to_an_overwritten_generation_is_not_found(objects: storage.Bucket) -> None:
    old = write(objects, "x", "old").generation
    pinned = objects.blob("x", generation=old)
    assert pinned.download_as_text() == "old"
    write(objects, "x", "new")
    with pytest.raises(exceptions.NotFound, match=f"x#{old}"):
        pinned.download_as_text()
    assert objects.get_blob("x", generation=old) is None


def test_a_reader_that_has_begun_finishes_though_the_object_is_overwritten_and_deleted(
    objects: storage.Bucket, cloud_env
) -> None:
    old = b"old " * 3_000_000
    write(objects, "x", old)
    url = f"{cloud_env.url}/storage/v1/b/{objects.name}/o/x?alt=media"
    with requests.get(url, stream=True, timeout=60) as reader:
        begun = reader.raw.read(1000)
        write(objects, "x", b"new")
        objects.delete_blob("x")
        assert begun + reader.raw.read() == old


def test_writing_only_if_absent(objects: storage.Bucket) -> None:
    write(objects, "x", "first", if_generation_match=0)
    with pytest.raises(exceptions.PreconditionFailed):
        write(objects, "x", "second", if_generation_match=0)
    assert objects.blob("x").download_as_text() == "first"
    objects.delete_blob("x")
    assert write(objects, "x", "third", if_generation_match=0).generation


def test_writing_only_over_a_known_generation(objects: storage.Bucket) -> None:
    first = write(objects, "x", "first").generation
    second = write(objects, "x", "second", if_generation_match=first).generation
    with pytest.raises(exceptions.PreconditionFailed):
        write(objects, "x", "third", if_generation_match=first)
    with pytest.raises(exceptions.PreconditionFailed):
        objects.delete_blob("x", if_generation_match=first)
    objects.delete_blob("x", if_generation_match=second)
    with pytest.raises(exceptions.PreconditionFailed):
        write(objects, "x", "again", if_generation_match=second)
    with pytest.raises(exceptions.NotFound):
        objects.delete_blob("x")


def test_preconditions_of_reads(objects: storage.Bucket) -> None:
    blob = write(objects, "x", "y")
    with pytest.raises(exceptions.PreconditionFailed):
        blob.reload(if_generation_match=blob.generation - 1)
    with pytest.raises(exceptions.NotModified):
        blob.reload(if_generation_not_match=blob.generation)
    with pytest.raises(exceptions.NotModified):
        blob.reload(if_metageneration_not_match=1)
    blob.reload(if_generation_match=blob.generation, if_metageneration_match=1)
    assert blob.size == 1


def test_etags_are_preconditions_of_reads(objects: storage.Bucket) -> None:
    blob = write(objects, "x", "y")
    blob.reload(if_etag_match=blob.etag)
    with pytest.raises(exceptions.NotModified):
        blob.reload(if_etag_not_match=blob.etag)
    old = blob.etag
    blob.metadata = {"a": "1"}
    blob.patch()
    with pytest.raises(exceptions.PreconditionFailed):
        blob.download_as_bytes(if_etag_match=old)
    assert blob.download_as_bytes(if_etag_not_match=old) == b"y"


def test_patching_changes_the_metageneration_and_not_the_generation(
    objects: storage.Bucket,
) -> None:
    blob = write(objects, "x", "y")
    written = blob.generation
    blob.metadata = {"a": "1", "b": "2"}
    blob.patch(if_metageneration_match=1)
    blob.metadata = {"a": "1", "b": None}
    blob.content_type = "text/csv"
    blob.patch()
    read = objects.get_blob("x")
    assert (read.generation, read.metageneration) == (written, 3)
    assert (read.metadata, read.content_type) == ({"a": "1"}, "text/csv")
    with pytest.raises(exceptions.PreconditionFailed):
        blob.patch(if_metageneration_match=1)


def test_updating_replaces_all_attributes(objects: storage.Bucket) -> None:
    blob = write(objects, "x", "y")
    blob.metadata = {"a": "1"}
    blob.patch()
    blob.metadata = None
    blob.update()
    assert objects.get_blob("x").metadata is None


def test_of_16_concurrent_writers_of_a_new_object_one_wins(objects: storage.Bucket) -> None:
    def attempt(number: int) -> int | None:
        try:
            write(objects, "lease", str(number), if_generation_match=0)
        except exceptions.PreconditionFailed:
            return None
        return number

    for _ in range(5):
        with ThreadPoolExecutor(16) as pool:
            winners = [number for number in pool.map(attempt, range(16)) if number is not None]
        assert len(winners) == 1
        assert objects.blob("lease").download_as_text() == str(winners[0])
        objects.delete_blob("lease")


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [(0, 3, b"0123"), (4, None, b"456789"), (8, 99, b"89"), (-3, None, b"789")],
)
def test_ranged_reads(objects: storage.Bucket, start, end, expected) -> None:
    blob = write(objects, "x", "0123456789")
    assert blob.download_as_bytes(start=start, end=end) == expected


@pytest.mark.parametrize("content", ["0123456789", ""])
def test_a_range_behind_the_end_is_416(objects: storage.Bucket, content: str) -> None:
    blob = write(objects, "x", content)
    with pytest.raises(exceptions.RequestRangeNotSatisfiable):
        blob.download_as_bytes(start=10, end=20)


def test_a_partial_answer_says_what_it_holds(objects: storage.Bucket, cloud_env) -> None:
    write(objects, "x", "0123456789")
    url = f"{cloud_env.url}/download/storage/v1/b/{objects.name}/o/x?alt=media"
    answer = requests.get(url, headers={"Range": "bytes=2-4"}, timeout=60)
    assert (answer.status_code, answer.text) == (206, "234")
    assert answer.headers["Content-Range"] == "bytes 2-4/10"
    assert "crc32c=" in answer.headers["X-Goog-Hash"]


def test_gzip_bytes_are_kept_as_uploaded_and_unpacked_only_for_who_cannot(
    objects: storage.Bucket, cloud_env
) -> None:
    packed = gzip.compress(b"plain text")
    blob = objects.blob("x.txt")
    blob.content_encoding = "gzip"
    blob.upload_from_string(packed)
    assert blob.download_as_bytes(raw_download=True) == packed
    assert blob.download_as_bytes() == b"plain text"
    url = f"{cloud_env.url}/storage/v1/b/{objects.name}/o/x.txt?alt=media"
    answer = requests.get(url, headers={"Accept-Encoding": "identity"}, timeout=60)
    assert answer.content == b"plain text"


def test_composing_joins_sources_in_order(objects: storage.Bucket) -> None:
    parts = [write(objects, f"part-{i}", f"{i},") for i in range(3)]
    whole = objects.blob("whole")
    whole.content_type = "text/csv"
    whole.compose(parts, if_generation_match=0)
    read = objects.get_blob("whole")
    assert read.download_as_text() == "0,1,2,"
    assert (read.component_count, read.md5_hash, read.content_type) == (3, None, "text/csv")
    with pytest.raises(exceptions.PreconditionFailed):
        whole.compose(parts, if_generation_match=0)
    with pytest.raises(exceptions.PreconditionFailed):
        objects.blob("other").compose(parts, if_source_generation_match=[1, None, None])
    with pytest.raises(exceptions.NotFound):
        objects.blob("other").compose([objects.blob("absent")])


def test_copies_and_rewrites_take_bytes_and_attributes_along(objects: storage.Bucket) -> None:
    source = objects.blob("source")
    source.metadata = {"a": "1"}
    source.upload_from_string("content", content_type="text/csv")
    copied = objects.copy_blob(source, objects, "copied")
    assert (copied.metadata, copied.content_type) == ({"a": "1"}, "text/csv")
    rewritten = objects.blob("rewritten")
    token, done, total = rewritten.rewrite(source)
    assert (token, done, total) == (None, 7, 7)
    write(objects, "source", "changed")
    assert copied.download_as_text() == rewritten.download_as_text() == "content"
    with pytest.raises(exceptions.NotFound):
        objects.copy_blob(source, objects, "late", source_generation=source.generation - 1)
    with pytest.raises(exceptions.PreconditionFailed):
        objects.copy_blob(source, objects, "copied", if_generation_match=0)


def test_moving_leaves_nothing_behind(objects: storage.Bucket) -> None:
    source = write(objects, "old name", "content")
    moved = objects.move_blob(source, "new name")
    assert moved.download_as_text() == "content"
    assert [blob.name for blob in objects.list_blobs()] == ["new name"]


def test_a_batch_answers_each_call_in_its_order(
    client: storage.Client, objects: storage.Bucket
) -> None:
    for i in range(3):
        write(objects, f"x{i}", "y")
    with client.batch(raise_exception=False) as batch:
        objects.delete_blob("x0")
        objects.delete_blob("absent")
        objects.delete_blob("x2")
    assert [answer.status_code for answer in batch._responses] == [204, 404, 204]
    assert [blob.name for blob in objects.list_blobs()] == ["x1"]


def test_an_attribute_that_would_have_to_do_something_is_refused_by_name(
    objects: storage.Bucket,
) -> None:
    held = write(objects, "x", "y")
    held.temporary_hold = True
    with pytest.raises(exceptions.MethodNotImplemented, match="temporaryHold"):
        held.patch()
    assert objects.get_blob("x").metageneration == 1


def test_a_stalled_reader_does_not_hold_up_others(objects: storage.Bucket, cloud_env) -> None:
    write(objects, "big", b"x" * 30_000_000)
    url = f"{cloud_env.url}/storage/v1/b/{objects.name}/o/big?alt=media"
    stalled = [requests.get(url, stream=True, timeout=60) for _ in range(40)]
    begun = time.monotonic()
    write(objects, "small", "y")
    assert objects.blob("small").download_as_text() == "y"
    assert time.monotonic() - begun < 30
    for reader in stalled:
        reader.close()
