"""The drift of the last hours of live requests."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

from beam_jobs.runs.profiles import LiveProfile
from beam_jobs.spec.drift import DriftSpec
from nightstream.drift.distances import psi
from nightstream.drift.figures import Verdict
from nightstream.drift.live import (
    LiveDrift,
    last_full_hour,
    live_drift,
    live_drift_uri,
    newest_version,
    news,
    same_hours_before,
)
from nightstream.drift.measuring import Profiled
from tests.support.histograms import a_reference
from tests.support.live_profiles import END, LIMITS, a_profile

REFERENCE = a_reference({"weeks": (400, 300, 300)})
SPEC = DriftSpec.model_validate(LIMITS)


def look(profiles: Sequence[LiveProfile], **trailing: Any) -> LiveDrift:
    return live_drift(SPEC, "weights", END, profiles, REFERENCE, trailing.get("trailing", {}))


def test_the_profiles_of_the_hours_are_summed() -> None:
    drift = look([a_profile((40, 30, 20)), a_profile((0, 0, 10), 20)])
    assert (drift.rows, drift.verdict, drift.model_version) == (100, Verdict.FINE, "v1")
    assert drift.features["weeks"].counts == (0, 40, 30, 30, 0)
    assert (drift.window_start, drift.window_end) == (END - timedelta(hours=3), END)


def test_after_a_release_only_what_the_new_version_scored_is_compared() -> None:
    drift = look([a_profile((10, 0, 900), 60, edges=1), a_profile((40, 30, 30), 5, "v2")])
    assert (drift.model_version, drift.rows) == ("v2", 100)
    assert "910 requests that other versions scored are left out" in drift.notes
    assert newest_version([]) is None


def test_the_same_hours_of_earlier_days_are_the_trailing_baseline() -> None:
    days = same_hours_before(END, 2)
    assert list(days.values()) == [END - timedelta(days=1), END - timedelta(days=2)]
    yesterday = look([a_profile((300, 400, 300))]).profiled
    drift = look([a_profile((40, 30, 30))], trailing={min(days): yesterday})
    [before] = [f for f in drift.figures if f.label == "psi_trailing"]
    assert before.value == psi((0, 40, 30, 30, 0), (0, 300, 400, 300, 0))
    assert drift.trailing == (min(days),)
    assert isinstance(drift.profiled, Profiled)


def test_people_hear_of_what_is_new_only() -> None:
    fine, warned, bad = (
        look([a_profile(counts)]) for counts in ((40, 30, 30), (30, 30, 40), (20, 20, 60))
    )
    shifted = look([a_profile((25, 30, 45))])
    assert [drift.verdict for drift in (fine, bad)] == [Verdict.FINE, Verdict.STOP]
    assert news(fine, None) == ()
    assert [figure.column for figure in news(bad, None)] == ["weeks"]
    assert [figure.column for figure in news(bad, fine)] == ["weeks"]
    assert news(bad, bad) == ()
    assert news(fine, bad) == ()
    assert shifted.verdict is Verdict.WARN
    assert [figure.verdict for figure in news(bad, shifted)] == [Verdict.STOP]
    assert warned.verdict is Verdict.FINE


def test_an_hour_has_one_name_in_every_timezone() -> None:
    moscow = timezone(timedelta(hours=3))
    assert last_full_hour(datetime(2026, 1, 5, 15, 5, tzinfo=moscow)) == END
    uri = "gs://scoring-work/weights/drift_live/2026-01-05T12.json"
    assert live_drift_uri("scoring-work", "weights", END.astimezone(moscow)) == uri


def test_it_reads_back_as_it_was_written() -> None:
    drift = look([a_profile((40, 30, 30))])
    assert LiveDrift.model_validate_json(drift.model_dump_json()) == drift
