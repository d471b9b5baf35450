"""Objects made of objects: copies and compositions."""

from __future__ import annotations

from typing import Any

from local.cloud.http import ApiError
from local.cloud.storage.attributes import object_attributes
from local.cloud.storage.blobs import CHUNK
from local.cloud.storage.model import Attributes, Blob, StoredObject
from local.cloud.storage.preconditions import Preconditions
from local.cloud.storage.store import ObjectStore

_MOST_SOURCES = 32


def copy(
    store: ObjectStore,
    source: StoredObject,
    bucket: str,
    name: str,
    resource: dict[str, Any],
    preconditions: Preconditions,
) -> StoredObject:
    """Attributes come from the source, unless the resource sets any. Raises ApiError 404, 412."""
    attributes = object_attributes(resource, source.content_type)
    if attributes == Attributes(source.content_type):
        attributes = Attributes(source.content_type, source.metadata, source.fields)
    return store.commit(bucket, name, store.link(source), attributes, preconditions)


def compose(
    store: ObjectStore,
    bucket: str,
    name: str,
    request: dict[str, Any],
    preconditions: Preconditions,
) -> StoredObject:
    """The sources one after the other. Raises ApiError 400, 404, 412."""
    listed = request.get("sourceObjects") or []
    if not 1 <= len(listed) <= _MOST_SOURCES:
        raise ApiError(
            400, f"The number of source components must be 1 to {_MOST_SOURCES}.", "invalid"
        )
    sources = [_component(store, bucket, component) for component in listed]
    attributes = object_attributes(request.get("destination") or {}, sources[0].content_type)
    count = sum(source.fields.get("componentCount", 1) for source in sources)
    attributes.fields["componentCount"] = count
    joined = _concatenated(store, sources)
    # As on the service: a composed object has no MD5.
    blob = Blob(joined.path, joined.size, joined.crc32c, None)
    return store.commit(bucket, name, blob, attributes, preconditions)


def _component(store: ObjectStore, bucket: str, component: dict[str, Any]) -> StoredObject:
    generation = component.get("generation")
    name = component.get("name") or ""
    source = store.find(bucket, name, None if generation is None else int(generation))
    conditions = component.get("objectPreconditions") or {}
    Preconditions.of({key: str(value) for key, value in conditions.items()}).require(source)
    return source


def _concatenated(store: ObjectStore, sources: list[StoredObject]) -> Blob:
    writer = store.new_blob()
    for source in sources:
        with source.path.open("rb") as file:
            while chunk := file.read(CHUNK):
                writer.write(chunk)
    return writer.finish()
