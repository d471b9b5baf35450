"""Is a night's input complete?"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beam_jobs.objects import ObjectInfo
from beam_jobs.spec.service import InputSpec
from nightstream.inputs.completeness import (
    Complete,
    Folder,
    Incomplete,
    ManifestError,
    NoFiles,
    Verdict,
    Waiting,
    judge,
    night_files,
)
from tests.support.specs import a_service

URI = "gs://input/weights/2026-01-05/"
NOW = datetime(2026, 1, 6, 7, tzinfo=UTC)
BEFORE, AFTER = NOW + timedelta(hours=1), NOW - timedelta(seconds=1)
"""Deadlines: before the first is over, and after the second was."""


def objects(*names: str, updated: datetime = NOW - timedelta(hours=2)) -> list[ObjectInfo]:
    return [ObjectInfo(URI + name, 1, 10, updated) for name in sorted(names)]


def an_input(rule: dict[str, Any], files: str = "*.csv") -> InputSpec:
    return a_service(input={"complete": rule, "files": files}).input


MARKER = an_input({"rule": "marker", "object": "_SUCCESS"})
MANIFEST = an_input({"rule": "manifest"})
QUIET = an_input({"rule": "quiet", "minutes": 15})


def verdict(
    input: InputSpec,
    listing: Sequence[ObjectInfo],
    deadline: datetime = BEFORE,
    manifest: Any = None,
) -> Verdict:
    content = None if manifest is None else json.dumps(manifest).encode()
    return judge(input, Folder(URI, listing, content), NOW, deadline)


def names(verdict: Verdict) -> list[str]:
    assert isinstance(verdict, Complete)
    return [file.uri.removeprefix(URI) for file in verdict.files]


def test_a_marker_makes_a_night_complete() -> None:
    assert names(verdict(MARKER, objects("a.csv", "_SUCCESS"))) == ["a.csv"]


def test_without_the_marker_files_are_waited_for() -> None:
    found = verdict(MARKER, objects("a.csv"))

    assert found == Waiting(f"{URI}_SUCCESS is not there")


def test_files_of_the_same_name_in_two_folders_are_two_inputs() -> None:
    listing = objects("north/a.csv", "south/a.csv", "_SUCCESS")

    assert names(verdict(MARKER, listing)) == ["north/a.csv", "south/a.csv"]


def test_a_marker_that_the_glob_names_too_is_no_input() -> None:
    everything = an_input({"rule": "marker", "object": "done.csv"}, files="**")

    assert names(verdict(everything, objects("a.csv", "done.csv"))) == ["a.csv"]


def test_a_marker_without_files_ends_the_waiting_at_once() -> None:
    found = verdict(MARKER, objects("_SUCCESS", "readme.txt"))

    assert isinstance(found, NoFiles)
    assert "'*.csv'" in found.reason


def test_files_without_a_marker_are_incomplete_at_the_deadline() -> None:
    found = verdict(MARKER, objects("a.csv"), deadline=AFTER)

    assert isinstance(found, Incomplete)
    assert "1 files are there" in found.reason


@pytest.mark.parametrize("input", [MARKER, MANIFEST, QUIET])
def test_an_empty_folder_is_without_files_at_the_deadline(input: InputSpec) -> None:
    assert isinstance(verdict(input, []), Waiting)
    assert isinstance(verdict(input, [], deadline=AFTER), NoFiles)


@pytest.mark.parametrize("deadline", [BEFORE, AFTER])
def test_a_complete_night_is_complete_whatever_the_time(deadline: datetime) -> None:
    assert names(verdict(MARKER, objects("a.csv", "_SUCCESS"), deadline)) == ["a.csv"]


def test_a_manifest_names_the_only_files_that_are_read() -> None:
    listing = objects("a.csv", "b.csv", "sub/c.txt", "manifest.json")

    found = verdict(MANIFEST, listing, manifest={"files": ["a.csv", "sub/c.txt"]})

    assert names(found) == ["a.csv", "sub/c.txt"]


def test_a_listed_file_that_is_not_there_is_waited_for_and_named() -> None:
    listing = objects("a.csv", "manifest.json")

    found = verdict(MANIFEST, listing, manifest={"files": ["a.csv", "b.csv"]})

    assert isinstance(found, Waiting)
    assert f"{URI}b.csv" in found.reason


def test_a_manifest_that_lists_nothing_declares_a_night_without_files() -> None:
    found = verdict(MANIFEST, objects("a.csv", "manifest.json"), manifest={"files": []})

    assert isinstance(found, NoFiles)


@pytest.mark.parametrize("content", [b"", b"[]", b'{"file": []}', b'{"files": "a.csv"}', b"\xff"])
def test_a_manifest_that_cannot_be_understood_is_named_with_its_remedy(content: bytes) -> None:
    with pytest.raises(ManifestError, match=r"manifest\.json is no manifest\. Remedy"):
        judge(MANIFEST, Folder(URI, objects("manifest.json"), content), NOW, BEFORE)


def test_a_night_is_quiet_when_no_file_came_for_the_agreed_time() -> None:
    quiet = objects("a.csv", "b.csv", updated=NOW - timedelta(minutes=15))
    late = objects("c.csv", updated=NOW - timedelta(minutes=14))

    assert names(verdict(QUIET, quiet)) == ["a.csv", "b.csv"]
    assert isinstance(verdict(QUIET, [*quiet, *late]), Waiting)


def test_an_object_that_is_no_input_does_not_break_the_quiet() -> None:
    listing = objects("a.csv") + objects("upload.log", updated=NOW)

    assert names(verdict(QUIET, listing)) == ["a.csv"]


@given(
    rule=st.sampled_from([MARKER, MANIFEST, QUIET]),
    present=st.sets(st.sampled_from(["a.csv", "b.csv", "x/a.csv", "_SUCCESS", "manifest.json"])),
    listed=st.sets(st.sampled_from(["a.csv", "b.csv", "gone.csv"])),
    age=st.integers(0, 60),
    overdue=st.booleans(),
)
def test_a_night_is_given_up_only_at_its_deadline_and_complete_only_with_files(
    rule: InputSpec, present: set[str], listed: set[str], age: int, overdue: bool
) -> None:
    manifest = {"files": sorted(listed)} if "manifest.json" in present else None
    listing = objects(*present, updated=NOW - timedelta(minutes=age))
    found = verdict(rule, listing, AFTER if overdue else BEFORE, manifest)

    assert not (overdue and isinstance(found, Waiting))
    assert not (isinstance(found, Incomplete) and not overdue)
    if isinstance(found, Complete):
        content = None if manifest is None else json.dumps(manifest).encode()
        assert found.files == night_files(rule, Folder(URI, listing, content))
        assert found.files
