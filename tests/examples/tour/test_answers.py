"""What the tour tells of answers: how long people waited, and when nobody was answered."""

from __future__ import annotations

import pytest

from beam_jobs.send.answers import Answer
from examples.tour.answers import Answers, Counts


def scored(name: str) -> Answer:
    return Answer(name, "scored")


@pytest.fixture
def answers() -> Answers:
    """Two requests a second from 0 to 5, each answered half a second later, but for a stop: those
    of 2 and 2.5 were answered at 4."""
    answers = Answers()
    for half in range(10):
        answers.asked([f"r{half}"], half / 2)
    for half in (0, 1, 2, 3, 6, 7, 8, 9):
        if half == 6:
            answers.answered([scored("r4"), scored("r5")], 4.0)
        answers.answered([scored(f"r{half}")], half / 2 + 0.5 if half < 4 else half / 2 + 1)
    return answers


def test_the_gap_is_the_longest_time_between_two_answers(answers: Answers) -> None:
    assert answers.gap(since=0) == 2.0


def test_a_gap_begins_at_the_moment_that_is_asked_for(answers: Answers) -> None:
    assert answers.gap(since=3.0) == 1.0
    assert answers.gap(since=4.0) == 0.5


def test_where_no_answer_came_there_is_no_gap_to_tell(answers: Answers) -> None:
    assert answers.gap(since=100) == 0.0
    assert Answers().gap(since=0) == 0.0


def test_waits_are_those_of_the_answers_since_a_moment(answers: Answers) -> None:
    assert answers.waits(since=4.0) == [1.0, 1.0, 1.0, 1.0, 1.5, 2.0]
    assert len(answers.waits(since=0)) == 10


def test_a_request_is_waiting_until_it_is_answered_one_way_or_the_other() -> None:
    answers = Answers()
    answers.asked(["a", "b", "c"], 0.0)
    answers.answered([scored("a"), Answer("b", "dead_letter", "not_json")], 1.0)

    assert answers.counts == Counts(sent=3, scored=1, dead=1)
    assert answers.counts.waiting == 1


def test_a_second_answer_and_one_to_a_stranger_count_for_nothing() -> None:
    answers = Answers()
    answers.asked(["a"], 0.0)
    answers.answered([scored("a"), scored("a"), scored("of somebody else")], 1.0)

    assert answers.counts == Counts(sent=1, scored=1, dead=0)
