"""What a night scores, pinned."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import (
    AirflowException,
    AirflowFailException,
    AirflowSkipException,
)

from beam_jobs.runs.layout import RunLayout
from beam_jobs.runs.plan import RunPlan
from nightstream.publishing.ledger import Intent, Ledger, Night, Publisher
from nightstream.publishing.ledgers import ledger_uri
from nightstream.runs import ResolvedRun
from tests.plugins.nightstream.operators.conftest import NIGHT, Service
from tests.support.models import release
from tests.support.specs import a_service
from tests.support.turns import DagRun

NOW = datetime(2026, 1, 6, 8, tzinfo=UTC)


@pytest.fixture
def night(service: Service) -> Service:
    """A complete night of two files, and a released model."""
    release(service.models, "v1", service.objects)
    service.put("a.csv")
    service.put("shop/a.csv")
    service.put("_SUCCESS")
    return service


def resolve(service: Service, **params: Any) -> ResolvedRun:
    return ResolvedRun.model_validate(service.task("resolve", DagRun(params=params)).finish())


def plan_of(service: Service, run: ResolvedRun) -> RunPlan:
    return RunPlan.model_validate_json(service.objects.read(run.plan_uri))


def test_the_plan_pins_every_input_object_with_its_generation(night: Service) -> None:
    newer = night.put("a.csv", "id,weeks\nb,38\n")

    plan = plan_of(night, resolve(night))

    info = night.objects.stat(newer)
    assert info is not None
    assert [item.uri.rpartition("2026-01-05/")[2] for item in plan.inputs] == [
        "a.csv",
        "shop/a.csv",
    ]
    assert (plan.inputs[0].generation, plan.inputs[0].size) == (info.generation, info.size)


def test_the_plan_pins_what_the_alias_names_now(night: Service) -> None:
    manifest = release(night.models, "v2", night.objects)

    run = resolve(night)

    model = plan_of(night, run).model
    assert (run.model_version, run.model_kind) == ("v2", "sklearn")
    assert (model.uri, model.sha256) == (f"{night.models}/v2", manifest.sha256)


def test_drift_is_allowed_with_a_reason(night: Service) -> None:
    allowed = resolve(night, allow_drift=True, allow_drift_reason="looked at it")
    assert allowed.drift_allowed == "looked at it"
    assert resolve(night, allow_drift_reason="not asked for").drift_allowed is None
    assert resolve(night).run_key == allowed.run_key


def test_drift_allowed_without_a_reason_is_refused(night: Service) -> None:
    with pytest.raises(AirflowFailException, match="allow_drift_reason is empty"):
        resolve(night, allow_drift=True)


def test_a_person_may_choose_the_version(night: Service) -> None:
    release(night.models, "v2", night.objects)

    assert resolve(night, model_version="v1").model_version == "v1"


def test_the_same_work_has_the_same_run_key_and_is_planned_once(night: Service) -> None:
    first, second = resolve(night), resolve(night, score_date="2026-01-05")

    generation = night.objects.stat(first.plan_uri)
    assert first == second
    assert first.run_key == plan_of(night, first).run_key
    assert generation == night.objects.stat(second.plan_uri)


def test_another_file_is_other_work(night: Service) -> None:
    before = resolve(night)
    night.put("b.csv")

    assert resolve(night).run_key != before.run_key


def test_choices_of_the_form_are_handed_on(night: Service) -> None:
    run = resolve(night, dry_run=True, force=True, dead_letter_limit=0.0)

    assert (run.dry_run, run.force, run.dead_letter_limit) == (True, True, 0.0)


def test_without_choices_the_spec_holds(night: Service) -> None:
    run = resolve(night)

    assert (run.score_date, run.inputs) == (NIGHT, 2)
    assert (run.dry_run, run.force, run.dead_letter_limit) == (False, False, 0.01)


def test_a_night_that_was_found_empty_stays_empty(night: Service) -> None:
    run = DagRun(xcoms={("await_input", "return_value"): 0})

    assert night.task("resolve", run).finish()["inputs"] == 0


def test_files_that_vanished_since_fail_the_task(service: Service) -> None:
    release(service.models, "v1", service.objects)

    with pytest.raises(AirflowException, match=r"holds no files now\. Remedy"):
        resolve(service)


def test_a_model_of_other_columns_is_refused_with_every_difference(night: Service) -> None:
    release(night.models, "v3", night.objects, feature="months")

    with pytest.raises(AirflowFailException, match=r"(?s)weeks.*months|months.*weeks"):
        resolve(night)


def test_a_model_that_is_not_there_is_named_with_its_remedy(night: Service) -> None:
    with pytest.raises(AirflowFailException, match=r"'v9'\. Remedy"):
        resolve(night, model_version="v9")


def publish(service: Service, night: date) -> None:
    """Makes what is resolved for a night the one that stands."""
    run = resolve(service, score_date=night.isoformat())
    work = service.environment.buckets.work
    publisher = Publisher(
        dag_id="weights_batch",
        run_id="scheduled",
        try_number=1,
        run_key=run.run_key,
        manifest_uri=RunLayout(run.root, run.run_key).attempt(1).manifest,
    )
    stands = Night(
        service=run.service, score_date=night, rows_scored=1, rows_dead=0, model_version="v1"
    )
    ledger = Ledger().intending(Intent.begin(publisher, stands, 1, NOW)).committed(NOW)
    uri = ledger_uri(work, run.service, night)
    service.objects.put(uri, ledger.model_dump_json().encode())


def test_files_that_came_after_their_night_was_published_are_reported(
    night: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    publish(night, NIGHT)
    late = night.put("late.csv")
    changed = night.put("a.csv", "id,weeks\nnew,39\n")
    night.put("b.csv", night=date(2026, 1, 6))

    run = resolve(night, score_date="2026-01-06")

    assert run.late_inputs == (changed, late)
    assert "LATE INPUT: night 2026-01-05" in capsys.readouterr().out


def test_files_that_came_after_their_night_was_skipped_are_reported(night: Service) -> None:
    night.spec = a_service(input={"when_missing": "skip", "wait_minutes": 0.001})
    skipped = DagRun(params={"score_date": "2026-01-04"})
    with pytest.raises(AirflowSkipException):
        night.task("await_input", skipped).finish()
    late = night.put("late.csv", night=date(2026, 1, 4))

    assert resolve(night, score_date="2026-01-05").late_inputs == (late,)


def test_files_of_a_night_that_was_never_run_are_not_late(night: Service) -> None:
    night.put("a.csv", night=date(2026, 1, 4))

    assert resolve(night, score_date="2026-01-05").late_inputs == ()


def test_late_input_is_seen_beside_the_plan_of_another_release(night: Service) -> None:
    publish(night, NIGHT)
    uri = resolve(night, score_date=NIGHT.isoformat()).plan_uri
    plan = json.loads(night.objects.read(uri))
    plan["spec"]["key_of_another_release"] = True
    night.objects.put(uri, json.dumps(plan).encode())
    late = night.put("late.csv")
    night.put("b.csv", night=date(2026, 1, 6))

    assert resolve(night, score_date="2026-01-06").late_inputs == (late,)


def test_a_night_that_stands_as_it_was_read_has_no_late_input(night: Service) -> None:
    publish(night, NIGHT)
    night.put("b.csv", night=date(2026, 1, 6))

    assert resolve(night, score_date="2026-01-06").late_inputs == ()


def test_a_damaged_manifest_of_an_earlier_night_is_told_and_harms_no_other(
    night: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    night.spec = a_service(input={"complete": {"rule": "manifest"}})
    good = json.dumps({"files": ["a.csv"]})
    for day in (4, 5, 6):
        night.put("a.csv", night=date(2026, 1, day))
        night.put("manifest.json", good, night=date(2026, 1, day))
    publish(night, date(2026, 1, 4))
    publish(night, NIGHT)
    late = night.put("a.csv", "id,weeks\nnew,39\n", night=date(2026, 1, 4))
    night.put("manifest.json", "{")

    run = resolve(night, score_date="2026-01-06")

    assert (run.inputs, run.late_inputs) == (1, (late,))
    assert "Night 2026-01-05 is not looked at" in capsys.readouterr().out


def test_late_input_is_looked_for_in_the_last_three_nights_of_the_schedule(night: Service) -> None:
    night.spec = a_service(schedule={"cron": "0 2 * * 1"})
    for monday in (date(2026, 1, 5), date(2026, 1, 12), date(2026, 2, 2)):
        night.put("a.csv", night=monday)
        publish(night, monday)
        night.put("late.csv", night=monday)
    night.put("a.csv", night=date(2026, 2, 9))

    late = resolve(night, score_date="2026-02-09").late_inputs

    assert [uri.split("/")[4] for uri in late] == ["2026-02-02"]
