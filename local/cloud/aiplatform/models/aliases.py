"""Aliases of versions: each names one version of a model, and one version is the default."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from local.cloud.aiplatform.documents import precondition
from local.cloud.http import ApiError

DEFAULT = "default"
_ALIAS = re.compile(r"[a-z][a-zA-Z0-9-]{0,126}[a-z0-9]")

Aliases = Mapping[str, Sequence[str]]
"""The aliases of each version of a model, by its number."""


def merged(current: Aliases, version: str, changes: Sequence[str]) -> dict[str, list[str]]:
    """The aliases after some were given to a version, and those with a `-` before were taken.

    An alias that another version had moves. Raises ApiError 400.
    """
    for change in changes:
        if not _ALIAS.fullmatch(change.removeprefix("-")):
            raise ApiError(
                400,
                f"Invalid version alias {change.removeprefix('-')!r}: it begins with a lower case "
                "letter, ends with one or a digit, has letters, digits and dashes between, and "
                "is 2 to 128 characters long.",
            )
    taken = {change[1:] for change in changes if change.startswith("-")}
    given = [change for change in changes if not change.startswith("-")]
    both = taken.intersection(given)
    given = [alias for alias in dict.fromkeys(given) if alias not in both]
    taken -= both
    if DEFAULT in taken:
        raise precondition(
            "The alias default cannot be removed: a model has exactly one default version. "
            "Give the alias to another version instead."
        )
    kept = {
        number: [
            alias
            for alias in aliases
            if alias not in given and not (number == version and alias in taken)
        ]
        for number, aliases in current.items()
    }
    return {**kept, version: [*kept.get(version, []), *given]}
