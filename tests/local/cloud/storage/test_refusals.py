"""What Cloud Storage can and this server cannot: refused with its name, through its client."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from google.api_core import exceptions
from google.cloud import storage
from google.cloud.storage import transfer_manager

KEY = "projects/p/locations/us/keyRings/r/cryptoKeys/k"

ASKED: dict[str, Callable[[storage.Bucket, storage.Blob], Any]] = {
    "softDeleted": lambda bucket, _: list(bucket.list_blobs(soft_deleted=True)),
    "restore": lambda bucket, blob: bucket.restore_blob(blob.name, generation=blob.generation),
    "bulkRestore": lambda bucket, _: bucket.client._connection.api_request(
        method="POST", path=f"{bucket.path}/o/bulkRestore"
    ),
    "/iam": lambda bucket, _: bucket.get_iam_policy(),
    "/acl": lambda bucket, _: list(bucket.acl),
    "predefinedAcl": lambda _, blob: blob.upload_from_string("z", predefined_acl="publicRead"),
    "notificationConfigs": lambda bucket, _: list(bucket.list_notifications()),
    "hmacKeys": lambda bucket, _: list(bucket.client.list_hmac_keys()),
    "kmsKeyName": lambda bucket, _: bucket.blob("k", kms_key_name=KEY).upload_from_string("z"),
    "customer-supplied encryption keys": lambda bucket, _: storage.Blob(
        "x", bucket, encryption_key=b"k" * 32
    ).download_as_bytes(),
    "lifecycle": lambda bucket, _: (bucket.add_lifecycle_delete_rule(age=1), bucket.patch()),
    "retentionPolicy": lambda bucket, _: (
        setattr(bucket, "retention_period", 60),
        bucket.patch(),
    ),
    "listings by filter": lambda bucket, _: list(bucket.list_blobs(filter_="contexts:x")),
}


@pytest.mark.parametrize("name", ASKED)
def test_what_is_missing_is_refused_by_its_name(objects: storage.Bucket, name: str) -> None:
    blob = objects.blob("x")
    blob.upload_from_string("y")
    with pytest.raises(exceptions.MethodNotImplemented, match=name):
        ASKED[name](objects, blob)
    assert objects.get_blob("x").generation == blob.generation


def test_multipart_uploads_of_the_xml_api_are_refused_by_name(
    objects: storage.Bucket, tmp_path: Path
) -> None:
    big = tmp_path / "big"
    big.write_bytes(bytes(6_000_000))
    with pytest.raises(Exception, match="501") as raised:
        transfer_manager.upload_chunks_concurrently(
            str(big), objects.blob("big"), worker_type=transfer_manager.THREAD
        )
    assert "XML API" in raised.value.response.text
    assert objects.get_blob("big") is None


def test_chunks_are_downloaded_side_by_side(objects: storage.Bucket, tmp_path: Path) -> None:
    data = bytes(range(256)) * 10_000
    blob = objects.blob("big")
    blob.upload_from_string(data)
    back = tmp_path / "back"
    transfer_manager.download_chunks_concurrently(
        blob, str(back), chunk_size=500_000, worker_type=transfer_manager.THREAD
    )
    assert back.read_bytes() == data
