"""Which insertIds of a table were seen in the last minute or two."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

MEMORY_S = 60.0


class SeenIds:
    """Remembers each id for at least a minute; at most for two. Not for several threads."""

    def __init__(self) -> None:
        self._recent: set[str] = set()
        self._older: set[str] = set()
        self._begun = 0.0

    def new(self, ids: Sequence[str], now: float) -> list[bool]:
        """For each id whether its row is new: not seen before, nor earlier in `ids`."""
        self._forget(now)
        unique = set(ids)
        unique.discard("")
        if len(unique) == len(ids) and not unique & self._recent and not unique & self._older:
            return [True] * len(ids)
        seen: set[str] = set()
        fresh = []
        for id_ in ids:
            known = id_ in seen or id_ in self._recent or id_ in self._older
            fresh.append(not id_ or not known)
            seen.add(id_)
        return fresh

    def remember(self, ids: Iterable[str]) -> None:
        self._recent.update(ids)
        self._recent.discard("")

    def _forget(self, now: float) -> None:
        if now - self._begun < MEMORY_S:
            return
        self._older = self._recent if now - self._begun < 2 * MEMORY_S else set()
        self._recent = set()
        self._begun = now
