"""What a round sees of jobs and ledger, through the real APIs; nothing of it is written."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import timedelta

import pytest

from beam_jobs.prediction.versions import set_alias
from beam_jobs.runs.streaming import ServedModel
from beam_jobs.spec.model import EndpointSpec
from nightstream.lifecycle.ledger import Intent, Outcome
from nightstream.lifecycle.revisions import Workers
from nightstream.streaming.naming import Slot
from nightstream.streaming.observing import UnseenError
from nightstream.streaming.rounds import Observed, from_json, to_json
from tests.plugins.nightstream.streaming.observing.conftest import Watched
from tests.support.local_cloud import ROOT
from tests.support.models import release


def test_where_nothing_is_yet_the_ledger_is_empty_and_the_first_slot_reads_the_specs_subscription(
    watched: Watched,
) -> None:
    observed = watched.look()

    assert (observed.generation, observed.snapshot.jobs) == (0, ())
    ledger = observed.snapshot.ledger
    assert {slot: state.subscription for slot, state in ledger.slots.items()} == {
        Slot.A: watched.subscription
    }
    assert observed.snapshot.wanted is not None
    assert observed.snapshot.wanted.id == watched.plan(kept=False).revision
    assert observed.timing.retention == timedelta(days=7)
    assert not watched.objects.list(f"gs://{watched.environment.buckets.work}/")


def test_a_job_is_seen_with_its_revision_its_workers_and_when_it_was_created(
    watched: Watched,
) -> None:
    revision = watched.plan().revision
    job_id = watched.job(revision)

    [job] = watched.snapshot().jobs

    assert (job.id, job.slot, job.job.state) == (job_id, Slot.A, "PENDING")
    assert (job.revision, job.launched_as) == (revision, revision)
    assert job.workers == Workers(least=1, most=3)
    assert job.replaces is None
    assert abs(job.created_at.timestamp() - time.time()) < 60


def test_what_was_seen_survives_being_handed_on_as_json(watched: Watched) -> None:
    watched.job(watched.plan().revision)
    watched.write(watched.snapshot().ledger)
    observed = watched.look()

    assert from_json(Observed, to_json(observed)) == observed


def test_of_the_jobs_that_ended_only_the_last_is_looked_at(watched: Watched) -> None:
    revision = watched.plan().revision
    ended = [watched.ended_job(revision) for _ in range(2)]
    standing = watched.job(revision)

    assert [job.id for job in watched.snapshot().jobs] == [ended[-1], standing]


def test_a_job_that_the_ledger_knows_is_seen_though_lists_are_stale(watched: Watched) -> None:
    job_id = watched.job(watched.plan().revision)
    ledger = watched.snapshot().ledger
    watched.cloud.inject(kind="stale", path="/jobs$", seconds=3600)
    assert watched.snapshot().jobs == ()

    watched.write(ledger, jobs=(job_id,))

    assert [job.id for job in watched.snapshot().jobs] == [job_id]


def test_a_job_that_the_service_has_forgotten_is_gone(watched: Watched) -> None:
    watched.write(watched.snapshot().ledger, jobs=("2020-01-01_00_00_00-1",))

    assert watched.snapshot().jobs == ()


def test_every_job_that_came_after_an_intent_is_looked_at_though_it_ended(
    watched: Watched,
) -> None:
    plan = watched.plan()
    known, *came = [watched.ended_job(plan.revision) for _ in range(3)]
    observed = watched.look()
    intent = Intent(
        slot=Slot.A,
        revision=plan.revision,
        replaces=None,
        known_ids=(known,),
        expires_at=observed.at,
    )
    watched.write(observed.snapshot.ledger, intent=intent)

    assert [job.id for job in watched.snapshot().jobs] == came


def test_a_job_without_our_labels_is_of_no_revision(watched: Watched) -> None:
    watched.job("", labels={"team": "other", "revision": "0" * 40})

    [job] = watched.snapshot().jobs

    assert (job.revision, job.launched_as) == (None, None)


def test_a_lost_ledger_is_made_anew_from_the_labels_and_plans_of_the_jobs(
    watched: Watched,
) -> None:
    plan = watched.plan()
    watched.job(plan.revision, Slot.B)

    ledger = watched.snapshot().ledger

    assert ledger.active is Slot.B
    assert ledger.slots[Slot.B].subscription == f"{watched.subscription}-b"
    assert ledger.entries[plan.revision].outcome is Outcome.LAUNCHED
    assert ledger.entries[plan.revision].revision == watched.snapshot().wanted


def test_a_job_whose_plan_is_not_kept_stays_unknown(watched: Watched) -> None:
    watched.job("0" * 40)

    assert watched.snapshot().ledger.entries == {}


def test_a_ledger_that_lacks_the_revision_of_a_job_learns_it_from_its_plan(
    watched: Watched,
) -> None:
    watched.write(watched.snapshot().ledger)
    plan = watched.plan()
    watched.job(plan.revision)

    observed = watched.look()

    assert observed.generation > 0
    assert set(observed.snapshot.ledger.entries) == {plan.revision}


def test_after_the_spec_names_another_subscription_the_slot_is_still_the_old_jobs(
    watched: Watched,
) -> None:
    watched.job(watched.plan().revision)
    watched.write(watched.snapshot().ledger)
    old = watched.subscription
    watched.declare(subscription="another-one")

    seen = watched.snapshot()

    assert seen.ledger.slots[Slot.A].subscription == old
    assert seen.wanted is not None
    assert seen.wanted.place.subscription == watched.subscription


def test_a_job_that_was_pointed_to_another_model_serves_its_revision(watched: Watched) -> None:
    watched.declare(lifecycle={"upgrade": {"model": "refresh"}})
    launched = watched.plan()
    watched.job(launched.revision)
    release(watched.models, "v2", watched.objects)
    pointed_to = watched.plan()
    served = ServedModel(revision=pointed_to.revision, model=pointed_to.model)
    watched.objects.put(launched.model_uri, served.model_dump_json().encode())

    seen = watched.snapshot()

    [job] = seen.jobs
    assert (job.revision, job.launched_as) == (pointed_to.revision, launched.revision)
    assert set(seen.ledger.entries) == {launched.revision, pointed_to.revision}


def test_a_pointer_that_cannot_be_read_leaves_the_job_its_own_model(watched: Watched) -> None:
    watched.declare(lifecycle={"upgrade": {"model": "refresh"}})
    plan = watched.plan()
    watched.job(plan.revision)
    watched.objects.put(plan.model_uri, b"{")

    [job] = watched.snapshot().jobs

    assert job.revision == plan.revision


def test_a_job_is_seen_where_it_runs_after_the_region_was_changed(watched: Watched) -> None:
    job_id = watched.job(watched.plan().revision)
    seen = watched.snapshot()
    watched.write(seen.ledger, jobs=(job_id,))
    watched.move("europe-west1")

    moved = watched.snapshot()

    assert [job.id for job in moved.jobs] == [job_id]
    assert moved.wanted is not None
    assert moved.wanted.place.region == "europe-west1"
    assert seen.wanted is not None
    assert moved.wanted.id != seen.wanted.id


def test_a_moved_alias_is_another_revision_of_the_same_base(watched: Watched) -> None:
    before = watched.snapshot().wanted
    release(watched.models, "v2", watched.objects)
    after = watched.snapshot().wanted

    assert before is not None
    assert after is not None
    assert (before.model_version, after.model_version) == ("v1", "v2")
    assert before.id != after.id
    assert before.base == after.base


def test_where_the_model_cannot_be_told_the_problem_is(watched: Watched) -> None:
    set_alias(watched.models, "champion", "v1", watched.objects)
    watched.objects.delete(f"{watched.models}/champion")

    seen = watched.snapshot()

    assert seen.wanted is None
    assert "neither a version nor an alias 'champion'. Remedy:" in seen.problem
    assert seen.ledger.slots[Slot.A].subscription == watched.subscription


def test_while_the_endpoint_cannot_be_asked_the_jobs_are_watched_on(watched: Watched) -> None:
    job_id = watched.job(watched.plan().revision)
    asked = {"kind": "vertex_endpoint", "endpoint": EndpointSpec(name="weights")}
    model = watched.spec.model.model_copy(update=asked)
    watched.spec = watched.spec.model_copy(update={"model": model})
    watched.cloud.inject(kind="error", path="/endpoints", code=503, message="try again later")

    seen = watched.snapshot()

    assert seen.wanted is None
    assert "try again later" in seen.problem
    assert [job.id for job in seen.jobs] == [job_id]


@pytest.mark.parametrize("path", ["/v1b3/", "/storage/v1/b/work-"])
def test_a_round_that_cannot_see_says_so_and_how_to_mend_it(watched: Watched, path: str) -> None:
    watched.cloud.inject(kind="error", path=path, code=403, message="not for you")

    with pytest.raises(
        UnseenError, match=r"nothing is done.*not for you.*Remedy: see that the API"
    ):
        watched.look()


def test_a_passing_fault_of_the_api_is_tried_again(watched: Watched) -> None:
    job_id = watched.job(watched.plan().revision)
    watched.cloud.inject(kind="error", path="/v1b3/", code=503, times=1)

    assert [job.id for job in watched.snapshot().jobs] == [job_id]
    assert watched.cloud.injections() >= 1


def test_no_beam_is_imported(watched: Watched) -> None:
    watched.job(watched.plan().revision)
    declared = [part.model_dump_json() for part in (watched.spec, watched.environment)]
    script = """
import sys
from beam_jobs.spec import EnvironmentSpec, ServiceSpec
from nightstream.streaming.observing import observe
spec = ServiceSpec.model_validate_json(sys.argv[1])
observed = observe(spec, EnvironmentSpec.model_validate_json(sys.argv[2]))
sys.exit(len(observed.snapshot.jobs) != 1 or "apache_beam" in sys.modules)
"""
    command = [sys.executable, "-c", script, *declared]
    path = os.pathsep.join((str(ROOT / "plugins"), str(ROOT)))
    ran = subprocess.run(command, env={**os.environ, "PYTHONPATH": path}, check=False)
    assert ran.returncode == 0
