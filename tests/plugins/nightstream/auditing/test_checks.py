"""What keeps a night from being published, and how it is said."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beam_jobs.runs.manifest import Histogram, OutputFile, RangeCount, RunManifest, SourceCount
from beam_jobs.runs.plan import InputObject
from nightstream.auditing.checks import MAX_LOAD_URIS, audit
from tests.support.night_output import a_manifest, a_plan
from tests.support.specs import a_service

PLAN = a_plan(a_service(audit={"max_dead_ratio": 0.29, "min_rows": 2}), "work", rows=100)
GOOD = a_manifest(PLAN, dead=29)


def findings(
    manifest: RunManifest, attempt: int = 1, limit: float = 0.29, **footers: int | str
) -> list[str]:
    read: dict[str, int | str] = {
        file.uri: file.rows for file in (*manifest.predictions, *manifest.dead_letters)
    }
    return [str(found) for found in audit(PLAN, manifest, attempt, read | footers, limit)]


def changed(**parts: Any) -> RunManifest:
    return GOOD.model_copy(update=parts)


def with_ranges(*edges: tuple[int, int]) -> RunManifest:
    """The good night, its one object read in other ranges; all rows are in the first."""
    first, *others = edges
    ranges = [RangeCount(start=a, end=b, rows_in=0, rows_scored=0, rows_dead=0) for a, b in others]
    counted = GOOD.sources[0].ranges[0]
    whole = counted.model_copy(update={"start": first[0], "end": first[1]})
    source = GOOD.sources[0].model_copy(update={"ranges": (whole, *ranges)})
    return changed(sources=(source,))


def test_a_good_night_has_no_findings_at_exactly_the_limits() -> None:
    assert findings(GOOD) == []


def test_a_night_of_another_run_attempt_or_model_is_named() -> None:
    other = changed(run_key="other", model_version="v0")
    assert findings(other, attempt=2) == [
        f"identity: the manifest's run key is other, planned was {PLAN.run_key}",
        "identity: the manifest's attempt is 1, planned was 2",
        "identity: the manifest's model version is v0, planned was v1",
    ]


@given(st.sets(st.integers(1, 999), max_size=20), st.randoms(use_true_random=False))
def test_any_tiling_of_an_object_in_any_order_is_accepted(cuts: set[int], chance: Any) -> None:
    ranges = list(pairwise(sorted({0, 1000, *cuts})))
    chance.shuffle(ranges)
    assert findings(with_ranges(*ranges)) == []


@given(st.sets(st.integers(1, 999), min_size=2, max_size=20), st.data())
def test_a_range_left_out_is_found_with_its_bytes(cuts: set[int], data: st.DataObject) -> None:
    ranges = list(pairwise(sorted({0, 1000, *cuts})))
    start, end = ranges.pop(data.draw(st.integers(0, len(ranges) - 1)))
    [found] = findings(with_ranges(*ranges))
    assert found == (
        f"ranges: gs://input/a.csv: bytes [{start}, {end}) were not read ({end - start} bytes)"
    )


def test_bytes_read_twice_are_found() -> None:
    [found] = findings(with_ranges((0, 600), (500, 1000)))
    assert "range [500, 1000) begins before byte 600" in found
    assert "(100 bytes read twice)" in found


def test_bytes_beyond_the_end_are_found() -> None:
    [found] = findings(with_ranges((0, 1200)))
    assert found == "ranges: gs://input/a.csv: read up to byte 1200, it has 1000 bytes"


def test_an_object_of_another_generation_is_named_with_both() -> None:
    newer = InputObject(uri="gs://input/a.csv", generation=2, size=1000)
    source = GOOD.sources[0].model_copy(update={"object": newer})
    [found] = findings(changed(sources=(source,)))
    assert "was read as generation 2 of 1000 bytes, planned was generation 1 of 1000 bytes" in found


def test_an_object_that_was_not_read_and_one_that_was_not_planned_are_named() -> None:
    stranger = InputObject(uri="gs://input/b.csv", generation=1, size=1000)
    source = GOOD.sources[0].model_copy(update={"object": stranger})
    assert findings(changed(sources=(source,))) == [
        "sources: gs://input/a.csv was planned and not read",
        "sources: gs://input/b.csv was read and not planned",
    ]


def test_an_object_counted_twice_is_found() -> None:
    empty = SourceCount(object=GOOD.sources[0].object, ranges=())
    found = findings(changed(sources=(GOOD.sources[0], empty)))
    assert "sources: gs://input/a.csv is counted 2 times" in found


def test_a_lost_row_is_found_in_its_range_and_in_the_night() -> None:
    lost = GOOD.sources[0].ranges[0].model_copy(update={"rows_scored": 70})
    source = GOOD.sources[0].model_copy(update={"ranges": (lost,)})
    assert findings(changed(sources=(source,))) == [
        "accounting: gs://input/a.csv [0, 1000): 100 rows in, 70 scored and 29 dead: "
        "1 unaccounted for",
        "accounting: rows_scored is 71, its ranges add up to 70 (-1)",
    ]


def test_totals_that_do_not_add_up_say_by_how_much() -> None:
    found = findings(changed(rows_in=101))
    assert "accounting: the night: 101 rows in, 71 scored and 29 dead: 1 unaccounted for" in found
    assert "accounting: rows_in is 101, its ranges add up to 100 (-1)" in found


def test_dead_rows_without_a_reason_are_found() -> None:
    summary = GOOD.summary.model_copy(update={"dead_by_code": {"wrong_type": 28}})
    [found] = findings(changed(summary=summary))
    assert found == "accounting: rows_dead is 29, its error codes add up to 28 (-1)"


def test_files_with_too_few_rows_are_found() -> None:
    [file] = GOOD.predictions
    found = findings(changed(predictions=(file.model_copy(update={"rows": 70}),)))
    assert found == ["files: the files of predictions hold 70 rows, counted were 71 (-1)"]


def test_a_file_whose_footer_disagrees_is_named() -> None:
    [file] = GOOD.predictions
    [found] = findings(GOOD, **{file.uri: 70})
    assert found == f"files: {file.uri} holds 70 rows by its footer, 71 by the manifest"


def test_a_file_that_cannot_be_read_is_named_with_the_reason() -> None:
    [file] = GOOD.dead_letters
    assert findings(GOOD, **{file.uri: "the file is missing"}) == [
        f"files: {file.uri}: the file is missing"
    ]


def test_a_night_without_any_file_cannot_be_loaded() -> None:
    found = findings(changed(dead_letters=()))
    assert "files: no file of dead letters; a night without rows needs an empty one" in found


def test_more_files_than_one_load_job_takes_are_refused_with_a_remedy() -> None:
    files = [OutputFile(uri=f"gs://w/{n}", rows=0, size=0) for n in range(MAX_LOAD_URIS)]
    found = findings(changed(predictions=(*GOOD.predictions, *files)))
    [refused] = found
    assert refused.startswith("files: 10,001 files of predictions, and one load job takes 10,000.")
    assert "raise job.split_bytes" in refused


def test_too_many_dead_rows_say_how_many_why_and_what_to_do() -> None:
    [found] = findings(GOOD, limit=0.28)
    assert found.startswith(
        "dead letters: 29 of 100 rows (29.00%) were not scored, at most 28.00% may be: "
        "wrong_type 29. Remedy: "
    )


def test_a_higher_limit_of_the_run_takes_the_place_of_the_specs() -> None:
    manifest = a_manifest(PLAN, dead=90)
    assert findings(manifest, limit=0.9) == []


def test_too_few_rows_are_found() -> None:
    manifest = a_manifest(PLAN, dead=99)
    [found] = findings(manifest, limit=1)
    assert found == "rows: 1 rows were scored, audit.min_rows is 2"


@pytest.mark.parametrize(
    ("seen", "message"),
    [
        (
            {"nulls": 1},
            "weight is null or not finite in 1 of 71 rows (1.41%), audit.max_null_ratio",
        ),
        ({"nulls": 1, "non_finite": 2}, "weight is null or not finite in 3 of 71 rows (4.23%)"),
        ({"out_of_range": 7}, "weight is out of range in 7 of 71 rows (9.86%), audit.max_out_of_"),
    ],
)
def test_unusable_predictions_are_found_with_their_share(
    seen: dict[str, int], message: str
) -> None:
    predictions = {"weight": Histogram(total=71, **seen)}
    summary = GOOD.summary.model_copy(update={"predictions": predictions})
    [found] = findings(changed(summary=summary))
    assert found.startswith("predictions: " + message)


def test_a_summary_of_too_few_predictions_or_none_is_found() -> None:
    few = GOOD.summary.model_copy(update={"predictions": {"weight": Histogram(total=70)}})
    none = GOOD.summary.model_copy(update={"predictions": {}})
    assert findings(changed(summary=few)) == [
        "predictions: the summary tells of 70 values of weight, 71 rows were scored"
    ]
    assert findings(changed(summary=none)) == ["predictions: the summary does not tell of weight"]
