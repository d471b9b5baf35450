"""What clients send, as the service keeps it and shows it again."""

from __future__ import annotations

import json
from typing import Any


def as_kept(sent: Any) -> Any:
    """Fields that are null are not there, and the value of a query parameter is text."""
    if isinstance(sent, list):
        return [as_kept(item) for item in sent]
    if not isinstance(sent, dict):
        return sent
    return {
        name: _as_text(item) if name == "value" else as_kept(item)
        for name, item in sent.items()
        if item is not None
    }


def _as_text(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, bool | int | float) else as_kept(value)
