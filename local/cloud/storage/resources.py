"""Buckets and objects as the JSON API shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import quote

from local.cloud.storage.model import Bucket, StoredObject

PROJECT_NUMBER = "123456789012"


def object_resource(stored: StoredObject, base: str) -> dict[str, Any]:
    """`base` is the server's root URL, without a slash at its end."""
    path = f"b/{stored.bucket}/o/{quote(stored.name, safe='')}"
    created = timestamp(stored.created)
    resource: dict[str, Any] = {
        "kind": "storage#object",
        "id": f"{stored.bucket}/{stored.name}/{stored.generation}",
        "selfLink": f"{base}/storage/v1/{path}",
        "mediaLink": f"{base}/download/storage/v1/{path}?generation={stored.generation}&alt=media",
        "name": stored.name,
        "bucket": stored.bucket,
        "generation": str(stored.generation),
        "metageneration": str(stored.metageneration),
        "storageClass": "STANDARD",
        "size": str(stored.size),
        "crc32c": stored.crc32c,
        "etag": stored.etag,
        "timeCreated": created,
        "updated": timestamp(stored.updated),
        "timeStorageClassUpdated": created,
        "timeFinalized": created,
        **stored.fields,
    }
    if stored.md5 is not None:
        resource["md5Hash"] = stored.md5
    if stored.content_type is not None:
        resource["contentType"] = stored.content_type
    if stored.metadata:
        resource["metadata"] = stored.metadata
    return resource


def bucket_resource(bucket: Bucket, base: str) -> dict[str, Any]:
    return {
        "kind": "storage#bucket",
        "id": bucket.name,
        "selfLink": f"{base}/storage/v1/b/{bucket.name}",
        "name": bucket.name,
        "projectNumber": PROJECT_NUMBER,
        "metageneration": str(bucket.metageneration),
        "etag": bucket.etag,
        "timeCreated": timestamp(bucket.created),
        "updated": timestamp(bucket.updated),
        "locationType": "region" if "-" in bucket.fields["location"] else "multi-region",
        "softDeletePolicy": {"retentionDurationSeconds": "0"},
        "iamConfiguration": {"uniformBucketLevelAccess": {"enabled": True}},
        **bucket.fields,
    }


def timestamp(time: datetime) -> str:
    """RFC 3339 in UTC with milliseconds."""
    return time.strftime("%Y-%m-%dT%H:%M:%S.") + f"{time.microsecond // 1000:03d}Z"
