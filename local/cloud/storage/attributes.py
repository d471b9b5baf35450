"""What clients may set on buckets and objects; what is not imitated is refused by name."""

from __future__ import annotations

from typing import Any

from local.cloud.http import ApiError, unsupported
from local.cloud.storage.model import Attributes

_OBJECT_FIELDS = {
    "cacheControl",
    "contentDisposition",
    "contentEncoding",
    "contentLanguage",
    "customTime",
    "storageClass",
}
_BUCKET_FIELDS = {"iamConfiguration", "labels", "location", "storageClass"}
# The server's to say: clients send them back when they update a whole resource.
_OUTPUT_FIELDS = {
    "bucket",
    "componentCount",
    "crc32c",
    "etag",
    "generation",
    "id",
    "kind",
    "locationType",
    "md5Hash",
    "mediaLink",
    "metageneration",
    "name",
    "owner",
    "projectNumber",
    "restoreToken",
    "selfLink",
    "size",
    "timeCreated",
    "timeFinalized",
    "timeStorageClassUpdated",
    "updated",
}


def object_attributes(resource: dict[str, Any], media_type: str | None = None) -> Attributes:
    """Of an object to be written; `media_type` fills in a missing contentType."""
    return replace_object(Attributes(media_type), resource, keep_type=True)


def patch_object(old: Attributes, patch: dict[str, Any]) -> Attributes:
    """Change what the patch names; null removes, also inside `metadata`."""
    fields = _merge(old.fields, _settable(patch, _OBJECT_FIELDS, {"contentType", "metadata"}))
    metadata = _merge(old.metadata, patch.get("metadata", {}) or {})
    if "metadata" in patch and patch["metadata"] is None:
        metadata = {}
    return Attributes(patch.get("contentType", old.content_type), _strings(metadata), fields)


def replace_object(
    old: Attributes, resource: dict[str, Any], *, keep_type: bool = False
) -> Attributes:
    """Exactly what the resource says, but its contentType may stay when it says none."""
    fields = _merge({}, _settable(resource, _OBJECT_FIELDS, {"contentType", "metadata"}))
    kept = old.content_type if keep_type else None
    return Attributes(
        resource.get("contentType") or kept, _strings(resource.get("metadata") or {}), fields
    )


def bucket_fields(resource: dict[str, Any]) -> dict[str, Any]:
    """Of a bucket to be made."""
    fields = _merge({}, _settable(resource, _BUCKET_FIELDS, set()))
    return {"location": "US", "storageClass": "STANDARD", **fields}


def patch_bucket(old: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    """Change what the patch names; null removes, also a label."""
    change = _settable(patch, _BUCKET_FIELDS, set())
    if isinstance(change.get("labels"), dict):
        change["labels"] = _merge(old.get("labels", {}), change["labels"])
    return _merge(old, change)


def _settable(resource: dict[str, Any], allowed: set[str], apart: set[str]) -> dict[str, Any]:
    """The allowed attributes. Raises ApiError 501 for one that would have to do something."""
    for name, value in resource.items():
        if name not in allowed | apart | _OUTPUT_FIELDS and not _is_off(value):
            raise unsupported(f"the storage attribute '{name}'")
    return {name: value for name, value in resource.items() if name in allowed}


def _is_off(value: Any) -> bool:
    """Whether a setting asks for nothing: false, 0, empty, or made of such."""
    if isinstance(value, dict):
        return all(_is_off(inner) for inner in value.values())
    return value in (None, False, "", 0, "0") or value == []


def _merge(old: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    merged = {**old, **change}
    return {name: value for name, value in merged.items() if value is not None}


def _strings(metadata: dict[str, Any]) -> dict[str, str]:
    for name, value in metadata.items():
        if not isinstance(value, str):
            raise ApiError(400, f"Invalid value for metadata '{name}': not a string", "invalid")
    return metadata
