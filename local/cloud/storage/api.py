"""Cloud Storage's JSON API, put together."""

from __future__ import annotations

from starlette.routing import BaseRoute

from local.cloud.storage.batch import BatchApi
from local.cloud.storage.buckets_api import BucketsApi
from local.cloud.storage.objects_api import ObjectsApi
from local.cloud.storage.refusals import XmlUploads
from local.cloud.storage.store import ObjectStore
from local.cloud.storage.upload_api import UploadApi
from local.cloud.storage.uploads import Uploads


class StorageApi:
    """Satisfies `local.cloud.http.Api`; the store is opened and closed by whoever shares it."""

    def __init__(self, objects: ObjectStore) -> None:
        self._objects = objects

    def routes(self) -> list[BaseRoute]:
        return [
            *BucketsApi(self._objects).routes(),
            *ObjectsApi(self._objects).routes(),
            *UploadApi(self._objects, Uploads(self._objects)).routes(),
            *BatchApi().routes(),
            XmlUploads(),
        ]

    def start(self) -> None:
        """The store is ready once it is open."""

    def stop(self) -> None:
        """Everything is on disk already."""
