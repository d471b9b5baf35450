"""One fault: what goes wrong, and at which requests, rows, reads or named point."""

from __future__ import annotations

import json
import re
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from local.cloud.faults.points import AT_JOBS, AT_SERVER
from local.cloud.http import ApiError

Kind = Literal["error", "latency", "hang", "reset", "crash", "row", "stale", "corrupt"]

_AT_REQUESTS = {"path", "method"}
_OF_KIND: dict[Kind, set[str]] = {
    "error": {"code", "message", "reason", "retry_after", "when", "body"},
    "latency": {"seconds", "when", "body"},
    "hang": {"when", "body"},
    "reset": {"when", "body"},
    "crash": {"when"},
    "row": {"row", "message", "reason"},
    "stale": {"seconds"},
    "corrupt": {"answer"},
}
"""The fields that say how a fault of a kind strikes; any fault may say where, and how often."""
_AT_POINT: dict[str, tuple[Kind, ...]] = {
    **dict.fromkeys(AT_SERVER, ("error", "latency", "crash")),
    **dict.fromkeys(AT_JOBS, ("latency", "crash")),
}


class NotAFault(Exception):
    """What was asked for is no fault; the message says why and what there is."""


class Fault(BaseModel):
    """One fault, and the requests, the rows, the reads or the named point it strikes.

    Of the calls that match, the first `skip` pass; then `times` are struck (all, when it is left
    out), or the seeded share `share` of them. `when="after"` lets the call do its work first and
    takes its answer away: the client cannot know what happened.
    """

    model_config = ConfigDict(extra="forbid")

    kind: Kind
    method: str = ".*"
    path: str | None = None
    point: str | None = None
    job: str = ".*"
    row: str | None = None
    body: str | None = None
    answer: Literal["short", "reordered", "nan", "html"] | None = None
    when: Literal["before", "after"] = "before"
    skip: int = Field(0, ge=0)
    times: int | None = Field(None, ge=1)
    share: float | None = Field(None, gt=0, le=1)
    seed: int = 0
    code: int = Field(503, ge=400, le=599)
    message: str = "injected by a fault knob"
    reason: str = "backendError"
    retry_after: int | None = Field(None, ge=0)
    seconds: float = Field(1.0, ge=0)

    @model_validator(mode="after")
    def _check(self) -> Fault:
        if (self.path is None) == (self.point is None):
            raise ValueError("name either a path (a regular expression) or a point")
        if self.point is not None:
            _check_point(self.point, self.kind)
        if self.kind == "row" and self.row is None:
            raise ValueError("a fault of kind row says which ones by `row`")
        if self.kind == "corrupt" and self.answer is None:
            raise ValueError("a fault of kind corrupt says what becomes of the `answer`")
        for field in sorted(self.model_fields_set - _fields_of(self.kind, self.point)):
            where = f" at the point {self.point}" if self.point else ""
            raise ValueError(f"{field} means nothing for a fault of kind {self.kind}{where}")
        for pattern in (self.method, self.path or "", self.row or "", self.body or "", self.job):
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"not a regular expression: {pattern}: {error}") from error
        return self

    def error(self) -> ApiError:
        wait = {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
        return ApiError(self.code, self.message, self.reason, headers=wait)


def fault_of(value: Any) -> Fault:
    """A fault as it comes in JSON. Raises NotAFault."""
    if not isinstance(value, dict):
        raise NotAFault(f"not a fault: {value!r} is not a JSON object")
    try:
        return Fault.model_validate(value)
    except ValidationError as error:
        said = "; ".join(_said(detail) for detail in error.errors())
        raise NotAFault(f"not a fault: {said}") from error


def faults_of(text: str) -> list[Fault]:
    """Faults from a JSON list of them. Raises NotAFault."""
    try:
        values = json.loads(text)
    except ValueError as error:
        raise NotAFault(f"not JSON: {error}") from error
    if not isinstance(values, list):
        raise NotAFault('not a JSON list of faults, like [{"kind": "error", "path": "/storage/"}]')
    return [fault_of(value) for value in values]


def _check_point(point: str, kind: Kind) -> None:
    if point not in _AT_POINT:
        raise ValueError(f"there is no point {point!r}; there are {', '.join(_AT_POINT)}")
    if kind not in _AT_POINT[point]:
        raise ValueError(
            f"a {kind} does not strike the point {point}, but {' or '.join(_AT_POINT[point])}"
        )


def _fields_of(kind: Kind, point: str | None) -> set[str]:
    """The fields that have a meaning for a kind of fault, at requests or at a point."""
    counted = {"kind", "skip", "times", "share", "seed"}
    if point is None:
        return counted | _AT_REQUESTS | _OF_KIND[kind]
    named = {"point", "job"} if point in AT_JOBS else {"point"}
    return counted | named | (_OF_KIND[kind] - {"when", "body", "retry_after"})


def _said(detail: ErrorDetails) -> str:
    """One finding of pydantic's in the words of who armed the fault."""
    field = ".".join(str(part) for part in detail["loc"])
    if detail["type"] == "extra_forbidden":
        return f"unknown field {field}; there are {', '.join(Fault.model_fields)}"
    if detail["type"] == "literal_error":
        there_are = ", ".join(_choices(Fault.model_fields[field].annotation))
        return f"unknown {field} {detail['input']!r}; there are {there_are}"
    message = detail["msg"].removeprefix("Value error, ")
    return f"{field}: {message}" if field else message


def _choices(annotation: Any) -> tuple[str, ...]:
    """The words that a field may be, where it may also be left out."""
    first, *_ = choices = get_args(annotation)
    return choices if isinstance(first, str) else get_args(first)
