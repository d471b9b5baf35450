"""The example's nights are made of real births and broken in known ways."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from beam_jobs.objects import open_objects
from examples.babyweight.births import load_births
from examples.babyweight.nights import BROKEN_ROWS, HEADER, make_night, upload_night

NIGHT = date(2026, 11, 1)


def test_a_night_is_the_same_whenever_it_is_made() -> None:
    assert make_night(NIGHT) == make_night(NIGHT)
    assert make_night(NIGHT).files != make_night(date(2026, 11, 2)).files


def test_a_night_says_how_many_rows_it_holds() -> None:
    night = make_night(NIGHT, births=100, broken=3, files=3)
    lines = [line for content in night.files.values() for line in content.splitlines()]
    assert len(lines) == night.rows + 3
    assert night.scored == 100
    assert set(night.dead.values()) == {3}
    assert len(night.dead) == len(BROKEN_ROWS)


def test_good_rows_are_real_births() -> None:
    keys = set(load_births()["key"])
    content = b"".join(make_night(NIGHT, broken=0, files=1).files.values()).decode()
    header, *rows = content.splitlines()
    assert header == HEADER
    assert {row.rpartition(",")[2] for row in rows} <= keys


def test_the_marker_is_written_after_the_files(tmp_path: Path) -> None:
    upload_night(make_night(NIGHT), f"{tmp_path}/night/")
    written = open_objects(str(tmp_path)).list(f"{tmp_path}/night/")
    newest = max(written, key=lambda info: info.generation)
    assert newest.uri.endswith("/_SUCCESS")
    assert len(written) == 3
