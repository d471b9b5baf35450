"""What lies between a running revision and the one that should run."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightstream.lifecycle.revisions import Change, Place, Revision, Workers, classify
from nightstream.lifecycle.table.examples import PLACE, WORKERS, revision
from nightstream.streaming.naming import Slot

R1 = revision("R1")


def change(wanted: Revision, *, workers: Workers = WORKERS, refused: bool = False) -> Change:
    return classify(R1, workers, wanted, refused)[0]


def test_the_same_revision_with_the_same_workers_is_no_change() -> None:
    assert change(R1) is Change.NONE


@pytest.mark.parametrize("workers", [Workers(least=2, most=3), Workers(least=1, most=9)])
def test_other_workers_are_tuned_in_flight(workers: Workers) -> None:
    assert change(R1, workers=workers) is Change.TUNABLE


def test_another_model_is_an_update() -> None:
    assert change(revision("R2", model_version="2", base="R1")) is Change.UPDATABLE


def test_another_model_of_a_job_that_refreshes_is_a_refresh() -> None:
    running = revision("R1", base="B", refreshes=True)
    wanted = revision("R2", base="B", refreshes=True, model_version="2")
    assert classify(running, WORKERS, wanted, False)[0] is Change.REFRESHABLE


def test_another_model_with_other_code_is_no_refresh() -> None:
    running = revision("R1", base="B", refreshes=True)
    wanted = revision("R2", base="C", refreshes=True, model_version="2")
    assert classify(running, WORKERS, wanted, False)[0] is Change.UPDATABLE


def test_other_code_or_parameters_are_an_update() -> None:
    assert change(revision("R2")) is Change.UPDATABLE


@pytest.mark.parametrize("part", ["project", "region", "topic", "subscription"])
def test_no_job_is_moved_in_place(part: str) -> None:
    moved = revision("R2", place=PLACE.model_copy(update={part: "another"}))
    assert change(moved) is Change.INCOMPATIBLE


def test_a_change_that_the_spec_marks_is_not_made_in_place() -> None:
    assert change(revision("R2", topology="2")) is Change.INCOMPATIBLE


def test_a_change_that_the_service_has_refused_is_not_made_in_place() -> None:
    assert change(revision("R2"), refused=True) is Change.INCOMPATIBLE


_names = st.sampled_from("ABC")
_places = st.builds(Place, project=_names, region=_names, topic=_names, subscription=_names)
_workers = st.builds(Workers, least=st.integers(1, 3), most=st.integers(3, 5))
_revisions: Any = st.builds(
    Revision,
    id=_names,
    model_version=_names,
    place=_places,
    topology=_names,
    base=_names,
    refreshes=st.booleans(),
    workers=_workers,
)


@given(_revisions, _workers, _revisions, st.booleans())
def test_every_pair_of_revisions_is_some_change_that_explains_itself(
    running: Revision, workers: Workers, wanted: Revision, refused: bool
) -> None:
    found, why = classify(running, workers, wanted, refused)
    assert isinstance(found, Change)
    assert why
    assert (running.id == wanted.id) == (found in (Change.NONE, Change.TUNABLE))


def test_the_second_slot_reads_a_subscription_of_its_own() -> None:
    assert PLACE.subscription_of(Slot.A) == "requests"
    assert PLACE.subscription_of(Slot.B) == "requests-b"
