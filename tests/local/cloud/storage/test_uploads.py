"""Uploads: media, multipart, resumable; cut, resumed, taken over, cancelled."""

from __future__ import annotations

import io
import json
import random
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from google.api_core import exceptions
from google.cloud import storage
from google.cloud.storage.retry import DEFAULT_RETRY

from tests.support.local_cloud import LocalCloud
from tests.support.patience import PATIENCE_S

KIB_256 = 256 * 1024


def begin(cloud: LocalCloud, bucket: str, name: str, **query: str) -> str:
    """The session URL of a resumable upload."""
    answer = requests.post(
        f"{cloud.url}/upload/storage/v1/b/{bucket}/o",
        params={"uploadType": "resumable", "name": name, **query},
        json={"contentType": "text/csv"},
        timeout=60,
    )
    answer.raise_for_status()
    return answer.headers["Location"]


def put(session: str, data: bytes, content_range: str) -> requests.Response:
    headers = {"Content-Range": content_range}
    return requests.put(session, data, headers=headers, timeout=60, allow_redirects=False)


def send_part_and_hang_up(session: str, data: bytes, announced: int) -> None:
    """A client that dies in the middle of its request."""
    host, _, path = session.removeprefix("http://").partition("/")
    name, _, port = host.partition(":")
    with socket.create_connection((name, int(port))) as connection:
        head = f"PUT /{path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {announced}\r\n"
        head += f"Content-Range: bytes 0-{announced - 1}/{announced}\r\n\r\n"
        connection.sendall(head.encode() + data)


def persisted(session: str, total: int) -> int:
    """How many bytes the server says it has."""
    answer = put(session, b"", f"bytes */{total}")
    assert answer.status_code == 308
    return int(answer.headers["Range"].rpartition("-")[2]) + 1 if "Range" in answer.headers else 0


def test_a_plain_media_upload(cloud_env: LocalCloud, bucket: str) -> None:
    answer = requests.post(
        f"{cloud_env.url}/upload/storage/v1/b/{bucket}/o",
        params={"uploadType": "media", "name": "a/b.csv"},
        data=b"1,2",
        headers={"Content-Type": "text/csv"},
        timeout=60,
    )
    assert answer.json()["contentType"] == "text/csv"
    assert storage.Client().bucket(bucket).blob("a/b.csv").download_as_bytes() == b"1,2"


def test_an_upload_of_unknown_size_in_chunks(objects: storage.Bucket) -> None:
    data = random.Random(1).randbytes(3 * KIB_256 + 17)
    blob = objects.blob("x", chunk_size=KIB_256)
    with blob.open("wb") as file:
        for start in range(0, len(data), 100_000):
            file.write(data[start : start + 100_000])
    assert blob.download_as_bytes() == data


def test_a_resumable_upload_cut_in_the_middle_goes_on_where_it_was(
    cloud_env: LocalCloud, objects: storage.Bucket
) -> None:
    data = random.Random(2).randbytes(6_000_000)
    session = begin(cloud_env, objects.name, "x")
    assert persisted(session, len(data)) == 0
    send_part_and_hang_up(session, data[:4_500_000], announced=len(data))
    deadline = time.monotonic() + PATIENCE_S
    while (here := persisted(session, len(data))) < 4_500_000 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert here == 4_500_000
    assert not objects.blob("x").exists()
    answer = put(session, data[here:], f"bytes {here}-{len(data) - 1}/{len(data)}")
    assert answer.status_code == 200
    assert objects.get_blob("x").download_as_bytes() == data


def test_a_resumable_upload_outlives_a_kill_of_the_server(fresh_cloud: LocalCloud) -> None:
    data = random.Random(3).randbytes(2 * KIB_256)
    bucket = storage.Client().create_bucket("bucket")
    session = begin(fresh_cloud, "bucket", "x")
    assert put(session, data[:KIB_256], f"bytes 0-{KIB_256 - 1}/*").status_code == 308
    fresh_cloud.kill()
    fresh_cloud.start()
    assert persisted(session, len(data)) == KIB_256
    last = f"bytes {KIB_256}-{len(data) - 1}/{len(data)}"
    assert put(session, data[KIB_256:], last).json()["contentType"] == "text/csv"
    assert bucket.blob("x").download_as_bytes() == data


