"""Lists as the service answers them: filtered, in order, page by page."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from local.cloud.http import ApiError, unsupported

_MOST = 1_000
_DEFAULT = 100
_TERM = re.compile(
    r"\s*(?P<field>[A-Za-z_]+)(?:\.(?P<key>\"[^\"]+\"|[\w-]+))?\s*"
    r"(?P<operator>=|!=|:)\s*(?P<value>\"(?:[^\"\\]|\\.)*\"|'[^']*'|[^\s\"']+)\s*"
)
_AND = re.compile(r"AND\s", re.IGNORECASE)

Resource = dict[str, Any]


def listed(field: str, resources: Sequence[Resource], query: Mapping[str, str]) -> Resource:
    """One page of the resources, under `field`. Raises ApiError."""
    if query.get("readMask"):
        raise unsupported("readMask of a list")
    chosen = [r for r in resources if _filter(query.get("filter", ""))(r)]
    ordered = _ordered(chosen, query.get("orderBy", ""))
    size = min(_number(query, "pageSize") or _DEFAULT, _MOST)
    start = _number(query, "pageToken")
    page = ordered[start : start + size]
    more = start + size < len(ordered)
    return {
        **({field: page} if page else {}),
        **({"nextPageToken": str(start + size)} if more else {}),
    }


def _filter(text: str) -> Callable[[Resource], bool]:
    """Comparisons joined by AND: display_name="x", labels.team!=night, labels.team:*, labels:team.

    Raises ApiError 501 for anything else.
    """
    tests, rest = [], text.strip()
    while rest:
        found = _TERM.match(rest)
        if not found:
            raise unsupported(f"the filter {text!r}: it has comparisons by =, !=, :, and AND")
        tests.append(_test(found["field"], found["key"], found["operator"], found["value"]))
        rest = rest[found.end() :]
        joined = _AND.match(rest)
        if rest and not joined:
            raise unsupported(f"the filter {text!r}: its comparisons can be joined by AND")
        rest = rest[joined.end() :] if joined else rest
    return lambda resource: all(test(resource) for test in tests)


def _test(field: str, key: str | None, operator: str, value: str) -> Callable[[Resource], bool]:
    wanted = value.strip("\"'")
    if field == "labels":
        label = (key or wanted).strip('"')
        if operator == ":":
            return lambda resource: label in resource.get("labels", {})
        if key is None:
            raise unsupported(f"the filter labels{operator}{value}")
        return _compared(lambda resource: resource.get("labels", {}).get(label), operator, wanted)
    if key is not None or operator == ":":
        raise unsupported(f"the filter {field}{f'.{key}' if key else ''}{operator}{value}")
    if field in ("display_name", "displayName"):
        return _compared(lambda resource: resource.get("displayName"), operator, wanted)
    if field in ("model", "endpoint"):
        return _compared(
            lambda resource: resource["name"].rpartition("/")[2].partition("@")[0],
            operator,
            wanted.rpartition("/")[2],
        )
    raise unsupported(f"a filter by {field}")


def _compared(
    of: Callable[[Resource], Any], operator: str, wanted: str
) -> Callable[[Resource], bool]:
    return lambda resource: (of(resource) == wanted) == (operator == "=")


def _ordered(resources: list[Resource], order: str) -> list[Resource]:
    """By the fields named, each perhaps `desc`; by default the newest first."""
    fields = [part.split() for part in order.split(",") if part.strip()]
    for words in reversed(fields or [["create_time", "desc"]]):
        field = re.sub("_(.)", lambda found: found[1].upper(), words[0])
        if field not in ("createTime", "updateTime", "displayName") or words[1:] not in (
            [],
            ["desc"],
        ):
            raise unsupported(f"orderBy={order}: by create_time, update_time or display_name")
        resources = sorted(
            resources, key=lambda r: str(r.get(field, "")), reverse=words[1:] == ["desc"]
        )
    return resources


def _number(query: Mapping[str, str], name: str) -> int:
    text = query.get(name) or "0"
    if not text.isdecimal():
        raise ApiError(400, f"Invalid {name}: {text!r}.")
    return int(text)
