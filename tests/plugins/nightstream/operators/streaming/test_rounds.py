"""A round: what each step does, and what it does when it is cleared, killed or repeated."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException
from googleapiclient.errors import HttpError

from nightstream.lifecycle.actions import Cancel, Launch, Wait
from nightstream.lifecycle.ledger import FailureKind
from nightstream.streaming.rounds import Acted, from_json
from tests.plugins.nightstream.operators.streaming.conftest import PERSON, Streaming, a_file
from tests.support.local_cloud import ROOT
from tests.support.pubsub_emulator import PubsubEmulator
from tests.support.turns import DagRun

CANCELLED = ("CANCELLING", "CANCELLED")
_ROUND = """
import json, sys
import tests.support.airflow
from beam_jobs.spec import EnvironmentSpec, ServiceSpec
from nightstream.streaming_dag import streaming_dag
from tests.support.turns import DagRun, Task

spec, environment = map(json.loads, sys.argv[1:])
dag = streaming_dag(ServiceSpec.model_validate(spec), EnvironmentSpec.model_validate(environment))
run = DagRun(params={"action": "reconcile"})
for step in ("observe", "decide", "record"):
    Task(dag.get_task(step), run).finish()
print(json.dumps(sorted(sys.modules)))
"""
"""A round with nothing to do, in a process of its own."""


@pytest.fixture
def job_id(service: Streaming) -> str:
    """A job of the declared revision, PENDING."""
    return service.stuck_job(service.declared())


def fails(service: Streaming, step: str, run: DagRun) -> str:
    """The step fails for good; why."""
    with pytest.raises(AirflowFailException) as failed:
        service.task(step, run).finish()
    return str(failed.value)


def test_where_nothing_is_to_be_done_nothing_is_and_the_ledger_says_what_was_seen(
    service: Streaming, job_id: str
) -> None:
    run = service.run()
    decide = service.task("decide", run)
    service.task("observe", run).finish()
    decide.finish()
    service.finish(run)

    assert decide.skipped == ["act"]
    assert service.jobs == {job_id: "PENDING"}
    assert service.ledger.jobs == (job_id,)
    reasons = run.xcoms["decide", "reasons"]
    assert "Action: wait for what is under way" in reasons
    assert f"{service.spec.service}-live-a ({job_id}) is PENDING" in reasons
    assert f"/{job_id}?" in decide.operator.link


def test_what_was_seen_is_told_in_sentences(
    service: Streaming, job_id: str, capsys: pytest.CaptureFixture[str]
) -> None:
    service.task("observe", service.run()).finish()

    told = capsys.readouterr().out
    assert f"Declared is revision {service.declared()} with model v1" in told
    assert f"({job_id}) in slot a is PENDING with revision" in told


def test_observing_and_deciding_again_changes_nothing(service: Streaming, job_id: str) -> None:
    run = service.run(action="cancel")

    first = service.decided(run)
    service.task("decide", run).finish()
    again = service.decided(run)

    assert first.decision.action == again.decision.action == Cancel(job_id)
    assert service.ledger_file.read() == (None, 0)
    assert service.jobs == {job_id: "PENDING"}


def test_a_request_holds_for_later_rounds_and_names_who_asked(
    service: Streaming, job_id: str
) -> None:
    service.round(action="cancel")

    override = service.ledger.override
    assert override is not None
    assert (override.kind, override.by) == ("cancel", PERSON)
    assert service.jobs[job_id] in CANCELLED
    assert not isinstance(service.decided(service.run()).decision.action, Launch)


def test_an_action_is_taken_once_however_often_its_task_is_run(
    service: Streaming, job_id: str
) -> None:
    run = service.run(action="cancel")
    service.decided(run)
    asked = service.cloud.inject(kind="latency", path=f"jobs/{job_id}", method="PUT", seconds=0)
    service.task("act", run).finish()
    taken = service.ledger_file.read()

    said = [fails(service, "act", run) for _ in range(2)]

    assert all("was changed by somebody else; nothing was done. Remedy" in why for why in said)
    assert service.cloud.injections(asked) == 1, "the job was told to end once"
    assert service.ledger_file.read() == taken


def test_a_try_that_was_cut_off_before_it_acted_is_not_made_up_for_by_the_next_try(
    service: Streaming, job_id: str
) -> None:
    run = service.run(action="cancel")
    service.decided(run)
    service.cloud.inject(kind="error", path=f"jobs/{job_id}", method="PUT", code=503)
    with pytest.raises(HttpError):
        service.task("act", run).finish()
    service.cloud.heal()

    assert "nothing was done" in fails(service, "act", run)
    assert service.jobs == {job_id: "PENDING"}
    assert job_id in service.ledger.stopped, "the next round knows that it was tried"


def test_a_decision_that_others_have_overtaken_is_not_carried_out(
    service: Streaming, job_id: str
) -> None:
    cancel = service.run(action="cancel")
    service.decided(cancel)
    service.round()

    assert "was changed by somebody else" in fails(service, "act", cancel)
    assert service.jobs == {job_id: "PENDING"}
    assert service.ledger.override is None


def test_a_decision_that_has_waited_too_long_is_not_carried_out(
    service: Streaming, job_id: str
) -> None:
    run = service.run(action="cancel")
    service.decided(run)
    seen_at = (datetime.now(UTC) - timedelta(minutes=6)).isoformat()
    run.xcoms["decide", "return_value"] |= {"at": seen_at}

    assert "was seen 360 s ago; nothing was done" in fails(service, "act", run)
    assert service.ledger_file.read() == (None, 0)
    assert service.jobs == {job_id: "PENDING"}


def test_a_run_that_is_cleared_does_not_repeat_its_request(service: Streaming, job_id: str) -> None:
    suspend = service.round(action="suspend")
    service.round(action="resume")
    resumed = service.ledger_file.read()

    service.task("observe", suspend).finish()
    said = fails(service, "decide", suspend)

    assert "nothing is changed: suspend was asked for at" in said
    assert "has been obeyed. Remedy: trigger it anew" in said
    assert service.ledger_file.read() == resumed
    assert service.ledger.override is None
    assert service.jobs == {job_id: "PENDING"}


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"action": "pin", "revision": "0000"}, "'0000' names no revisions. Remedy: choose one"),
        ({"action": "roll_back"}, "there is no such revision. Remedy: choose one"),
        ({"action": "suspend", "revision": "0000"}, "Remedy: leave the revision empty"),
    ],
)
@pytest.mark.usefixtures("job_id")
def test_a_request_that_cannot_be_met_changes_nothing_and_names_the_remedy(
    service: Streaming, params: dict[str, str], said: str
) -> None:
    run = service.run(**params)
    service.task("observe", run).finish()

    assert said in fails(service, "decide", run)
    assert service.ledger_file.read() == (None, 0)


def test_a_launch_that_is_refused_is_recorded_with_its_reason_and_tried_again_later(
    service: Streaming, pubsub: PubsubEmulator
) -> None:
    assert service.spec.streaming
    subscription = service.decided(service.run()).decision.before.slots
    with pubsub.subscriber() as client:
        client.delete_subscription(subscription=next(iter(subscription.values())).subscription)

    run = service.round()

    assert "does not exist. Remedy" in from_json(Acted, run.xcoms["act", "return_value"]).refused
    [failure] = service.ledger.failures
    assert failure.kind is FailureKind.LAUNCH
    assert "does not exist. Remedy" in failure.reason
    assert service.ledger.intent is None
    assert isinstance(service.decided(service.run()).decision.action, Wait)


def test_a_question_fails_the_run_and_is_told_once(service: Streaming) -> None:
    job_id = service.stuck_job("0" * 40)
    run = service.run()
    service.decided(run)

    said = fails(service, "record", run)

    assert job_id in said
    assert "Remedy" in said
    assert service.alerts == [f"error {service.spec.service}: {said}"]
    again = service.run()
    service.decided(again)
    assert fails(service, "record", again) == said
    assert len(service.alerts) == 1
    assert service.jobs == {job_id: "PENDING"}


def test_a_record_that_is_repeated_writes_and_tells_nothing_twice(service: Streaming) -> None:
    service.stuck_job("0" * 40)
    run = service.run()
    service.decided(run)
    said = fails(service, "record", run)
    written = service.ledger_file.read()

    assert fails(service, "record", run) == said
    assert service.ledger_file.read() == written
    assert len(service.alerts) == 1


def test_what_was_not_told_before_a_task_was_killed_is_told_by_the_next_round(
    service: Streaming,
) -> None:
    lost = service.decided(service.run()).decision
    told = lost.before.model_copy(update={"untold": ("the streaming job has failed",)})
    service.ledger_file.swap(told, 0)

    run = service.run()
    service.decided(run)
    service.finish(run)

    assert service.alerts == [f"warning {service.spec.service}: the streaming job has failed"]
    assert service.ledger.untold == ()


def test_a_notifier_that_fails_keeps_neither_the_round_nor_the_others(
    service: Streaming, caplog: pytest.LogCaptureFixture
) -> None:
    broken = {"notifier": "tests.support.notifiers.BrokenNotifier"}
    declared = service.environment.model_dump(mode="json")
    declared["airflow"]["alerts"] = [broken, a_file(service.alerts_file)]
    service.environment = type(service.environment).model_validate(declared)
    service.stuck_job("0" * 40)
    run = service.run()
    service.decided(run)

    fails(service, "record", run)

    assert len(service.alerts) == 1
    assert service.ledger.question is not None
    assert "tests.support.notifiers.BrokenNotifier could not be told" in caplog.text
    assert "the pager is off" in caplog.text


def test_a_ledger_that_cannot_be_read_stops_the_round_before_it_began(
    service: Streaming, job_id: str
) -> None:
    service.objects.put(service.ledger_file.uri, b"{")

    said = fails(service, "observe", service.run())

    assert service.ledger_file.uri in said
    assert "Remedy" in said
    assert service.jobs == {job_id: "PENDING"}


def test_an_api_that_does_not_answer_stops_the_round_before_it_began(
    service: Streaming, job_id: str
) -> None:
    service.cloud.inject(kind="error", path="/v1b3/", code=503)

    assert "cannot be seen, so nothing is done" in fails(service, "observe", service.run())

    service.cloud.heal()
    assert service.ledger_file.read() == (None, 0)
    assert service.jobs == {job_id: "PENDING"}


@pytest.mark.parametrize("step", ["observe", "decide", "act", "record"])
def test_killing_a_task_stops_no_job(service: Streaming, job_id: str, step: str) -> None:
    service.dag.get_task(step).on_kill()

    assert service.jobs == {job_id: "PENDING"}


@pytest.mark.usefixtures("job_id")
def test_a_round_with_nothing_to_do_imports_no_beam(service: Streaming) -> None:
    specs = [service.spec.model_dump_json(), service.environment.model_dump_json()]
    answer = subprocess.run(
        [sys.executable, "-c", _ROUND, *specs],
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT}/plugins"},
        cwd=ROOT,
        capture_output=True,
        text=True,
    )

    assert answer.returncode == 0, answer.stderr
    loaded = json.loads(answer.stdout.splitlines()[-1])
    assert "nightstream.streaming.observing" in loaded
    assert "apache_beam" not in loaded
