"""The page of a night: every figure on it is right, and nothing on it is alive."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any
from xml.etree import ElementTree

import pytest

from beam_jobs.runs.manifest import Histogram
from nightstream.drift.distances import psi
from nightstream.drift.figures import NightDrift
from nightstream.drift.measuring import Profiled
from nightstream.drift.night import night_drift
from nightstream.reports.night import Audited, Decision, NightReport, PastNight, Sample
from nightstream.reports.page import LABELS, page
from tests.support.histograms import a_reference, names, numbers
from tests.support.html_page import Page
from tests.support.night_output import NIGHT, a_manifest, a_plan
from tests.support.specs import a_service

NOW = datetime(2026, 1, 6, 8, tzinfo=UTC)
SPEC = a_service(drift={"reference": {"psi": {"warn": 0.1, "stop": 0.25}}, "min_rows": 10})
REFERENCE = a_reference({"weeks": (400, 300, 300)}, {"sex": {"boy": 510, "girl": 490}})
HOSTILE = (
    b"<script>alert(1)</script>",
    b'"><img src=x onerror=alert(1)>',
    b"</pre></td></table><iframe src='https://evil.example'>",
    b"<svg/onload=alert(1)>\x00\x1b[31m\xff\xfe",
    b"{{ plan.spec }}{% for x in y %}",
)


def drift_of(features: Mapping[str, Histogram], before: Mapping[date, Profiled]) -> NightDrift:
    plan = a_plan(SPEC, "scoring-work", 1_000)
    manifest = a_manifest(plan)
    summary = manifest.summary.model_copy(update={"features": features, "predictions": {}})
    counted = manifest.model_copy(update={"summary": summary})
    return night_drift(SPEC, plan.score_date, counted, REFERENCE, before)


def past_nights() -> dict[date, PastNight]:
    past = {}
    for back in (2, 1):
        features = {"weeks": numbers((40, 30, 30 + back)), "sex": names(boy=60, girl=40)}
        profiled = Profiled(features, {})
        past[NIGHT - timedelta(days=back)] = PastNight(
            100 + back, back, "v0", profiled, drift_of(features, {})
        )
    return past


def a_report(**changes: Any) -> NightReport:
    """A night of 1,000 rows, 7 of them dead, further from its training data than is allowed."""
    plan = a_plan(SPEC, "scoring-work", 1_000)
    manifest = a_manifest(plan, dead=7)
    features = {"weeks": numbers((93, 200, 700)), "sex": names(boy=500, girl=480, other=13)}
    summary = manifest.summary.model_copy(
        update={"features": features, "dead_by_code": {"not_allowed": 2, "wrong_type": 5}}
    )
    manifest = manifest.model_copy(update={"summary": summary})
    past = past_nights()
    before = {night: seen.profiled for night, seen in past.items()}
    drift = night_drift(SPEC, NIGHT, manifest, REFERENCE, before)
    letters = tuple(Sample("gs://in/a.csv at 7", "weeks", "no number", p) for p in HOSTILE)
    audited = Audited(plan, manifest, (), drift, None, NOW - timedelta(seconds=75))
    report = NightReport(audited, drift, REFERENCE, past, {"wrong_type": letters}, (), NOW)
    return replace(report, **changes)


@cache
def html() -> str:
    return page(a_report())


@cache
def shown() -> Page:
    return Page(html())


def test_the_headline_tells_what_was_scored_by_what_and_what_came_of_it() -> None:
    text = shown().text
    assert "weights, night 2026-01-05" in text
    assert "Stopped by drift: nothing of this run is published" in text
    assert "1,000rows in 993scored 7dead (0.70%) v1model 0:01:15from" in text.replace(
        " rows", "rows"
    )
    run = {row[0]: row[1] for row in shown().tables[-1].rows}
    plan = a_report().audited.plan
    assert (run["run key"], run["code"], run["job"]) == (plan.run_key, plan.code_version, "weights")


def test_every_figure_of_the_drift_stands_in_its_table_and_beside_its_plot() -> None:
    report = a_report()
    assert report.drift is not None
    head, *rows = shown().table("figures")
    assert head == ["column", "kind", *LABELS.values()]
    expected = report.drift.by_column()
    assert {row[0] for row in rows} == set(expected) == {"weeks", "sex"}
    for name, _, *cells in rows:
        for label, cell in zip(LABELS, cells, strict=True):
            value = expected[name][label]
            assert value is not None
            wanted = f"{value:.2%}" if label.endswith("rate") else f"{value:.4f}"
            assert cell.rstrip(" ✕!?") == wanted, (name, label)
    beside = [row for table in shown().tables for row in table.rows if row[0] in LABELS.values()]
    assert sorted(cell for _, cell in beside) == sorted(cell for row in rows for cell in row[2:])


def test_figures_above_a_limit_are_marked_by_more_than_a_colour() -> None:
    rows = {row[0]: row[2] for row in shown().table("figures")[1:]}
    assert rows["weeks"].endswith(" ✕")
    value = psi((0, 93, 200, 700, 0), (0, 400, 300, 300, 0))
    said = f"feature weeks: psi against the training data is {value:.4g}, stop is above 0.25"
    assert said in shown().text


def test_the_bins_are_counted_out_for_night_training_and_nights_before() -> None:
    tables = [table.rows for table in shown().tables if table.rows[0][0] == "values"]
    weeks = next(rows for rows in tables if rows[1][0] == "below 0")
    assert [row[0] for row in weeks[1:]] == ["below 0", "0 to 1", "1 to 2", "2 to 3", "above 3"]
    assert weeks[2] == ["0 to 1", "93", "9.37%", "39.41%", "40.00%"]
    sex = next(rows for rows in tables if rows[1][0] == "boy")
    assert sex[1:] == [
        ["boy", "500", "50.35%", "60.00%", "51.00%"],
        ["girl", "480", "48.34%", "40.00%", "49.00%"],
        ["any other", "13", "1.31%", "0.00%", "0.00%"],
    ]


def test_the_nights_before_are_shown_with_rows_model_and_drift() -> None:
    assert shown().table("rows-by-night")[1:] == [
        ["2026-01-03", "102", "2", "v0"],
        ["2026-01-04", "101", "1", "v0"],
        ["2026-01-05 (this one)", "993", "7", "v1"],
    ]
    head, first, second = shown().table("drift-by-night")
    assert head == ["column", "2026-01-03", "2026-01-04", "2026-01-05"]
    assert (first[0], second[0]) == ("weeks", "sex"), "the furthest comes first"
    past = past_nights()
    for row in (first, second):
        values = [seen.psi()[row[0]] for seen in past.values()]
        assert row[1:3] == [f"{value:.4f}" for value in values]


def test_dead_letters_are_counted_by_reason_with_samples_that_cannot_do_anything() -> None:
    assert shown().table("reasons")[1:] == [
        ["wrong_type", "5", "0.50%"],
        ["not_allowed", "2", "0.20%"],
    ]
    letters = next(table.rows for table in shown().tables if table.rows[0][0] == "where")[1:]
    payloads = [row[3] for row in letters]
    assert payloads[:3] == [payload.decode() for payload in HOSTILE[:3]]
    assert payloads[3] == "<svg/onload=alert(1)>\\x00\\x1b[31m\\xff\\xfe"
    assert payloads[4] == "{{ plan.spec }}{% for x in y %}"
    assert not {"script", "iframe", "svg", "object", "link"} & set(shown().tags)
    assert not [name for name, _ in shown().attributes if name.startswith("on")]


def test_the_page_needs_no_network_and_forbids_it() -> None:
    attributes = shown().attributes
    assert ("content", "default-src 'none'; style-src 'unsafe-inline'; img-src data:") in attributes
    assert {value.partition(",")[0] for name, value in attributes if name == "src"} == {
        "data:image/svg+xml;base64"
    }
    assert all(value.startswith("#") for name, value in attributes if name == "href")
    assert "url(" not in html()
    assert "@import" not in html()


def test_every_plot_is_an_image_that_says_what_it_shows() -> None:
    images = re.findall(r'<img src="data:image/svg\+xml;base64,([^"]+)" alt="([^"]+)"', html())
    assert len(images) == 3 + 2, "drift, rows, reasons, and one for each column"
    for content, alt in images:
        assert alt
        assert ElementTree.fromstring(base64.b64decode(content)).tag.endswith("svg")


def test_the_same_night_makes_the_same_page() -> None:
    assert page(a_report()) == html()


@pytest.mark.parametrize("decision", [Decision.REFUSED, Decision.ALLOWED, Decision.PASSED])
def test_the_page_says_what_the_audit_made_of_the_night(decision: Decision) -> None:
    report = a_report()
    audited = {
        Decision.REFUSED: replace(report.audited, findings=("rows: <b>none</b> was scored",)),
        Decision.ALLOWED: replace(report.audited, drift_allowed="looked at, it's fine"),
        Decision.PASSED: report.audited,
    }[decision]
    fine = drift_of({"weeks": numbers((400, 300, 300))}, {})
    drift = fine if decision is Decision.PASSED else report.drift
    found = replace(report, audited=audited, drift=drift)
    said = {
        Decision.REFUSED: "audit: nothing of this run is published rows: <b>none</b> was scored",
        Decision.ALLOWED: "and was let through The reason given: looked at, it's fine",
        Decision.PASSED: "✓ Passed the audit",
    }
    assert found.decision is decision
    assert said[decision] in Page(page(found)).text


def test_a_night_of_which_hardly_anything_is_known_has_a_page() -> None:
    plan = a_plan(SPEC, "scoring-work", 0)
    audited = Audited(plan, a_manifest(plan), ("rows: none",), None, None, None)
    note = "dead letters: gs://scoring-work/<1>.parquet: gone"
    text = Page(page(NightReport(audited, None, None, {}, {}, (note,), NOW))).text
    assert "Drift Not measured." in text
    assert note in text
    assert "0rows in" in text.replace(" rows", "rows")