def test_a_client_whose_answers_are_lost_uploads_every_byte_once(fresh_cloud: LocalCloud) -> None:
    blob = storage.Client().create_bucket("bucket").blob("x", chunk_size=4 * KIB_256)
    data = random.Random(5).randbytes(10_000_000)
    for when, skip in (("after", 2), ("before", 4)):
        fresh_cloud.inject(kind="reset", method="PUT", path="^/", when=when, skip=skip, times=1)
    blob.upload_from_file(io.BytesIO(data), size=len(data), retry=DEFAULT_RETRY)
    assert fresh_cloud.injections() == 2
    assert blob.download_as_bytes() == data


def test_a_client_goes_on_with_its_upload_after_kill_and_restart(fresh_cloud: LocalCloud) -> None:
    blob = storage.Client().create_bucket("bucket").blob("x", chunk_size=2 * KIB_256)
    data = random.Random(6).randbytes(10_000_000)
    fresh_cloud.inject(kind="latency", method="PUT", path="^/", seconds=0.05)
    with ThreadPoolExecutor() as pool:
        uploading = pool.submit(
            blob.upload_from_file, io.BytesIO(data), size=len(data), retry=DEFAULT_RETRY
        )
        while fresh_cloud.injections() < 5:
            assert not uploading.done()
        fresh_cloud.kill()
        fresh_cloud.start()
        uploading.result()
    assert blob.download_as_bytes() == data


def test_bytes_sent_twice_count_once_and_a_gap_is_refused(
    cloud_env: LocalCloud, objects: storage.Bucket
) -> None:
    session = begin(cloud_env, objects.name, "x")
    put(session, b"0123", "bytes 0-3/*")
    assert put(session, b"8", "bytes 8-8/9").status_code == 400
    put(session, b"2345", "bytes 2-5/*")
    assert put(session, b"67", "bytes 6-7/8").status_code == 200
    assert objects.blob("x").download_as_bytes() == b"01234567"


def test_a_finished_session_answers_again_with_the_same_object(
    cloud_env: LocalCloud, objects: storage.Bucket
) -> None:
    session = begin(cloud_env, objects.name, "x")
    first = put(session, b"0123", "bytes 0-3/4").json()
    again = put(session, b"", "bytes */4").json()
    assert again["generation"] == first["generation"]
    assert objects.get_blob("x").generation == int(first["generation"])


def test_an_empty_object_by_a_resumable_upload(
    cloud_env: LocalCloud, objects: storage.Bucket
) -> None:
    session = begin(cloud_env, objects.name, "empty")
    assert put(session, b"", "bytes */0").status_code == 200
    assert objects.blob("empty").download_as_bytes() == b""


def test_a_cancelled_session_is_gone(cloud_env: LocalCloud, objects: storage.Bucket) -> None:
    session = begin(cloud_env, objects.name, "x")
    put(session, b"0123", "bytes 0-3/*")
    assert requests.delete(session, timeout=60).status_code == 499
    assert put(session, b"4", "bytes 4-4/5").status_code == 404
    assert not objects.blob("x").exists()


def test_a_precondition_is_checked_when_the_last_byte_is_here(
    cloud_env: LocalCloud, objects: storage.Bucket
) -> None:
    session = begin(cloud_env, objects.name, "x", ifGenerationMatch="0")
    objects.blob("x").upload_from_string("was faster")
    assert put(session, b"0123", "bytes 0-3/4").status_code == 412
    assert objects.blob("x").download_as_text() == "was faster"


def test_wrong_checksums_are_refused_and_leave_nothing(objects: storage.Bucket) -> None:
    blob = objects.blob("x")
    blob.md5_hash = "1B2M2Y8AsgTpgAmY7PhCfg=="
    with pytest.raises(exceptions.BadRequest, match="MD5 hash"):
        blob.upload_from_string("not empty", checksum=None)
    assert not blob.exists()


def test_a_file_object_is_uploaded_as_it_is_read(objects: storage.Bucket) -> None:
    data = random.Random(4).randbytes(9_000_000)
    objects.blob("x").upload_from_file(io.BytesIO(data), size=len(data))
    assert objects.blob("x").download_as_bytes() == data


def test_a_multipart_upload_cut_short_leaves_nothing(
    cloud_env: LocalCloud, objects: storage.Bucket
) -> None:
    body = b'--cut\r\nContent-Type: application/json\r\n\r\n{"name": "x"}\r\n--cut\r\n\r\nabc'
    answer = requests.post(
        f"{cloud_env.url}/upload/storage/v1/b/{objects.name}/o?uploadType=multipart",
        data=body,
        headers={"Content-Type": "multipart/related; boundary=cut"},
        timeout=60,
    )
    assert answer.status_code == 400
    assert "closing boundary" in json.loads(answer.text)["error"]["message"]
    assert not objects.blob("x").exists()
