"""What the jobs themselves tell where the ledger does not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from nightstream.jobs.job import Job
from nightstream.lifecycle.ledger import Entry, Outcome
from nightstream.lifecycle.revisions import Place, Revision, Workers
from nightstream.lifecycle.snapshot import SeenJob
from nightstream.streaming.naming import Slot, live_job_name
from nightstream.streaming.rebuilding import adopted, rebuilt

NOW = datetime(2026, 1, 1, tzinfo=UTC)
REQUESTS = Place(project="p", region="r", topic="t", subscription="requests")
ORDERS = REQUESTS.model_copy(update={"subscription": "orders"})


def a_revision(name: str, place: Place = REQUESTS) -> Revision:
    return Revision(
        id=name,
        model_version="v1",
        place=place,
        topology="1",
        base=name,
        workers=Workers(least=1, most=3),
    )


KNOWN = {"one": a_revision("one"), "two": a_revision("two")}


def a_job(revision: str | None, slot: Slot = Slot.A, hours: int = 0) -> SeenJob:
    return SeenJob(
        job=Job(f"job-{slot}-{hours}", live_job_name("weights", slot), "RUNNING", {}),
        slot=slot,
        revision=revision,
        created_at=NOW + timedelta(hours=hours),
        workers=Workers(least=1, most=3),
        launched_as=revision,
    )


def test_without_jobs_the_first_slot_reads_the_specs_subscription() -> None:
    ledger = rebuilt("weights", [], KNOWN.get, ORDERS)
    assert ledger.active is Slot.A
    assert [(s, state.subscription) for s, state in ledger.slots.items()] == [(Slot.A, "orders")]


def test_the_slot_of_a_job_reads_what_its_revision_says_and_not_what_the_spec_says_by_now() -> None:
    ledger = rebuilt("weights", [a_job("one", Slot.B)], KNOWN.get, ORDERS)
    assert ledger.active is Slot.B
    assert [s.subscription for s in ledger.slots.values()] == ["requests-b"]


def test_of_two_slots_the_one_with_the_older_job_serves() -> None:
    jobs = [a_job("one", Slot.B, 0), a_job("two", Slot.A, 5)]
    ledger = rebuilt("weights", jobs, KNOWN.get, REQUESTS)
    assert ledger.active is Slot.B
    assert {s: state.opened_at for s, state in ledger.slots.items()} == {
        Slot.B: None,
        Slot.A: NOW + timedelta(hours=5),
    }


def test_the_slot_of_a_job_that_nobody_knows_is_not_another_jobs() -> None:
    ledger = rebuilt("weights", [a_job("three"), a_job(None, hours=1)], KNOWN.get, REQUESTS)
    assert list(ledger.slots) == [Slot.A]
    assert adopted(ledger, [a_job("three"), a_job(None)], KNOWN.get, NOW).entries == {}


def test_revisions_that_stand_are_on_probation_again() -> None:
    ledger = rebuilt("weights", [a_job("one")], KNOWN.get, REQUESTS)
    [entry] = adopted(ledger, [a_job("one")], KNOWN.get, NOW).entries.values()
    assert (entry.revision, entry.outcome, entry.running_since) == (
        KNOWN["one"],
        Outcome.LAUNCHED,
        None,
    )


def test_what_the_ledger_says_of_a_revision_stays() -> None:
    stable = Entry(revision=KNOWN["one"], outcome=Outcome.STABLE, times={Outcome.STABLE: NOW})
    ledger = rebuilt("weights", [a_job("one")], KNOWN.get, REQUESTS)
    ledger = ledger.model_copy(update={"entries": {"one": stable}})
    entries = adopted(ledger, [a_job("one"), a_job("two", Slot.B)], KNOWN.get, NOW).entries
    assert entries["one"] is stable
    assert entries["two"].outcome is Outcome.LAUNCHED
