"""Messages go at an even rate, none before it is due."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beam_jobs.send.pacing import Pace, paced

ROUNDING_S = 1e-6


class Clock:
    """Time that passes by sleeping, and by `late` seconds more each time."""

    def __init__(self, late: float = 0.0) -> None:
        self.now = 1000.0
        self.sleeps = 0
        self._late = late

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.sleeps += 1
        self.now += seconds + self._late


def sent_at(count: int, rate: float | None, clock: Clock) -> list[float]:
    """Seconds after the start at which each message was sent."""
    began = clock()
    times: list[float] = []
    for batch in paced(iter(range(count)), Pace(rate), clock, clock.sleep):
        assert batch == list(range(len(times), len(times) + len(batch)))
        assert len(batch) <= 1000
        times += [clock() - began] * len(batch)
    assert len(times) == count
    return times


@given(st.integers(1, 2000), st.floats(0.1, 20_000))
def test_every_message_is_sent_within_a_hundredth_of_a_second_of_when_it_is_due(
    count: int, rate: float
) -> None:
    for number, at in enumerate(sent_at(count, rate, Clock())):
        assert -ROUNDING_S <= at - number / rate <= 0.01 + ROUNDING_S


@given(st.integers(1, 2000), st.floats(50, 5_000), st.floats(0, 0.05))
def test_a_clock_that_wakes_late_does_not_lower_the_rate(
    count: int, rate: float, late: float
) -> None:
    times = sent_at(count, rate, Clock(late))
    assert times[-1] <= (count - 1) / rate + 0.01 + late + ROUNDING_S


def test_at_high_rates_messages_go_together_so_that_little_is_computed() -> None:
    clock = Clock()
    sent_at(5000, 5000.0, clock)
    assert clock.sleeps <= 102


@pytest.mark.parametrize("count", [0, 1, 2500])
def test_without_a_rate_nothing_waits(count: int) -> None:
    assert sent_at(count, None, Clock()) == [0.0] * count
