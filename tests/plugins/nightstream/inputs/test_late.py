"""Files that came after their night was published."""

from __future__ import annotations

from datetime import UTC, datetime

from beam_jobs.objects import ObjectInfo
from beam_jobs.runs.plan import InputObject
from nightstream.inputs.late import late_inputs

THEN = datetime(2026, 1, 6, tzinfo=UTC)
READ = [InputObject(uri="gs://input/a.csv", generation=1, size=5)]


def file(name: str, generation: int) -> ObjectInfo:
    return ObjectInfo(f"gs://input/{name}", generation, 5, THEN)


def test_what_the_published_run_read_is_not_late() -> None:
    assert late_inputs(READ, [file("a.csv", 1)]) == ()


def test_a_file_that_came_later_is_late() -> None:
    assert late_inputs(READ, [file("a.csv", 1), file("b.csv", 1)]) == ("gs://input/b.csv",)


def test_a_file_that_was_overwritten_later_is_late() -> None:
    assert late_inputs(READ, [file("a.csv", 2)]) == ("gs://input/a.csv",)
