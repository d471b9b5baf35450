"""How long to wait before the next try."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from beam_jobs.inserts.patience import FIRST_WAIT_S, LONGEST_WAIT_S, wait_before

RETRIES = st.integers(0, 10_000)
CHANCES = st.floats(0, 1, exclude_max=True)


def test_waits_double_until_the_longest() -> None:
    waits = [wait_before(retry, 1, None) for retry in range(9)]
    assert waits == [0.25, 0.5, 1, 2, 4, 8, 16, LONGEST_WAIT_S, LONGEST_WAIT_S]


@given(RETRIES, CHANCES)
def test_a_wait_is_anywhere_between_nothing_and_its_most(retry: int, chance: float) -> None:
    most = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2 ** min(retry, 30))
    assert wait_before(retry, chance, None) == chance * most


@given(RETRIES, CHANCES, st.floats(0, 1e6))
def test_the_service_is_waited_for_but_never_too_long(
    retry: int, chance: float, asked: float
) -> None:
    wait = wait_before(retry, chance, asked)
    assert min(asked, LONGEST_WAIT_S) <= wait <= LONGEST_WAIT_S
