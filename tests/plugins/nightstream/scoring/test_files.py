"""Claims and attempts of a run, as files."""

from __future__ import annotations

from pathlib import Path

from beam_jobs.objects import open_objects
from beam_jobs.runs.layout import RunLayout
from nightstream.scoring.claims import Claim, Claims
from nightstream.scoring.files import attempts_of, reserve_attempt
from tests.plugins.nightstream.scoring.test_jobs import RUN_KEY, run

MONDAY = Claim(dag_id="weights_batch", run_id="scheduled__2026-01-05", attempt=2, job_id="j")
BY_HAND = Claim(dag_id="weights_batch", run_id="manual__2026-01-06")


def claims(root: Path) -> Claims:
    return Claims(open_objects(str(root)), f"{root}/claims/2026-01-05", RUN_KEY)


def test_a_run_that_never_claimed_has_an_empty_claim(tmp_path: Path) -> None:
    claim = claims(tmp_path).of("weights_batch", "r")

    assert claim == Claim(dag_id="weights_batch", run_id="r")


def test_each_dag_run_has_one_claim(tmp_path: Path) -> None:
    book = claims(tmp_path)
    for claim in (MONDAY, BY_HAND, MONDAY):
        book.put(claim)

    assert sorted(claim.run_id for claim in book.all()) == [BY_HAND.run_id, MONDAY.run_id]
    assert book.of(MONDAY.dag_id, MONDAY.run_id) == MONDAY


def test_a_claim_that_is_removed_leaves_the_others(tmp_path: Path) -> None:
    book = claims(tmp_path)
    book.put(MONDAY)
    book.put(BY_HAND)
    book.remove(MONDAY)
    book.remove(MONDAY)

    assert book.all() == [BY_HAND]


def test_attempts_are_the_numbered_folders_and_complete_with_a_manifest(tmp_path: Path) -> None:
    objects, layout = open_objects(str(tmp_path)), RunLayout(str(tmp_path), RUN_KEY)
    claims(tmp_path).put(MONDAY)
    objects.put(layout.plan, b"{}")
    objects.put(layout.attempt(1).folder + "/launched_by.json", b"{}")
    objects.put(layout.attempt(2).predictions + "/part.parquet", b"")
    objects.put(layout.attempt(2).manifest, b"{}")
    objects.put(layout.attempt(10).manifest, b"{}")

    assert attempts_of(layout, objects) == ({1, 2, 10}, {2, 10})


def test_an_attempt_is_taken_only_once(tmp_path: Path) -> None:
    objects = open_objects(str(tmp_path))
    resolved = run(root=str(tmp_path))

    assert reserve_attempt(resolved, 1, MONDAY, objects)
    assert not reserve_attempt(resolved, 1, BY_HAND, objects)
    assert attempts_of(RunLayout(str(tmp_path), RUN_KEY), objects) == ({1}, set())
