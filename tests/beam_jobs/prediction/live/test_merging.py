"""Small calls that come at the same time are one; none waits without reason, or for ever."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from beam_jobs.prediction.live.bundles import BundlesUnderWay
from beam_jobs.prediction.live.merging import CallBounds, MergedCallError, MergedCalls
from tests.support.patience import PATIENCE_S

FOR_EVER = 600.0
"""Seconds; a test that waits so long fails."""
SOON = 20.0


class Doubling:
    """A model of numbers that remembers its calls."""

    def __init__(self) -> None:
        self.calls: list[list[int]] = []

    def __call__(self, parts: Sequence[int]) -> list[int]:
        self.calls.append(list(parts))
        return [2 * part for part in parts]


class Bundles:
    """Bundles on threads of their own; each runs one step at a time."""

    def __init__(self, count: int) -> None:
        self.under_way = BundlesUnderWay()
        self._threads = [ThreadPoolExecutor(1) for _ in range(count)]
        for thread in self._threads:
            thread.submit(self.under_way.enter).result(SOON)

    def run(self, bundle: int, step: Callable[[], int]) -> Future[int]:
        return self._threads[bundle].submit(step)

    def leave(self, bundle: int) -> None:
        self._threads[bundle].submit(self.under_way.leave).result(SOON)


def bounds(rows: int = 100, nbytes: int = 10_000, wait_seconds: float = FOR_EVER) -> CallBounds:
    return CallBounds(rows, nbytes, wait_seconds)


def test_a_lone_bundle_does_not_wait() -> None:
    bundles, model = Bundles(1), Doubling()
    calls: MergedCalls[int, int] = MergedCalls(model, bounds(), bundles.under_way)
    assert bundles.run(0, lambda: calls.answer(21, 1, 8)).result(SOON) == 42


def test_bundles_that_come_at_the_same_time_share_one_call() -> None:
    bundles, model = Bundles(5), Doubling()
    calls: MergedCalls[int, int] = MergedCalls(model, bounds(), bundles.under_way)

    answers = [bundles.run(i, lambda i=i: calls.answer(i, 1, 8)) for i in range(5)]

    assert [answer.result(SOON) for answer in answers] == [0, 2, 4, 6, 8]
    assert [sorted(call) for call in model.calls] == [[0, 1, 2, 3, 4]]


def test_a_call_goes_out_when_the_bundle_it_waits_for_leaves() -> None:
    bundles, model = Bundles(2), Doubling()
    calls: MergedCalls[int, int] = MergedCalls(model, bounds(), bundles.under_way)
    answer = bundles.run(0, lambda: calls.answer(21, 1, 8))
    assert not model.calls
    bundles.leave(1)
    assert answer.result(SOON) == 42


def test_a_call_waits_no_longer_than_it_may() -> None:
    bundles, model = Bundles(2), Doubling()
    calls: MergedCalls[int, int] = MergedCalls(model, bounds(wait_seconds=0.01), bundles.under_way)
    assert bundles.run(0, lambda: calls.answer(21, 1, 8)).result(SOON) == 42
    assert bundles.under_way.count() == 1


@pytest.mark.parametrize(("rows", "nbytes"), [(50, 8), (1, 5_000)], ids=["rows", "bytes"])
def test_a_call_that_has_enough_goes_out_though_more_could_come(rows: int, nbytes: int) -> None:
    bundles, model = Bundles(3), Doubling()
    calls: MergedCalls[int, int] = MergedCalls(model, bounds(), bundles.under_way)
    answers = [bundles.run(i, lambda: calls.answer(1, rows, nbytes)) for i in range(2)]
    assert [answer.result(SOON) for answer in answers] == [2, 2]
    assert model.calls == [[1, 1]]


def test_what_has_no_room_in_a_call_goes_into_the_next() -> None:
    bundles, model = Bundles(2), Doubling()
    calls: MergedCalls[int, int] = MergedCalls(model, bounds(), bundles.under_way)
    answers = [bundles.run(i, lambda: calls.answer(1, 60, 8)) for i in range(2)]
    assert [answer.result(SOON) for answer in answers] == [2, 2]
    assert model.calls == [[1], [1]]


def test_a_call_that_raises_fails_all_that_were_merged_into_it() -> None:
    bundles = Bundles(2)

    def fail(parts: Sequence[int]) -> list[int]:
        raise ValueError(f"{len(parts)} parts")

    calls: MergedCalls[int, int] = MergedCalls(fail, bounds(), bundles.under_way)
    answers = [bundles.run(i, lambda: calls.answer(1, 1, 8)) for i in range(2)]
    for answer in answers:
        with pytest.raises(MergedCallError, match=r"2 merged parts failed.*2 parts"):
            answer.result(SOON)


def test_a_call_that_answers_too_few_fails_and_the_next_one_goes_out() -> None:
    bundles = Bundles(1)
    answers = iter([[], [7]])
    calls: MergedCalls[int, int] = MergedCalls(lambda _: next(answers), bounds(), bundles.under_way)
    with pytest.raises(MergedCallError, match="0 answers for 1 parts"):
        bundles.run(0, lambda: calls.answer(1, 1, 8)).result(SOON)
    assert bundles.run(0, lambda: calls.answer(1, 1, 8)).result(SOON) == 7


def test_a_leader_that_is_interrupted_leaves_nobody_waiting() -> None:
    bundles = Bundles(2)

    def interrupted(_: Sequence[int]) -> list[int]:
        raise KeyboardInterrupt

    calls: MergedCalls[int, int] = MergedCalls(interrupted, bounds(), bundles.under_way)
    answers = [bundles.run(i, lambda: calls.answer(1, 1, 8)) for i in range(2)]
    errors = {type(answer.exception(SOON)) for answer in answers}
    assert errors == {KeyboardInterrupt, MergedCallError}


class SlowModel:
    """Answers after a while that differs, with calls of several threads at the same time."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self.calls: list[int] = []

    def __call__(self, parts: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
        time.sleep(self._chance.random() / 500)
        self.calls.append(len(parts))
        return list(parts)


def test_many_bundles_that_come_go_and_fail_each_get_their_own_answers() -> None:
    under_way = BundlesUnderWay()
    model = SlowModel(random.Random(1))
    calls: MergedCalls[tuple[int, int], tuple[int, int]] = MergedCalls(
        model, bounds(rows=20, wait_seconds=0.002), under_way
    )
    wrong: list[tuple[int, int]] = []

    def bundles_of(thread: int) -> None:
        chance = random.Random(thread)
        for number in range(60):
            under_way.enter()
            for _ in range(chance.randrange(3)):
                time.sleep(chance.random() / 1_000)
                part = (thread, number)
                if calls.answer(part, chance.randrange(1, 25), 8) != part:
                    wrong.append(part)
            if chance.random() < 0.8:
                under_way.leave()

    threads = [threading.Thread(target=bundles_of, args=(i,), daemon=True) for i in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)

    assert not any(thread.is_alive() for thread in threads)
    assert not wrong
    assert sum(model.calls) > len(model.calls)
