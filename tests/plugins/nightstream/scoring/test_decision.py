"""What to do about a run's job."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from nightstream.jobs.job import Job, Phase
from nightstream.scoring.decision import Adopt, Launch, Reuse, Seen, Wait, decide
from nightstream.scoring.jobs import attempt_of, belongs_to

RUN = "a" * 40
ACTIVE = ("PENDING", "QUEUED", "RUNNING", "RESOURCE_CLEANING_UP")
ENDED = ("DONE", "FAILED", "CANCELLED")


def job(state: str, attempt: int = 1, run_key: str = RUN) -> Job:
    labels = {"run_key": run_key, "attempt": str(attempt)}
    return Job(f"job-{attempt}-{state}", "weights-batch-a", state, labels)


def seen(*jobs: Job, attempts: Any = (), complete: Any = ()) -> Seen:
    return Seen(RUN, jobs, frozenset(attempts), frozenset(complete))


def test_with_nothing_there_the_first_attempt_is_launched() -> None:
    assert decide(seen()) == Launch(1)


def test_a_job_that_is_at_it_is_adopted() -> None:
    for state in ACTIVE:
        assert decide(seen(job(state), attempts={1})) == Adopt(job(state))


def test_finished_output_is_reused_even_when_its_job_is_forgotten() -> None:
    assert decide(seen(job("DONE"), attempts={1}, complete={1})) == Reuse(1)
    assert decide(seen(attempts={1, 2}, complete={2})) == Reuse(2)


def test_a_job_that_ended_without_a_manifest_is_followed_by_the_next_attempt() -> None:
    for state in ENDED:
        assert decide(seen(job(state), attempts={1})) == Launch(2)


def test_a_folder_of_a_forgotten_attempt_is_never_written_again() -> None:
    assert decide(seen(attempts={1, 4})) == Launch(5)


def test_a_job_whose_folder_is_not_there_yet_counts_too() -> None:
    assert decide(seen(job("FAILED", attempt=3))) == Launch(4)


def test_a_job_that_is_being_cancelled_is_waited_out() -> None:
    assert isinstance(decide(seen(job("CANCELLING"))), Wait)


def test_a_state_that_is_not_known_is_never_acted_upon() -> None:
    decision = decide(seen(job("UNKNOWN")))

    assert isinstance(decision, Wait)
    assert "state UNKNOWN" in decision.reason
    assert isinstance(decide(seen(job("SHINY_NEW_STATE"))), Wait)


def test_another_runs_job_under_our_name_is_waited_out_and_named() -> None:
    decision = decide(seen(job("RUNNING", run_key="b" * 40)))

    assert isinstance(decision, Wait)
    assert "not of this run" in decision.reason


def test_force_launches_though_output_is_there() -> None:
    assert decide(seen(attempts={1}, complete={1}), force=True) == Launch(2)


def test_the_retry_of_a_forced_run_finds_its_own_attempt() -> None:
    finished = seen(attempts={1, 2}, complete={1, 2})
    running = seen(job("RUNNING", 2), attempts={1, 2}, complete={1})

    assert decide(finished, force=True, mine=2) == Reuse(2)
    assert decide(running, force=True, mine=2) == Adopt(job("RUNNING", 2))


JOBS = st.lists(
    st.builds(
        job,
        st.sampled_from([*ACTIVE, *ENDED, "CANCELLING", "DRAINING", "UPDATED", "UNKNOWN", "?"]),
        st.integers(1, 5),
        st.sampled_from([RUN, "b" * 40]),
    ),
    max_size=4,
)
NUMBERS = st.frozensets(st.integers(1, 6))


@given(JOBS, NUMBERS, NUMBERS, st.booleans(), st.none() | st.integers(1, 6))
def test_there_is_one_decision_for_everything_that_can_be_seen(
    jobs: list[Job], attempts: frozenset[int], complete: frozenset[int], force: bool, mine: int
) -> None:
    standing = [job for job in jobs if job.phase is not Phase.ENDED]
    match decide(seen(*jobs, attempts=attempts, complete=complete), force, mine):
        case Reuse(attempt):
            assert attempt in complete
            assert attempt == mine or not force
        case Adopt(found):
            assert found.phase is Phase.ACTIVE
            assert belongs_to(found, RUN)
        case Wait(found, reason):
            assert found in standing
            assert reason
        case Launch(attempt):
            assert not standing
            assert attempt > max({0, *attempts, *complete, *(attempt_of(job) or 0 for job in jobs)})
