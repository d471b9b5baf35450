"""Buckets and objects, durable on one disk, with generations as Cloud Storage gives them."""

from __future__ import annotations

import dataclasses
import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from local.cloud.faults.armed import reach
from local.cloud.http import ApiError
from local.cloud.storage.blobs import BlobFolder, BlobWriter
from local.cloud.storage.catalog import Catalog, dump, micros, moment
from local.cloud.storage.model import Attributes, Blob, Bucket, StoredObject
from local.cloud.storage.preconditions import Preconditions

_GRACE = timedelta(minutes=10)
_SWEEP_EVERY = timedelta(minutes=1)
_ABANDONED = timedelta(days=7)


class ObjectStore:
    """The objects of all buckets. Safe to use from many threads.

    Bytes are written first, under a name of their own, and a row of the catalog makes them an
    object: a reader sees the whole object or none of it, and a crash leaves at most stray bytes,
    which the next start removes. A replaced or deleted generation is not found any more; its bytes
    stay on disk ten minutes for those who are reading them.
    """

    def __init__(self, root: Path) -> None:
        self.catalog = Catalog(root / "catalog.sqlite")
        self.blobs = BlobFolder(root / "blobs")
        row = self.catalog.row("SELECT max(generation) AS last FROM objects")
        self._last_generation: int = (row["last"] if row else None) or 0
        self._swept = datetime.now(UTC)
        self._remove_strays()

    def close(self) -> None:
        self.catalog.close()

    # Buckets

    def create_bucket(self, name: str, fields: dict[str, Any]) -> Bucket:
        """Raises ApiError 409 when the bucket exists."""
        now = datetime.now(UTC)
        try:
            with self.catalog.transaction() as db:
                db.execute(
                    "INSERT INTO buckets VALUES (?, 1, ?, ?, ?)",
                    (name, micros(now), micros(now), dump(fields)),
                )
        except sqlite3.IntegrityError as error:
            raise ApiError(
                409,
                "Your previous request to create the named bucket succeeded and you already own it",
                "conflict",
            ) from error
        return self.bucket(name)

    def bucket(self, name: str) -> Bucket:
        """Raises ApiError 404."""
        row = self.catalog.row("SELECT * FROM buckets WHERE name = ?", name)
        if row is None:
            raise ApiError(404, f"The specified bucket does not exist: {name}", "notFound")
        return _bucket(row)

    def buckets(self) -> list[Bucket]:
        """All buckets by name."""
        return [_bucket(row) for row in self.catalog.rows("SELECT * FROM buckets ORDER BY name")]

    def update_bucket(
        self,
        name: str,
        change: Callable[[dict[str, Any]], dict[str, Any]],
        require: Callable[[Bucket], None],
    ) -> Bucket:
        """Apply `change` to the bucket's fields. Raises ApiError 404 and what `require` raises."""
        with self.catalog.transaction() as db:
            bucket = self.bucket(name)
            require(bucket)
            db.execute(
                "UPDATE buckets SET metageneration = metageneration + 1, updated = ?, fields = ?"
                " WHERE name = ?",
                (micros(datetime.now(UTC)), dump(change(bucket.fields)), name),
            )
            return self.bucket(name)

    def delete_bucket(self, name: str, require: Callable[[Bucket], None]) -> None:
        """Raises ApiError 404, 409 when it still holds objects, and what `require` raises."""
        with self.catalog.transaction() as db:
            require(self.bucket(name))
            if next(self.scan(name), None) is not None:
                raise ApiError(409, "The bucket you tried to delete is not empty.", "conflict")
            db.execute("DELETE FROM buckets WHERE name = ?", (name,))

    # Objects

    def get(self, bucket: str, name: str, generation: int | None = None) -> StoredObject | None:
        """The live object; None when there is none, or when it is not `generation`."""
        row = self.catalog.row("SELECT * FROM objects WHERE bucket = ? AND name = ?", bucket, name)
        if row is None or generation not in (None, row["generation"]):
            return None
        return self._object(row)

    def find(self, bucket: str, name: str, generation: int | None = None) -> StoredObject:
        """As `get`, but raises ApiError 404 naming what is missing, bucket or object."""
        found = self.get(bucket, name, generation)
        if found is None:
            self.bucket(bucket)
            pinned = "" if generation is None else f"#{generation}"
            raise ApiError(404, f"No such object: {bucket}/{name}{pinned}", "notFound")
        return found

    def list(self, bucket: str, prefix: str = "") -> list[StoredObject]:
        """The live objects under a prefix, by name. An unknown bucket has none."""
        found = []
        for stored in self.scan(bucket, prefix):
            if not stored.name.startswith(prefix):
                break
            found.append(stored)
        return found

    def scan(self, bucket: str, start: str = "") -> Iterator[StoredObject]:
        """Live objects in the order of their names, from `start` (inclusive) on."""
        # The first rows are few: a listing by folder reads one and starts anew behind the folder.
        comparison, limit = ">=", 8
        while True:
            rows = self.catalog.rows(
                f"SELECT * FROM objects WHERE bucket = ? AND name {comparison} ?"
                f" ORDER BY name LIMIT {limit}",
                bucket,
                start,
            )
            yield from map(self._object, rows)
            if len(rows) < limit:
                return
            comparison, start, limit = ">", rows[-1]["name"], 1000

    def new_blob(self) -> BlobWriter:
        """Where to write the bytes of an object to be; follow with `commit` or `abandon`."""
        return BlobWriter(self.blobs.new_path())

    def commit(
        self,
        bucket: str,
        name: str,
        blob: Blob,
        attributes: Attributes,
        preconditions: Preconditions,
        then: Callable[[sqlite3.Connection, StoredObject], None] | None = None,
    ) -> StoredObject:
        """Make the blob the live generation of an object.

        `then` runs inside the same transaction. Raises ApiError 404 for the bucket and 412; the
        blob is removed then.
        """
        try:
            reach("storage.commit")
            with self.catalog.transaction() as db:
                self.bucket(bucket)
                replaced = self.get(bucket, name)
                preconditions.require(replaced)
                written = _first_state(bucket, name, self._next_generation(), blob, attributes)
                if replaced is not None:
                    self._retire(db, replaced.path)
                self._put(db, written)
                if then is not None:
                    then(db, written)
        except BaseException:
            blob.path.unlink(missing_ok=True)
            raise
        self._sweep_when_due()
        return written

    def update(
        self,
        bucket: str,
        name: str,
        change: Callable[[Attributes], Attributes],
        preconditions: Preconditions,
        generation: int | None = None,
    ) -> StoredObject:
        """Change an object's attributes and leave its bytes. Raises ApiError 404, 412."""
        with self.catalog.transaction() as db:
            live = self.find(bucket, name, generation)
            preconditions.require(live)
            changed = change(Attributes(live.content_type, live.metadata, live.fields))
            updated = dataclasses.replace(
                live,
                metageneration=live.metageneration + 1,
                updated=datetime.now(UTC),
                content_type=changed.content_type,
                metadata=changed.metadata,
                fields=changed.fields,
            )
            self._put(db, updated)
        return updated

    def delete(
        self, bucket: str, name: str, preconditions: Preconditions, generation: int | None = None
    ) -> None:
        """Raises ApiError 404, 412."""
        with self.catalog.transaction() as db:
            live = self.find(bucket, name, generation)
            preconditions.require(live)
            self._remove(db, live)
        self._sweep_when_due()

    def move(self, source: StoredObject, name: str, preconditions: Preconditions) -> StoredObject:
        """Rename within the bucket, at once. Raises ApiError 404 when `source` changed, 412."""
        blob = self.link(source)

        def remove_source(db: sqlite3.Connection, _: StoredObject) -> None:
            self._remove(db, self.find(source.bucket, source.name, source.generation))

        attributes = Attributes(source.content_type, source.metadata, source.fields)
        return self.commit(source.bucket, name, blob, attributes, preconditions, remove_source)

    def link(self, source: StoredObject) -> Blob:
        """The bytes of an object once more, for a copy of it."""
        return Blob(self.blobs.link(source.path), source.size, source.crc32c, source.md5)

    # Inside

    def _next_generation(self) -> int:
        self._last_generation = max(self._last_generation + 1, time.time_ns() // 1000)
        return self._last_generation

    def _put(self, db: sqlite3.Connection, stored: StoredObject) -> None:
        db.execute(
            f"INSERT OR REPLACE INTO objects VALUES ({', '.join('?' * 13)})",
            (
                stored.bucket,
                stored.name,
                stored.generation,
                stored.metageneration,
                stored.size,
                self.blobs.relative(stored.path),
                stored.crc32c,
                stored.md5,
                stored.content_type,
                micros(stored.created),
                micros(stored.updated),
                dump(stored.metadata),
                dump(stored.fields),
            ),
        )

    def _object(self, row: sqlite3.Row) -> StoredObject:
        values = dict(row)
        values["path"] = self.blobs.root / values["path"]
        values["created"] = moment(values["created"])
        values["updated"] = moment(values["updated"])
        values["metadata"] = json.loads(values["metadata"])
        values["fields"] = json.loads(values["fields"])
        return StoredObject(**values)

    def _remove(self, db: sqlite3.Connection, stored: StoredObject) -> None:
        db.execute(
            "DELETE FROM objects WHERE bucket = ? AND name = ?", (stored.bucket, stored.name)
        )
        self._retire(db, stored.path)

    def _retire(self, db: sqlite3.Connection, path: Path) -> None:
        now = micros(datetime.now(UTC))
        db.execute("INSERT INTO retired VALUES (?, ?)", (self.blobs.relative(path), now))

    def _sweep_when_due(self) -> None:
        now = datetime.now(UTC)
        if now - self._swept > _SWEEP_EVERY:
            self._swept = now
            self._sweep()

    def _sweep(self) -> None:
        """Remove the bytes of generations that nobody can be reading any more."""
        until = micros(datetime.now(UTC) - _GRACE)
        for row in self.catalog.rows("SELECT path FROM retired WHERE at < ?", until):
            (self.blobs.root / row["path"]).unlink(missing_ok=True)
        with self.catalog.transaction() as db:
            db.execute("DELETE FROM retired WHERE at < ?", (until,))

    def _remove_strays(self) -> None:
        """After a crash: bytes that no row names, and uploads given up long ago."""
        with self.catalog.transaction() as db:
            db.execute(
                "DELETE FROM uploads WHERE started < ?", (micros(datetime.now(UTC) - _ABANDONED),)
            )
        self._sweep()
        named = self.catalog.rows(
            "SELECT path FROM objects UNION SELECT path FROM retired UNION SELECT path FROM uploads"
        )
        known = {row["path"] for row in named}
        for path in list(self.blobs.relative_paths()):
            if path not in known:
                (self.blobs.root / path).unlink(missing_ok=True)


def _first_state(
    bucket: str, name: str, generation: int, blob: Blob, attributes: Attributes
) -> StoredObject:
    """A new generation, which is its time of creation in microseconds."""
    now = moment(generation)
    return StoredObject(
        bucket=bucket,
        name=name,
        generation=generation,
        metageneration=1,
        size=blob.size,
        path=blob.path,
        crc32c=blob.crc32c,
        md5=blob.md5,
        content_type=attributes.content_type,
        created=now,
        updated=now,
        metadata=attributes.metadata,
        fields=attributes.fields,
    )


def _bucket(row: sqlite3.Row) -> Bucket:
    return Bucket(
        name=row["name"],
        metageneration=row["metageneration"],
        created=moment(row["created"]),
        updated=moment(row["updated"]),
        fields=json.loads(row["fields"]),
    )
