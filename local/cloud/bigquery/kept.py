"""Jobs that clients send, as the service keeps them and shows them again."""

from __future__ import annotations

import json
from typing import Any

_COUNTS = ("maxBadRecords", "skipLeadingRows")
_TEXTS = ("value", "jobTimeoutMs", "maximumBytesBilled")
"""Values of query parameters, and numbers of 64 bits."""


def as_kept(sent: Any) -> Any:
    """Null fields are not there, and numbers are text or not, whatever they were sent as."""
    if isinstance(sent, list):
        return [as_kept(item) for item in sent]
    if not isinstance(sent, dict):
        return sent
    return {
        name: _as_text(item) if name in _TEXTS else _as_count(name, as_kept(item))
        for name, item in sent.items()
        if item is not None
    }


def _as_text(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, bool | int | float) else as_kept(value)


def _as_count(name: str, value: Any) -> Any:
    return int(value) if name in _COUNTS and str(value).isdigit() else value
