"""Answers gone wrong, as a fault asks for them: what a client of predictions must not believe."""

from __future__ import annotations

import json
import math
from typing import Any

_PAGE = (
    "<!DOCTYPE html><html lang=en><title>Error 502 (Server Error)!!1</title>"
    "<p>The server encountered a temporary error and could not complete your request.</p></html>"
)


def corrupted(how: str, body: bytes) -> tuple[bytes, str]:
    """The answer as `how` has it, and its content type. An answer that is no JSON object stays.

    - short: the last prediction is missing, and whatever is listed beside it
    - reordered: the predictions, and whatever is listed beside them, come in reverse
    - nan: the first number among the predictions is NaN
    - html: an HTML page instead
    """
    if how == "html":
        return _PAGE.encode(), "text/html; charset=UTF-8"
    try:
        answer = json.loads(body)
    except ValueError:
        return body, "application/json"
    if isinstance(answer, dict):
        answer = _changed(how, answer)
    return json.dumps(answer).encode(), "application/json"


def _changed(how: str, answer: dict[str, Any]) -> dict[str, Any]:
    if how == "nan":
        return {**answer, "predictions": _with_nan(answer.get("predictions"))}
    changed = dict(answer)
    for name, value in answer.items():
        if isinstance(value, list):
            changed[name] = value[:-1] if how == "short" else value[::-1]
    return changed


def _with_nan(value: Any) -> Any:
    """The first number within, depth first, is NaN."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return math.nan
    if not isinstance(value, (dict, list)):
        return value
    for place, item in value.items() if isinstance(value, dict) else enumerate(value):
        changed = _with_nan(item)
        if changed is not item:
            copy = value.copy()
            copy[place] = changed
            return copy
    return value
