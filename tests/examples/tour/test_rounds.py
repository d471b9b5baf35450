"""Rounds as they are told to the reader of the tour."""

from __future__ import annotations

from examples.tour.rounds import alike, shortened

REVISION = "0123456789abcdef0123456789abcdef01234567"
JOB = "2026-11-22_21_48_29-5824762436373693909"


def test_of_a_revision_its_first_digits_are_told() -> None:
    assert shortened(f"{REVISION} is stable") == "01234567 is stable"


def test_of_a_job_its_time_is_told() -> None:
    assert shortened(f"drain job {JOB}") == "drain job 2026-11-22_21_48_29…"


def test_sentences_that_differ_in_their_figures_only_are_alike() -> None:
    assert alike("5 of 15 s, 1,200 requests") == alike("12.5 of 15 s, 900 requests")


def test_sentences_about_another_revision_are_not_alike() -> None:
    assert alike("e0123456 runs") != alike("f0123456 runs")
