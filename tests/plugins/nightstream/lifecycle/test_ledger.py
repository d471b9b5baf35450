"""The ledger as a document."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from nightstream.lifecycle.ledger import Ledger, OpenSlot, Outcome
from nightstream.lifecycle.table.examples import R1, a_ledger, an_entry, asked
from nightstream.streaming.naming import Slot


def test_a_ledger_is_the_same_after_it_was_written_and_read() -> None:
    ledger = a_ledger(override=asked("suspend"), refused=(("R1", "R2"),), jobs=("job-1",))
    assert Ledger.model_validate_json(ledger.model_dump_json()) == ledger


@pytest.mark.parametrize(
    ("wrong", "what"),
    [
        ({"format": 2}, "format"),
        ({"active": "b"}, "the slot that serves, b, is not among the slots"),
        ({"stable": "R9"}, "the stable revision R9 is not among the entries"),
        ({"entries": {"R2": an_entry(R1, Outcome.STABLE)}}, "of R2 is that of another revision"),
        ({"unheard": 1}, "unheard"),
    ],
)
def test_a_document_that_contradicts_itself_is_no_ledger(
    wrong: dict[str, object], what: str
) -> None:
    slots = {Slot.A: OpenSlot(subscription="requests")}
    with pytest.raises(ValidationError, match=what):
        Ledger.model_validate({"service": "weights", "slots": slots, **wrong})


@pytest.mark.parametrize(
    ("kind", "chosen"), [("pin", "R1"), ("roll_back", "R1"), ("suspend", None), ("redeploy", None)]
)
def test_a_revision_is_chosen_by_pin_and_roll_back(kind: str, chosen: str | None) -> None:
    assert a_ledger(override=asked(kind, revision="R1")).chosen == chosen


@pytest.mark.parametrize("outcome", list(Outcome))
def test_a_revision_is_unproved_until_it_is_stable_or_rejected(outcome: Outcome) -> None:
    assert outcome.unproved == (outcome not in (Outcome.STABLE, Outcome.REJECTED))
