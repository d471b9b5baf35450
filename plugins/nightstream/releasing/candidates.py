"""Which version is to be the next champion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from nightstream.releasing.champions import Champions


@dataclass(frozen=True)
class Candidate:
    version: str


@dataclass(frozen=True)
class Nothing:
    """Nothing is to be done."""

    reason: str


@dataclass(frozen=True)
class Unclear:
    """A person has to say which version is meant."""

    reason: str


Choice = Candidate | Nothing | Unclear


def choose_release(
    asked: str | None,
    versions: Mapping[str, datetime],
    champion: str | None,
    champions: Champions,
) -> Choice:
    """The version that is asked for; else the one that was written last.

    versions: when each was written.
    """
    if asked is None and not versions:
        return Unclear("there is no version at all. Remedy: upload a version's folder")
    newest = max(versions, key=lambda name: (versions[name], name), default="")
    version = asked or newest
    if version == champion:
        return Nothing(f"{version} is the champion already")
    if asked is None and champions.rolled_back(version):
        return Unclear(
            f"{version} is the newest version, but the service was rolled back from it. Remedy: "
            "upload a better one, or name it in the form to release it all the same"
        )
    return Candidate(version)


def choose_roll_back(asked: str | None, champion: str | None, champions: Champions) -> Choice:
    """The version that is asked for; else the champion before this one."""
    if champion is None:
        return Unclear("there is no champion to roll back from. Remedy: release a version")
    version = asked or champions.before(champion)
    if version is None:
        return Unclear(
            f"it is not known which champion was before {champion}: it was not released by this "
            "DAG. Remedy: name the version to go back to in the form"
        )
    return (
        Nothing(f"{version} is the champion already") if version == champion else Candidate(version)
    )
