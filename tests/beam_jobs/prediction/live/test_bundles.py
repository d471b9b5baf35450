"""A bundle counts from its start until it has asked for its last prediction."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from beam_jobs.prediction.live.bundles import FORGOTTEN_AFTER_SECONDS, BundlesUnderWay


def test_a_bundle_counts_from_entering_to_leaving() -> None:
    bundles = BundlesUnderWay()
    bundles.enter()
    assert bundles.count() == 1
    bundles.leave()
    assert bundles.count() == 0


def test_bundles_of_several_threads_are_counted_apart() -> None:
    bundles = BundlesUnderWay()
    with ThreadPoolExecutor(1) as other_thread:
        other_thread.submit(bundles.enter).result()
        bundles.enter()
        assert bundles.count() == 2
        bundles.leave()
        assert bundles.count() == 1


def test_leaving_twice_or_without_having_entered_changes_nothing() -> None:
    bundles = BundlesUnderWay()
    bundles.leave()
    bundles.enter()
    bundles.leave()
    bundles.leave()
    assert bundles.count() == 0


def test_a_bundle_that_failed_is_forgotten_when_its_thread_begins_another() -> None:
    bundles = BundlesUnderWay()
    bundles.enter()
    bundles.enter()
    assert bundles.count() == 1


def test_a_bundle_that_failed_on_a_thread_without_another_is_forgotten_in_time() -> None:
    now = [100.0]
    bundles = BundlesUnderWay(clock=lambda: now[0])
    bundles.enter()
    now[0] += FORGOTTEN_AFTER_SECONDS
    assert bundles.count() == 0
