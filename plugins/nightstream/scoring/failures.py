"""Which failures of a job no retry can mend."""

from __future__ import annotations

from collections.abc import Iterable

_FINAL = ("InputFileError", "ObjectChangedError", "ModelError", "CodeVersionError")
"""Names of the errors, as they stand in a job's messages, that only a person can mend."""


def is_final(messages: Iterable[str]) -> bool:
    """Whether the same plan would fail in the same way again."""
    return any(name in message for message in messages for name in _FINAL)
