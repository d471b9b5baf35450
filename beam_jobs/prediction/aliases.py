"""Aliases of versions, read and moved by compare-and-swap."""

from __future__ import annotations

from typing import NamedTuple

from beam_jobs.objects import ObjectChangedError, Objects, PreconditionError
from beam_jobs.prediction.versions import require_version


class Alias(NamedTuple):
    """What an alias says, and the generation in which it says so; 0 where there is none."""

    version: str | None
    generation: int


def read_alias(root: str, alias: str, objects: Objects) -> Alias:
    """The alias as it is now, whether or not that version is there."""
    while True:
        info = objects.stat(f"{root}/{alias}")
        if info is None:
            return Alias(None, 0)
        try:
            text = objects.read(info.uri, info.generation)
        except ObjectChangedError:
            continue
        return Alias(text.decode("utf-8", "replace").strip(), info.generation)


def move_alias(root: str, alias: str, version: str, seen: Alias, objects: Objects) -> None:
    """Points the alias to a version, unless it says something else than was seen by now.

    Raises ModelError where there is no such version, PreconditionError where somebody else moved
    the alias first.
    """
    require_version(root, version, objects)
    try:
        objects.replace(f"{root}/{alias}", version.encode(), seen.generation)
    except PreconditionError:
        # Perhaps our own write, repeated by the client after its answer was lost.
        if read_alias(root, alias, objects).version != version:
            raise
