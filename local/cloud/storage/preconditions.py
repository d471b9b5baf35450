"""Generation and metageneration preconditions, decided without I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from local.cloud.http import ApiError


class Versioned(Protocol):
    """The live version of something; no version at all counts as generation 0."""

    @property
    def generation(self) -> int: ...

    @property
    def metageneration(self) -> int: ...


def not_met() -> ApiError:
    return ApiError(
        412,
        "At least one of the pre-conditions you specified did not hold.",
        "conditionNotMet",
    )


@dataclass(frozen=True)
class Preconditions:
    """`ifGenerationMatch` and its three siblings; None asks nothing."""

    generation_match: int | None = None
    generation_not_match: int | None = None
    metageneration_match: int | None = None
    metageneration_not_match: int | None = None

    @classmethod
    def of(cls, query: Mapping[str, str], prefix: str = "if") -> Preconditions:
        """From query parameters `<prefix>GenerationMatch` … Raises ApiError 400."""
        return cls(
            generation_match=integer(query, f"{prefix}GenerationMatch"),
            generation_not_match=integer(query, f"{prefix}GenerationNotMatch"),
            metageneration_match=integer(query, f"{prefix}MetagenerationMatch"),
            metageneration_not_match=integer(query, f"{prefix}MetagenerationNotMatch"),
        )

    def verdict(self, live: Versioned | None) -> Literal["met", "mismatch", "unchanged"]:
        """`unchanged` when only a NotMatch fails: a read answers it 304, a write 412."""
        generation = live.generation if live else 0
        metageneration = live.metageneration if live else 0
        if self.generation_match not in (None, generation):
            return "mismatch"
        if self.metageneration_match not in (None, metageneration):
            return "mismatch"
        if self.generation_not_match == generation:
            return "unchanged"
        if self.metageneration_not_match == metageneration:
            return "unchanged"
        return "met"

    def require(self, live: Versioned | None) -> None:
        """Raises ApiError 412 unless all hold."""
        if self.verdict(live) != "met":
            raise not_met()


def etag_verdict(headers: Mapping[str, str], etag: str) -> Literal["met", "mismatch", "unchanged"]:
    """What If-Match and If-None-Match, lists of etags or *, say of a read."""
    wanted, known = _etags(headers.get("if-match")), _etags(headers.get("if-none-match"))
    if wanted and not wanted & {etag, "*"}:
        return "mismatch"
    return "unchanged" if known & {etag, "*"} else "met"


def _etags(header: str | None) -> set[str]:
    return {etag.strip().strip('"') for etag in (header or "").split(",")} - {""}


def integer(query: Mapping[str, str], name: str) -> int | None:
    """A whole-number parameter, None when absent. Raises ApiError 400."""
    text = query.get(name)
    if text is None:
        return None
    try:
        return int(text)
    except ValueError as error:
        raise ApiError(400, f"Invalid value for {name}: '{text}'", "invalidParameter") from error


def flag(query: Mapping[str, str], name: str) -> bool:
    """A boolean parameter, as clients spell it (true, True)."""
    return query.get(name, "").lower() == "true"
