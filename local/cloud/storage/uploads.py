"""Uploads on their way: where they go, and the sessions of resumable ones."""

from __future__ import annotations

import dataclasses
import json
import sqlite3
import threading
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime

from local.cloud.http import ApiError
from local.cloud.storage.blobs import BlobWriter
from local.cloud.storage.catalog import dump, micros
from local.cloud.storage.checksums import verify
from local.cloud.storage.model import Attributes, StoredObject
from local.cloud.storage.preconditions import Preconditions
from local.cloud.storage.store import ObjectStore


@dataclass(frozen=True)
class Target:
    """The object an upload will become, and under which conditions."""

    bucket: str
    name: str
    attributes: Attributes
    preconditions: Preconditions = field(default_factory=Preconditions)
    checksums: dict[str, str] = field(default_factory=dict)


class UploadSession:
    """One resumable upload. Its bytes arrive in order; a later request may take over a stalled one.

    `generation` is set once the upload has become an object; `writer` is None from then on, and
    also when the upload was given up.
    """

    def __init__(
        self, upload_id: str, target: Target, writer: BlobWriter | None, generation: int | None
    ) -> None:
        self.id = upload_id
        self.target = target
        self.generation = generation
        self.writer = writer
        self.lock = threading.RLock()

    @property
    def size(self) -> int:
        """Bytes received so far."""
        return self.writer.size if self.writer else 0

    def append(self, offset: int, data: bytes) -> None:
        """Bytes that are here already are passed over. Raises ApiError 400 for a gap, 404."""
        with self.lock:
            if self.generation is not None:
                return
            if self.writer is None:
                raise _unknown(self.id)
            if offset > self.size:
                raise ApiError(
                    400, f"Bytes from {offset} on, but only {self.size} are here.", "invalid"
                )
            self.writer.write(data[self.size - offset :])


class Uploads:
    """Resumable sessions, kept in the catalog so that a restart of the server does not end them."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._sessions: dict[str, UploadSession] = {}
        self._lock = threading.Lock()

    def begin(self, target: Target) -> str:
        """A new session's id. Raises ApiError 404 for the bucket, 412."""
        self._store.bucket(target.bucket)
        target.preconditions.require(self._store.get(target.bucket, target.name))
        upload_id = uuid.uuid4().hex
        path = self._store.blobs.path(upload_id)
        with self._store.catalog.transaction() as db:
            db.execute(
                "INSERT INTO uploads VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL)",
                (
                    upload_id,
                    target.bucket,
                    target.name,
                    dump(dataclasses.asdict(target.attributes)),
                    dump(dataclasses.asdict(target.preconditions)),
                    dump(target.checksums),
                    self._store.blobs.relative(path),
                    micros(datetime.now(UTC)),
                ),
            )
        return upload_id

    def session(self, upload_id: str) -> UploadSession:
        """Raises ApiError 404 for an unknown session."""
        with self._lock:
            if upload_id not in self._sessions:
                self._sessions[upload_id] = self._load(upload_id)
            return self._sessions[upload_id]

    def finish(self, session: UploadSession, checksums: dict[str, str]) -> StoredObject:
        """Make the bytes an object, once; a repeated call finds it. Raises ApiError 400, 412."""
        target = session.target
        with session.lock:
            if session.generation is not None:
                return self._store.find(target.bucket, target.name, session.generation)
            if session.writer is None:
                raise _unknown(session.id)
            blob = session.writer.finish()

            def conclude(db: sqlite3.Connection, stored: StoredObject) -> None:
                db.execute(
                    "UPDATE uploads SET generation = ? WHERE id = ?",
                    (stored.generation, session.id),
                )

            try:
                verify(blob, {**target.checksums, **checksums})
                stored = self._store.commit(
                    target.bucket,
                    target.name,
                    blob,
                    target.attributes,
                    target.preconditions,
                    conclude,
                )
            except ApiError:
                self.cancel(session)
                raise
            session.generation = stored.generation
            session.writer = None
        self._forget(session)
        return stored

    def cancel(self, session: UploadSession) -> None:
        """Forget the session and its bytes, unless they are an object already."""
        with session.lock:
            if session.writer is None:
                return
            with self._store.catalog.transaction() as db:
                db.execute("DELETE FROM uploads WHERE id = ?", (session.id,))
            session.writer.abandon()
            session.writer = None
        self._forget(session)

    def _forget(self, session: UploadSession) -> None:
        with self._lock:
            self._sessions.pop(session.id, None)

    def _load(self, upload_id: str) -> UploadSession:
        row = self._store.catalog.row("SELECT * FROM uploads WHERE id = ?", upload_id)
        if row is None:
            raise _unknown(upload_id)
        target = Target(
            bucket=row["bucket"],
            name=row["name"],
            attributes=Attributes(**json.loads(row["attributes"])),
            preconditions=Preconditions(**json.loads(row["preconditions"])),
            checksums=json.loads(row["checksums"]),
        )
        if row["generation"] is not None:
            return UploadSession(upload_id, target, None, row["generation"])
        writer = BlobWriter.resume(self._store.blobs.root / row["path"])
        return UploadSession(upload_id, target, writer, None)


def _unknown(upload_id: str) -> ApiError:
    return ApiError(404, f"No such upload: {upload_id}", "notFound")
