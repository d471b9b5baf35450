"""Is a night's input complete? Decided from a listing of its folder, the spec's rule and the time.

No I/O: the manifest, where the rule is one, is handed in.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from beam_jobs.objects import ObjectInfo
from beam_jobs.spec.service import InputSpec
from beam_jobs.spec.sources import ManifestRule, MarkerRule, QuietRule
from nightstream.inputs.globs import matches


@dataclass(frozen=True)
class Folder:
    """A night's folder as it was seen at one moment."""

    uri: str
    """Ends in a slash."""
    objects: Sequence[ObjectInfo]
    """Everything below it, by URI."""
    manifest: bytes | None = None
    """Content of the manifest, where the rule is one and it is there."""

    def holds(self, name: str) -> bool:
        return any(item.uri == self.uri + name for item in self.objects)


@dataclass(frozen=True)
class Complete:
    """The night can be scored."""

    files: tuple[ObjectInfo, ...]
    """At least one."""


@dataclass(frozen=True)
class Waiting:
    """More may come."""

    reason: str


@dataclass(frozen=True)
class NoFiles:
    """The night has no files and will get none."""

    reason: str


@dataclass(frozen=True)
class Incomplete:
    """Files are there, but the night was not declared complete in time."""

    reason: str


Verdict = Complete | Waiting | NoFiles | Incomplete


class ManifestError(ValueError):
    """A manifest that cannot be understood; the message names the object and the remedy."""


def judge(input: InputSpec, folder: Folder, now: datetime, deadline: datetime) -> Verdict:
    """Whether the night is complete, is waited for, or has to be given up.

    deadline: until when the night is waited for. Raises ManifestError.
    """
    match input.complete:
        case MarkerRule(object=marker):
            verdict = _by_marker(input, folder, marker)
        case ManifestRule():
            verdict = _by_manifest(input, folder)
        case QuietRule(minutes=minutes):
            verdict = _by_quiet(input, folder, now - timedelta(minutes=minutes))
    if not isinstance(verdict, Waiting) or now < deadline:
        return verdict
    found = night_files(input, folder)
    reason = f"{verdict.reason}, and the night was waited for until {deadline:%Y-%m-%d %H:%M %Z}"
    if found:
        return Incomplete(f"{reason}; {len(found)} files are there")
    return NoFiles(reason)


def night_files(input: InputSpec, folder: Folder) -> tuple[ObjectInfo, ...]:
    """The files that a run reads: of a manifest the listed ones, else those that the glob names.

    Two files of the same name in different folders are two files. Markers are none.
    """
    if isinstance(input.complete, ManifestRule) and folder.manifest is not None:
        listed = set(_listed(folder, input.complete.object))
        return tuple(item for item in folder.objects if item.uri in listed)
    return tuple(
        item
        for item in folder.objects
        if matches(item.uri.removeprefix(folder.uri), input.files)
        and item.uri != folder.uri + _sign(input)
    )


def _by_marker(input: InputSpec, folder: Folder, marker: str) -> Verdict:
    if not folder.holds(marker):
        return Waiting(f"{folder.uri}{marker} is not there")
    files = night_files(input, folder)
    if not files:
        return NoFiles(
            f"{folder.uri}{marker} is there, but no file that matches {input.files!r} beside it"
        )
    return Complete(files)


def _by_manifest(input: InputSpec, folder: Folder) -> Verdict:
    manifest = folder.uri + _sign(input)
    if folder.manifest is None:
        return Waiting(f"{manifest} is not there")
    listed = _listed(folder, _sign(input))
    if not listed:
        return NoFiles(f"{manifest} lists no files")
    files = night_files(input, folder)
    missing = sorted(listed - {item.uri for item in files})
    if missing:
        return Waiting(f"{manifest} lists {len(missing)} files that are not there, as {missing[0]}")
    return Complete(files)


def _by_quiet(input: InputSpec, folder: Folder, quiet_since: datetime) -> Verdict:
    files = night_files(input, folder)
    if not files:
        return Waiting(f"no file that matches {input.files!r} is in {folder.uri}")
    latest = max(files, key=lambda item: item.updated)
    if latest.updated > quiet_since:
        return Waiting(f"{latest.uri} came as late as {latest.updated:%H:%M:%S %Z}")
    return Complete(files)


def _sign(input: InputSpec) -> str:
    """Name of the object that declares a night complete; empty where there is none."""
    rule = input.complete
    return "" if isinstance(rule, QuietRule) else rule.object


def _listed(folder: Folder, name: str) -> set[str]:
    """URIs of the files that the manifest lists."""
    uri = folder.uri + name
    try:
        files = json.loads(folder.manifest or b"")["files"]
    except (ValueError, KeyError, TypeError) as error:
        raise ManifestError(_unreadable(uri)) from error
    if not isinstance(files, list) or not all(isinstance(file, str) for file in files):
        raise ManifestError(_unreadable(uri))
    return {folder.uri + file for file in files}


def _unreadable(uri: str) -> str:
    return (
        f'{uri} is no manifest. Remedy: write JSON such as {{"files": ["a.csv", "sub/b.csv"]}}, '
        "names relative to the folder"
    )
