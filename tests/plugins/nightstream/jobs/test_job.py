"""Dataflow jobs as the operators see them."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from nightstream.jobs.job import Job, Phase, label_values, states_like


def job(state: str) -> Job:
    return Job("id", "name", state, {})


def test_a_state_that_nobody_knew_is_of_unknown_phase() -> None:
    assert job("PAUSED_FOR_LUNCH").phase is Phase.UNKNOWN


def test_states_that_mean_the_same_are_told() -> None:
    assert states_like(job("DRAINING")) == ("CANCELLING", "DRAINING")
    assert {"PENDING", "RUNNING"} <= set(states_like(job("QUEUED")))
    assert states_like(job("PAUSED_FOR_LUNCH")) == ("PAUSED_FOR_LUNCH",)


def test_a_job_without_workers_is_starting() -> None:
    assert [s for s in ("PENDING", "QUEUED", "RUNNING", "DONE") if job(s).starting] == [
        "PENDING",
        "QUEUED",
    ]


@given(st.dictionaries(st.just("key"), st.text(max_size=100)))
def test_whatever_is_said_the_label_is_legal(said: dict[str, str]) -> None:
    values = label_values(said).values()

    assert all(re.fullmatch(r"[a-z0-9_-]{0,63}", value) for value in values)
