"""Long-running operations: on disk before they are answered, then done; resumed after a crash."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from local.cloud.aiplatform.documents import not_found
from local.cloud.aiplatform.names import new_id, within
from local.cloud.aiplatform.store import Collection, Named, Store
from local.cloud.faults.armed import reach
from local.cloud.http import ApiError
from local.cloud.supervised import now

_TYPES = "type.googleapis.com/google.cloud.aiplatform.v1."
_EMPTY = {"@type": "type.googleapis.com/google.protobuf.Empty"}
_RPC_CODES = {
    "INVALID_ARGUMENT": 3,
    "NOT_FOUND": 5,
    "ALREADY_EXISTS": 6,
    "FAILED_PRECONDITION": 9,
    "ABORTED": 10,
    "UNIMPLEMENTED": 12,
    "INTERNAL": 13,
    "UNAVAILABLE": 14,
}
_SOON_S = 0.5
"""A client that asks waits so long for the end, and need not ask again."""

log = logging.getLogger(__name__)


class Operation(Named):
    """One operation: what it is to do, and how that ended."""

    kind: str
    request: dict[str, Any]
    create_time: str
    update_time: str
    response: dict[str, Any] | None = None
    error: dict[str, Any] | None = None

    @property
    def done(self) -> bool:
        return self.response is not None or self.error is not None


class Work(Protocol):
    """What operations of one kind do. Both steps may come again after a crash between them."""

    @property
    def metadata(self) -> str:
        """The name of the type of its metadata."""

    @property
    def response(self) -> str | None:
        """The name of the type of its response; None where that is empty."""

    def prepare(self, request: dict[str, Any]) -> None:
        """Whatever takes time. Raises ApiError to fail the operation."""

    def commit(self, request: dict[str, Any]) -> dict[str, Any]:
        """Changes the resources, in one transaction with the operation's end; the response."""

    def undo(self, request: dict[str, Any]) -> None:
        """Takes back what `prepare` began, once the operation has failed."""


@dataclass(frozen=True)
class Change:
    """Work that takes no time."""

    metadata: str
    response: str | None
    commit: Callable[[dict[str, Any]], dict[str, Any]]

    def prepare(self, request: dict[str, Any]) -> None:
        """Nothing takes time."""

    def undo(self, request: dict[str, Any]) -> None:
        """Nothing was begun."""


@dataclass(frozen=True)
class _Ended:
    response: dict[str, Any] | None = None
    error: dict[str, Any] | None = None


class Operations:
    """All operations; each that is not done has a thread."""

    def __init__(self, store: Store, works: Mapping[str, Work], closing: threading.Event) -> None:
        self._store = store
        self._operations = Collection(store, "operation", Operation)
        self._works = works
        self._changed = threading.Condition()
        self._closing = closing

    def resume(self) -> None:
        """Goes on with those that an earlier server did not finish."""
        for operation in self._operations.all():
            if not operation.done:
                self._start(operation)

    def close(self) -> None:
        """Those under way are left to the next server."""
        self._closing.set()
        self._notify()

    def begin(self, kind: str, target: str, request: dict[str, Any]) -> dict[str, Any]:
        """Starts an operation on a resource; as it is answered at once: running."""
        moment = now()
        operation = Operation(
            name=f"{target}/operations/{new_id()}",
            kind=kind,
            request=request,
            create_time=moment,
            update_time=moment,
        )
        self._operations.put(operation)
        self._start(operation)
        return self.view(operation)

    def get(self, name: str, patience: float = _SOON_S) -> dict[str, Any]:
        """The operation, once it is done or so many seconds have passed. Raises ApiError 404."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._closing.is_set() or self._find(name).done, patience
            )
            return self.view(self._find(name))

    def under(self, parent: str) -> list[dict[str, Any]]:
        """The operations on a resource, or on all of a location."""
        return [
            self.view(operation)
            for operation in self._operations.all()
            if operation.name.startswith(f"{parent}/")
        ]

    def running(self, kind: str, target: str) -> list[Operation]:
        """Those of a kind on a resource that are not done."""
        return [o for o in self._operations.all(target) if o.kind == kind and not o.done]

    def delete(self, name: str) -> None:
        """Forgets an operation that is done. Raises ApiError."""
        if not self._find(name).done:
            raise ApiError(400, f"{name} is not done.", status="FAILED_PRECONDITION")
        self._operations.delete(name)

    def view(self, operation: Operation) -> dict[str, Any]:
        work = self._works[operation.kind]
        shown: dict[str, Any] = {
            "name": operation.name,
            "metadata": {
                "@type": _TYPES + work.metadata,
                "genericMetadata": {
                    "createTime": operation.create_time,
                    "updateTime": operation.update_time,
                },
            },
        }
        if operation.error is not None:
            return {**shown, "done": True, "error": operation.error}
        if operation.response is not None:
            type_ = {"@type": _TYPES + work.response} if work.response else _EMPTY
            return {**shown, "done": True, "response": {**type_, **operation.response}}
        return shown

    def _find(self, name: str) -> Operation:
        operation = self._operations.find(name)
        if operation is None:
            raise not_found("Operation", name)
        return operation

    def _start(self, operation: Operation) -> None:
        threading.Thread(
            target=self._run, args=(operation,), name=within(operation.name), daemon=True
        ).start()

    def _run(self, operation: Operation) -> None:
        work = self._works[operation.kind]
        try:
            reach("aiplatform.operation.begin")
            work.prepare(operation.request)
            if self._closing.is_set():
                return
            reach("aiplatform.operation.commit")
            with self._store.transaction():
                self._end(operation, _Ended(response=work.commit(operation.request)))
        except Exception as error:
            if self._closing.is_set():
                return
            work.undo(operation.request)
            self._end(operation, _Ended(error=_status_of(error)))
        self._notify()

    def _notify(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _end(self, operation: Operation, ended: _Ended) -> None:
        changes = {"response": ended.response, "error": ended.error, "update_time": now()}
        self._operations.put(operation.model_copy(update=changes))


def _status_of(error: Exception) -> dict[str, Any]:
    """What a client is told: a refusal in the service's words, or a bug of ours."""
    if not isinstance(error, ApiError):
        log.error("an operation failed", exc_info=error)
        error = ApiError(500, f"the local cloud failed: {type(error).__name__}: {error}")
    status = error.body()["error"]["status"]
    return {"code": _RPC_CODES.get(status, 2), "message": error.message}
