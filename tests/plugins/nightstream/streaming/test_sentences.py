"""What the log and the UI say of a round."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest

from beam_jobs.spec.lifecycle import LifecycleSpec
from nightstream.jobs.job import Job
from nightstream.lifecycle.actions import Action
from nightstream.lifecycle.case import Timing
from nightstream.lifecycle.decision import decide
from nightstream.lifecycle.ledger import Ledger, OpenSlot
from nightstream.lifecycle.readings import Reading
from nightstream.lifecycle.revisions import Place, Revision, Workers
from nightstream.lifecycle.snapshot import SeenJob, Snapshot
from nightstream.streaming.naming import Slot
from nightstream.streaming.sentences import (
    action_sentence,
    decision_sentences,
    job_of,
    seen_sentences,
)

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
PLACE = Place(project="p", region="r", topic="heights", subscription="projects/p/subscriptions/s")
WANTED = Revision(
    id="a" * 40,
    model_version="v3",
    place=PLACE,
    topology="1",
    base="b" * 40,
    workers=Workers(least=1, most=3),
)
JOB = SeenJob(
    job=Job("j-1", "heights-live-a", "RUNNING", {}),
    slot=Slot.A,
    revision=WANTED.id,
    created_at=NOW,
    workers=WANTED.workers,
)
SEEN = Snapshot(
    wanted=WANTED,
    problem="",
    jobs=(),
    ledger=Ledger(service="heights", slots={Slot.A: OpenSlot(subscription=PLACE.subscription)}),
)
TIMING = Timing(timedelta(minutes=10), timedelta(hours=1), timedelta(days=7))


def test_an_empty_place_is_told() -> None:
    assert seen_sentences(SEEN) == [
        f"Declared is revision {WANTED.id} with model v3 and 1 to 3 workers",
        "Stable last was none; slot a serves",
        "No job stands",
    ]


def test_what_keeps_anything_from_being_declared_is_told() -> None:
    seen = replace(SEEN, wanted=None, problem="there is no alias 'champion'")

    told = "What is declared cannot be told: there is no alias 'champion'"
    assert told in seen_sentences(seen)


def test_a_running_job_is_told_with_its_reading_and_what_is_unknown_is_called_so() -> None:
    reading = Reading(at=NOW, requests=1200, dead=3, errors=0, backlog=7)

    told = seen_sentences(replace(SEEN, jobs=(JOB,), readings={"j-1": reading}))

    assert told[2:] == [
        f"heights-live-a (j-1) in slot a is RUNNING with revision {WANTED.id}",
        "heights-live-a (j-1) so far: requests 1,200, dead letters 3, error messages 0; waiting 7, "
        "the oldest for unknown; age of its watermark unknown",
    ]
    unread = seen_sentences(replace(SEEN, jobs=(JOB,)))
    assert unread[-1] == "heights-live-a (j-1) could not be read"


def test_a_decision_is_told_with_its_news_and_reasons() -> None:
    decision = decide(SEEN, LifecycleSpec(), TIMING, NOW)

    told = decision_sentences(decision)

    assert f"Action: launch revision {WANTED.id} in slot a" in told
    assert set(decision.news) | set(decision.reasons) < set(told)
    assert job_of(decision) is None


@pytest.mark.parametrize("kind", get_args(Action))
def test_every_action_has_its_words(kind: type[Action]) -> None:
    values: dict[str, Any] = {
        "slot": Slot.B,
        "revision": "c" * 40,
        "job_id": "j-2",
        "launched_as": "d" * 40,
        "workers": Workers(least=2, most=4),
        "to": NOW,
    }
    given = {field.name: values[field.name] for field in fields(kind) if field.name != "kind"}

    said = action_sentence(kind(**given))

    told = {"slot": "slot b", "revision": "c" * 40, "job_id": "j-2", "workers": "2 to 4 workers"}
    for name in given.keys() & told.keys():
        assert told[name] in said
    assert said
