"""The shape of what is stored and received: JSON as Google's APIs write it, with types."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from local.cloud.http import ApiError, unsupported


class Document(BaseModel):
    """Fields are camelCase in JSON, and taken in snake_case too, as by the service."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid")

    def json_fields(self) -> dict[str, Any]:
        """As it is answered: what is empty is left out."""
        shown = self.model_dump(mode="json", by_alias=True)
        return {name: value for name, value in shown.items() if value not in (None, "", [], {})}


D = TypeVar("D", bound=Document)

_OUTPUT_ONLY = ("name", "createTime", "updateTime", "etag")


def received(kind: type[D], value: Any, what: str, output_only: Iterable[str] = ()) -> D:
    """What a client sent, without what only the service says. Raises ApiError: 501 for a field that
    this server does not know, 400 for one that is wrong."""
    if not isinstance(value, Mapping):
        raise ApiError(400, f"Required field is not set: {what}.")
    given = {k: v for k, v in value.items() if k not in (*_OUTPUT_ONLY, *output_only)}
    try:
        return kind.model_validate(given)
    except ValidationError as error:
        raise _refused(error, what) from error


def _refused(error: ValidationError, what: str) -> ApiError:
    found = {".".join([what, *map(str, e["loc"])]): e for e in error.errors()}
    unknown = [field for field, e in found.items() if e["type"] == "extra_forbidden"]
    if unknown:
        return unsupported(f"the field {', '.join(unknown)}")
    said = "; ".join(
        f"Required field is not set: {field}"
        if e["type"] == "missing"
        else f"Invalid value at {field}: {e['msg'].removeprefix('Value error, ')}"
        for field, e in found.items()
    )
    return ApiError(400, f"{said}.")


def masked(body: Mapping[str, Any], mask: str | None, known: Mapping[str, type]) -> dict[str, Any]:
    """The fields that an update changes: those its mask names, in snake_case and with the value
    that the body has or, where it has none, empty.

    `known` are the fields that may be updated, and their types. Raises ApiError.
    """
    if not mask:
        raise ApiError(400, "Required field is not set: update_mask.")
    if mask == "*":
        raise unsupported("updateMask=*: name the fields")
    changes = {}
    for path in mask.split(","):
        field = "".join(f"_{c.lower()}" if c.isupper() else c for c in path.strip())
        if field not in known:
            there_are = ", ".join(known)
            raise ApiError(400, f"update_mask: {path!r} cannot be updated; {there_are} can.")
        changes[field] = body.get(to_camel(field), body.get(field, known[field]()))
        if not isinstance(changes[field], known[field]):
            raise ApiError(400, f"Invalid value at {field}: {changes[field]!r}.")
    if changes.get("display_name") == "":
        raise ApiError(400, "Required field is not set: display_name.")
    return changes


def etag(content: Document, fields: Iterable[str] | None = None) -> str:
    """Changes with the content, or with those fields of it."""
    text = content.model_dump_json(include=set(fields) if fields else None)
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def check_etag(current: str, body: Mapping[str, Any]) -> None:
    """Raises ApiError 409 where the client has read an older state than it is about to change."""
    given = body.get("etag")
    if given and given != current:
        raise ApiError(
            409,
            "etag mismatch: the resource has changed since it was read. Read it again.",
            "aborted",
            "ABORTED",
        )


def precondition(message: str) -> ApiError:
    """400: the request is right, the state is not."""
    return ApiError(400, message, "failedPrecondition", "FAILED_PRECONDITION")


def not_found(kind: str, name: str) -> ApiError:
    return ApiError(404, f"The {kind} does not exist: {name}", "notFound")
