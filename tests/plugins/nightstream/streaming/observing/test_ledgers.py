"""The ledger's object: two writers never both win, and what cannot be read is not overwritten."""

from __future__ import annotations

import json

import pytest

from nightstream.lifecycle.ledger import Ledger, OpenSlot
from nightstream.streaming.ledgers import LedgerChangedError, LedgerError
from nightstream.streaming.naming import Slot
from tests.plugins.nightstream.streaming.observing.conftest import Watched

EMPTY = Ledger(service="weights", slots={Slot.A: OpenSlot(subscription="s")})


def test_where_there_is_no_ledger_there_is_none(watched: Watched) -> None:
    assert watched.ledgers.read() == (None, 0)


def test_what_was_written_is_read_with_its_generation(watched: Watched) -> None:
    first = watched.ledgers.swap(EMPTY, 0)
    changed = EMPTY.model_copy(update={"jobs": ("job-1",)})
    second = watched.ledgers.swap(changed, first)

    assert second != first
    assert watched.ledgers.read() == (changed, second)


def test_of_two_writers_that_stand_on_one_generation_the_second_changes_nothing(
    watched: Watched,
) -> None:
    first = watched.ledgers.swap(EMPTY, 0)
    ours = watched.ledgers.swap(EMPTY.model_copy(update={"jobs": ("ours",)}), first)

    with pytest.raises(LedgerChangedError, match=r"ledger\.json was changed by somebody else"):
        watched.ledgers.swap(EMPTY.model_copy(update={"jobs": ("theirs",)}), first)

    found, generation = watched.ledgers.read()
    assert found is not None
    assert (found.jobs, generation) == (("ours",), ours)


def test_the_same_write_made_twice_is_refused_the_second_time(watched: Watched) -> None:
    first = watched.ledgers.swap(EMPTY, 0)
    watched.ledgers.swap(EMPTY, first)

    with pytest.raises(LedgerChangedError):
        watched.ledgers.swap(EMPTY, first)


def test_a_write_whose_answer_was_lost_is_known_to_have_succeeded(watched: Watched) -> None:
    watched.cloud.inject(kind="error", path="/upload/storage/v1/", code=503, when="after", times=1)

    generation = watched.ledgers.swap(EMPTY, 0)

    assert watched.cloud.injections() >= 1
    assert watched.ledgers.read() == (EMPTY, generation)


@pytest.mark.parametrize(
    ("document", "why"),
    [
        (b"", "Expecting value"),
        (b'{"service": "weights", "slots"', "Expecting"),
        (b"[]", "it is no object"),
        (b'{"service": "weights"}', "slots: Field required"),
        (b'{"service": "weights", "slots": {"c": {"subscription": "s"}}}', "slots.c"),
        (b'{"service": "weights", "slots": {}, "colour": "red"}', "colour: Extra inputs"),
    ],
)
def test_a_ledger_that_cannot_be_read_is_refused_with_the_remedy(
    watched: Watched, document: bytes, why: str
) -> None:
    watched.objects.put(watched.ledgers.uri, document)

    with pytest.raises(LedgerError) as refusal:
        watched.look()

    text = str(refusal.value)
    assert why in text
    assert f"gcloud storage ls -a {watched.ledgers.uri}" in text
    assert "Otherwise delete it" in text
    assert watched.objects.read(watched.ledgers.uri) == document


def test_a_ledger_of_a_newer_release_is_refused_with_the_remedy(watched: Watched) -> None:
    newer = {"format": 2, "service": "weights", "moons": 4}
    watched.objects.put(watched.ledgers.uri, json.dumps(newer).encode())

    with pytest.raises(LedgerError, match=r"newer release \(format 2.*deploy that release again"):
        watched.ledgers.read()
