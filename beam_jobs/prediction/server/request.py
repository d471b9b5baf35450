"""A prediction request: `{"instances": [{…}, …], "parameters": {"key": "id"}}`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from beam_jobs.prediction.server.problems import Problem, RefusedRequest, refused

_FORM = 'send an object such as {"instances": [{…}, …]}'


@dataclass(frozen=True)
class PredictRequest:
    """A request whose form is right; nothing is known of the instances' fields yet."""

    instances: list[dict[str, Any]]
    key: str | None
    """The field of the instances that each prediction repeats."""


def parse_request(body: bytes) -> PredictRequest:
    """Reads a request's JSON. Raises RefusedRequest (400)."""
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise refused(400, f"the request is not JSON: {error}", _FORM) from error
    if not isinstance(content, dict):
        raise refused(400, f"the request is {kind_of(content)}, not an object", _FORM)
    for name in content.keys() - {"instances", "parameters"}:
        raise refused(400, f"the request has a member {name[:80]!r}, which means nothing", _FORM)
    return PredictRequest(_instances(content.get("instances")), _key(content.get("parameters")))


def _instances(value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list):
        raise refused(400, f"instances is {kind_of(value)}, not an array", _FORM)
    if set(map(type, value)) - {dict}:
        problems = [
            Problem(f"is {kind_of(item)}, not an object", "name each value by its field", number)
            for number, item in enumerate(value)
            if not isinstance(item, dict)
        ]
        raise RefusedRequest(400, problems)
    return value


def _key(parameters: Any) -> str | None:
    if parameters is None:
        return None
    remedy = 'send "parameters": {"key": "<field>"}, or none'
    if not isinstance(parameters, dict):
        raise refused(400, f"parameters is {kind_of(parameters)}, not an object", remedy)
    for name in parameters.keys() - {"key"}:
        raise refused(400, f"the parameter {name[:80]!r} means nothing", remedy)
    key = parameters.get("key")
    if key is not None and not isinstance(key, str):
        raise refused(400, f"parameters.key is {kind_of(key)}, not a field's name", remedy)
    return key


def kind_of(value: Any) -> str:
    """What a JSON value is, in words; short ones are quoted."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case dict():
            return "an object"
        case list():
            return "an array"
        case str():
            return f"the string {value[:80]!r}"
        case _:
            return f"the number {value}"
