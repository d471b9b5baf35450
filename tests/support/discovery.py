"""Google's own description of its APIs, as google-api-python-client ships it, and whether an
answer fits it."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from importlib.resources import files
from typing import Any

APIS = ("aiplatform.v1", "bigquery.v2", "dataflow.v1b3", "monitoring.v3", "storage.v1")
_DOCUMENTS = files("googleapiclient.discovery_cache") / "documents"
_RAW = {"$ref": "GoogleApiHttpBody"}
_LOOKED_AT = 200
"""Of a longer list, only the first elements are looked at."""
_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "object": (dict,),
    "array": (list,),
}
_NUMBERS_AS_WORDS = ("NaN", "Infinity", "-Infinity")

Schema = dict[str, Any]


@dataclass(frozen=True)
class Method:
    """One method of an API, e.g. `bigquery.jobs.get`."""

    id: str
    http: str
    path: re.Pattern[str]
    """Matches the whole path of a request, as it stands in the request line."""
    root: str
    """The first part of the path."""
    placeholders: int
    response: Schema | None
    """None where the answer has no body."""
    is_raw: bool
    """Whether the answer, an error too, is whatever somebody else gave: google.api.HttpBody."""
    schemas: dict[str, Schema]

    def complaints(self, answer: Any) -> list[str]:
        """What Google's description of this method does not know in a successful answer."""
        if self.response is None:
            return [] if answer is None else ["a body where there should be none"]
        return list(_complaints(answer, self.response, self.schemas, "answer"))


def method_of(http: str, path: str) -> Method | None:
    """The method that a request calls; None if no API has one."""
    possible = _methods().get((http, path.split("/")[1]), ())
    return next((method for method in possible if method.path.fullmatch(path)), None)


def error_complaints(code: int, answer: Any) -> list[str]:
    """What is wrong with the body of an error of this HTTP code."""
    error = answer.get("error") if isinstance(answer, dict) else None
    if not isinstance(error, dict):
        return ["no `error`"]
    found = []
    if error.get("code") != code:
        found.append(f"error.code is {error.get('code')!r} and the HTTP code {code}")
    if not error.get("message") or not isinstance(error["message"], str):
        found.append("error.message is missing")
    if not re.fullmatch("[A-Z_]+", str(error.get("status"))):
        found.append(f"error.status is {error.get('status')!r}")
    for item in error.get("errors", []):
        if any(not isinstance(item.get(name), str) for name in ("message", "domain", "reason")):
            found.append(f"error.errors has {item!r}")
    return found


def document(api: str) -> Schema:
    """The discovery document of an API, e.g. `storage.v1`."""
    found: Schema = json.loads((_DOCUMENTS / f"{api}.json").read_text())
    return found


@cache
def _methods() -> dict[tuple[str, str], list[Method]]:
    """By HTTP method and the first part of the path; of them, those with fewer placeholders come
    first, then those that say more besides."""
    found: dict[tuple[str, str], list[Method]] = {}
    every = [method for api in APIS for method in _of_api(api)]
    for method in sorted(every, key=lambda m: (m.placeholders, -len(m.path.pattern))):
        found.setdefault((method.http, method.root), []).append(method)
    return found


def _of_api(api: str) -> Iterator[Method]:
    described = document(api)
    for method in _of_resource(described):
        path = "/" + described["servicePath"] + method["path"]
        uploads = method.get("mediaUpload", {}).get("protocols", {}).values()
        for template in {path, *(protocol["path"] for protocol in uploads)}:
            yield Method(
                id=method["id"],
                http=method["httpMethod"],
                path=_pattern(template, method["parameters"]),
                root=template.split("/")[1],
                placeholders=method.get("flatPath", path).count("{"),
                response=method.get("response"),
                is_raw=method.get("response") == _RAW,
                schemas=described["schemas"],
            )


def _of_resource(resource: Schema) -> Iterator[Schema]:
    yield from resource.get("methods", {}).values()
    for part in resource.get("resources", {}).values():
        yield from _of_resource(part)


def _pattern(template: str, parameters: Schema) -> re.Pattern[str]:
    """Of a path like `v3/{+name}/timeSeries`, where a parameter may be several segments."""
    parts = re.split(r"\{\+?(\w+)\}", template)
    for place in range(1, len(parts), 2):
        parts[place] = parameters[parts[place]].get("pattern", "[^/]+").strip("^$")
    parts[::2] = map(re.escape, parts[::2])
    return re.compile("".join(parts))


def _complaints(
    value: Any, schema: Schema, schemas: dict[str, Schema], where: str
) -> Iterator[str]:
    schema = schemas[schema["$ref"]] if "$ref" in schema else schema
    expected = schema["type"]
    if not _is_of_type(value, expected):
        yield f"{where} is {json.dumps(value)[:80]}, not of type {expected}"
    elif expected == "object":
        yield from _object_complaints(value, schema, schemas, where)
    elif expected == "array":
        for number, item in enumerate(value[:_LOOKED_AT]):
            yield from _complaints(item, schema["items"], schemas, f"{where}[{number}]")
    elif value not in schema.get("enum", [value]):
        yield f"{where} is {value!r}, not one of {', '.join(schema['enum'])}"
    elif not _fits(value, schema.get("format")):
        yield f"{where} is {value!r}, not in format {schema['format']}"


def _object_complaints(
    value: dict[str, Any], schema: Schema, schemas: dict[str, Schema], where: str
) -> Iterator[str]:
    fields = schema.get("properties", {})
    other = schema.get("additionalProperties")
    for name, item in value.items():
        here = f"{where}.{name}"
        if (known := fields.get(name, other)) is None:
            yield f"{here} is not a field of {schema.get('id', 'this object')}"
            continue
        yield from _complaints(item, known, schemas, here)
        if name == "kind" and known.get("default", item) != item:
            yield f"{here} is {item!r}, not {known['default']!r}"


def _is_of_type(value: Any, name: str) -> bool:
    if name == "any" or (name == "number" and value in _NUMBERS_AS_WORDS):
        return True
    if isinstance(value, bool):
        return name == "boolean"
    return isinstance(value, _TYPES[name])


def _fits(value: Any, form: str | None) -> bool:
    """Whether a value of the right type has this format, as JSON of Google's APIs writes it."""
    if form in ("int32", "uint32"):
        bits = 32 if form == "uint32" else 31
        return (0 if form == "uint32" else -(2**31)) <= value < 2**bits
    if form in ("int64", "uint64"):
        return re.fullmatch(r"\d+" if form == "uint64" else r"-?\d+", value) is not None
    if form in ("google-datetime", "date-time"):
        return _is_time(value)
    if form == "google-duration":
        return re.fullmatch(r"-?\d+(\.\d{1,9})?s", value) is not None
    if form == "date":
        return re.fullmatch(r"\d{4}-\d\d-\d\d", value) is not None and bool(
            date.fromisoformat(value)
        )
    return _is_base64(value) if form == "byte" else True


def _is_time(value: str) -> bool:
    try:
        return datetime.fromisoformat(value).tzinfo is not None and "T" in value
    except ValueError:
        return False


def _is_base64(value: str) -> bool:
    try:
        base64.b64decode(value.translate(str.maketrans("-_", "+/")), validate=True)
    except binascii.Error:
        return False
    return True
