"""Long-running operations of Vertex AI, of one resource."""

from __future__ import annotations

from typing import Any, NamedTuple

from google.api_core.exceptions import NotFound
from google.longrunning import operations_pb2


class Operation(NamedTuple):
    """An operation as it is now."""

    name: str
    done: bool
    error: str | None


def operation_of(client: Any, name: str) -> Operation | None:
    """None where it is forgotten."""
    try:
        found = client.get_operation(operations_pb2.GetOperationRequest(name=name))
    except NotFound:
        return None
    return _read(found)


def running_operation(client: Any, resource: str) -> Operation | None:
    """One that is under way on a model or an endpoint; None where none is, or no such resource."""
    token = ""
    while True:
        request = operations_pb2.ListOperationsRequest(name=resource, page_token=token)
        try:
            page = client.list_operations(request)
        except NotFound:
            return None
        for found in map(_read, page.operations):
            if not found.done:
                return found
        token = page.next_page_token
        if not token:
            return None


def _read(operation: Any) -> Operation:
    failed = operation.done and operation.HasField("error")
    return Operation(operation.name, operation.done, operation.error.message if failed else None)
