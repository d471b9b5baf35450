"""The story of a service: its model, a night, and its streaming job."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta

from beam_jobs.prediction.versions import set_alias
from examples.babyweight.requests import RequestFile, make_requests
from examples.demo.dag_runs import wait_for_dag
from examples.demo.show import Show
from examples.tour.books import differences, read_fates, show_fates
from examples.tour.candidates import promoted, refused
from examples.tour.declaration import lifecycle_lines
from examples.tour.endpoint_night import scored_twice
from examples.tour.guide import DAG_ID, Guide
from examples.tour.releases import publish_careless
from examples.tour.replays import reconciled, repaired, sent_again
from examples.tour.rounds import Rounds, shortened
from examples.tour.shifted_night import shifted
from examples.tour.traffic import flowing
from nightstream.lifecycle.ledger import Outcome

RATE = 200
_FIRST = ("--kind", "xgboost")
_BACKLOG_S = 15
_CAUGHT_UP = RATE
"""No more than a second's requests wait."""


def play(show: Show) -> list[str]:
    """The whole story; what did not add up."""
    show.chapter("A stack on this machine: Airflow, PostgreSQL, the local cloud, Pub/Sub")
    show.begin()
    show.chapter("A model that has learned from 1,175 real births, and others to judge it by")
    show.run("examples.babyweight.held_out", "--bucket", show.environment.buckets.input)
    show.train("v1", *_FIRST, "--alias", "champion")
    night, faults = scored_twice(show, "v1", *_FIRST)
    shifted_night = night - timedelta(days=1)
    faults += shifted(show, shifted_night)
    faults += repaired(show, night)
    streaming = show.spec.streaming
    assert streaming is not None
    topics = f"projects/{show.environment.project}/topics"
    requests, since = make_requests(), datetime.now(UTC).date()
    with flowing(
        f"{topics}/{streaming.topic}",
        f"{topics}/{streaming.response_topic}",
        requests.payloads,
        RATE,
    ) as traffic:
        guide = Guide(show, traffic, Rounds(show.airflow, DAG_ID, show.say))
        _declared(guide)
        promoted(guide, "v2")
        refused(guide, "v3", champion="v2")
        _rolled_back(guide)
        _suspended_and_resumed(guide)
        faults += _accounted_for(guide, requests, since)
    return [*faults, *reconciled(show, shifted_night)]


def _declared(guide: Guide) -> None:
    show = guide.show
    show.chapter("A streaming job is declared: nobody starts it")
    for line in lifecycle_lines():
        guide.say(line)
    wait_for_dag(show.airflow, DAG_ID)
    guide.traffic.start()
    show.airflow.pause(DAG_ID, paused=False)
    guide.say(f"From now on {RATE} requests arrive each second, and wait on the subscription.")
    guide.say(f"{DAG_ID} is switched on; round after round it makes true what is declared:")
    guide.say(f"{show.stack.settings.airflow_url}/dags/{DAG_ID}  (login admin / admin)")
    guide.wait("a job runs", lambda: guide.runs("v1"))
    ledger = guide.ledger
    assert ledger is not None
    guide.say(f"The job's page: {_page(show, ledger.jobs[-1])}")
    guide.say(f"The ledger:     {guide.ledger_file.uri} (the button Ledger of each task)")
    guide.wait("the job is stable", guide.became("v1", Outcome.STABLE))
    guide.say(guide.traffic.line())


def _rolled_back(guide: Guide) -> None:
    guide.show.chapter("A bad release, by hand: v4 raises for every birth without an ultrasound")
    publish_careless(guide.show.models, "v4", like="v2", objects=guide.objects)
    began = _move_alias(guide, "v4")
    guide.wait("v4 is rejected", guide.became("v4", Outcome.REJECTED))
    guide.wait("v2 runs again", lambda: not guide.runs("v4") and guide.runs("v2"))
    rejected = guide.entry("v4")
    assert rejected is not None
    seconds = (rejected.times[Outcome.REJECTED] - rejected.times[Outcome.LAUNCHED]).total_seconds()
    guide.say(f"The ledger says of {shortened(rejected.revision.id)}: {rejected.outcome}, since")
    for reason in rejected.reasons:
        guide.say(f"  {reason}")
    guide.say(f"It had run for {seconds:.0f} s. Nobody was there; the alert says what happened.")
    rounds = guide.rounds.count
    guide.wait("two more rounds", lambda: guide.rounds.count >= rounds + 2)
    guide.say("The alias still names v4, and it is not tried again.")
    guide.say(f"Meanwhile {guide.service_since(began)}.")


def _suspended_and_resumed(guide: Guide) -> None:
    guide.show.chapter("The job is suspended; requests wait on the subscription")
    guide.ask("suspend")
    guide.wait("no job stands", lambda: (ledger := guide.ledger) is not None and not ledger.jobs)
    guide.say("The job has finished what it had read, and is gone. Rounds go on and start none.")
    until = time.monotonic() + _BACKLOG_S
    guide.wait("a backlog has grown", lambda: time.monotonic() > until)
    guide.say(guide.traffic.line())
    guide.show.chapter("… and resumed")
    guide.ask("resume")
    guide.wait("a job runs", lambda: guide.runs("v2"))
    took = guide.wait(
        "the backlog is gone", lambda: guide.traffic.answers.counts.waiting < _CAUGHT_UP
    )
    guide.say(f"{took:.0f} s after the job was seen to run no more than a second's requests wait.")
    guide.say(guide.traffic.line())


def _accounted_for(guide: Guide, requests: RequestFile, since: date) -> list[str]:
    show, traffic = guide.show, guide.traffic
    show.chapter("The books: every request that was sent, as BigQuery holds it")
    traffic.stop()
    guide.wait("every request is answered", lambda: not traffic.answers.counts.waiting, seconds=60)
    before = read_fates(show.bigquery, show.dataset, since)
    show_fates(show.console, traffic.ids, before)
    sent_again(guide, since)
    after = read_fates(show.bigquery, show.dataset, since)
    show_fates(show.console, traffic.ids, after)
    return [
        *differences(requests, traffic.ids, before, careless="v4"),
        *differences(requests, traffic.ids, after),
    ]


def _page(show: Show, job_id: str) -> str:
    dataflow, project = show.environment.dataflow, show.environment.project
    return dataflow.console.format(project=project, region=dataflow.region, job_id=job_id)


def _move_alias(guide: Guide, version: str) -> float:
    """When it was moved, by the monotonic clock."""
    set_alias(guide.show.models, "champion", version, guide.objects)
    guide.say(f"{guide.show.models}/champion now says {version}")
    return time.monotonic()
