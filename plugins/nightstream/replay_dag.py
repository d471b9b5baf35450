"""Builds the DAG that tries a service's dead letters again."""

from __future__ import annotations

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import DAG, chain

from beam_jobs.spec import EnvironmentSpec, ServiceSpec
from nightstream.dag_parts import LONG_OVER, service_task
from nightstream.forms.replay import replay_form
from nightstream.operators.audit import AuditOperator
from nightstream.operators.publish import PublishOperator
from nightstream.operators.record import RecordOperator
from nightstream.operators.replay.choose import ChooseOperator
from nightstream.operators.replay.nights import NightsOperator
from nightstream.operators.replay.remember import RememberOperator
from nightstream.operators.replay.resolve import ResolveReplayOperator
from nightstream.operators.replay.send import SendOperator
from nightstream.operators.score import ScoreOperator

SUFFIX = "_replay"


def replay_dag(spec: ServiceSpec, environment: EnvironmentSpec) -> DAG:
    """The DAG `<service>_replay`.

    choose → resolve → score → audit → publish → record, remember for one night; choose →
    nights → each_night for several, each of which becomes a DAG run of its own; choose → send for
    requests.
    """
    dag = DAG(
        f"{spec.service}{SUFFIX}",
        description=f"Tries dead letters of {spec.service} again",
        schedule=None,
        start_date=LONG_OVER,
        catchup=False,
        max_active_runs=spec.schedule.max_active_runs,
        params=replay_form(streaming=spec.streaming is not None),
        tags=["nightstream", "replay", spec.owner],
        doc_md=_documentation(spec, environment),
    )
    common = service_task(spec, environment)
    steps = [
        choose := ChooseOperator(task_id="choose", **common),
        ResolveReplayOperator(task_id="resolve", **common),
        ScoreOperator(task_id="score", **common),
        audit := AuditOperator(task_id="audit", **common),
        publish := PublishOperator(task_id="publish", **common),
        record := RecordOperator(task_id="record", **common),
    ]
    remember = RememberOperator(task_id="remember", **common)
    # Added afterwards, as in the batch DAG.
    dag.add_tasks([*steps, remember])
    chain(*steps)
    audit >> record
    publish >> remember
    audit >> remember
    if spec.streaming is not None:
        send = SendOperator(task_id="send", **common)
        dag.add_task(send)
        choose >> send
    nights = NightsOperator(task_id="nights", **common)
    dag.add_task(nights)
    choose >> nights
    TriggerDagRunOperator.partial(
        task_id="each_night",
        dag=dag,
        owner=spec.owner,
        trigger_dag_id=dag.dag_id,
        skip_when_already_exists=True,
    ).expand_kwargs(nights.output)
    return dag


def _documentation(spec: ServiceSpec, environment: EnvironmentSpec) -> str:
    tables = f"{environment.project}.{environment.bigquery.dataset}.{spec.service}"
    return f"""\
# {spec.service}: dead letters tried again

Owner: {spec.owner}. Trigger this DAG and choose dead letters by day, error code or condition; they
are tried again under the contract and the model of now.

| dead letters of | where they are | what a replay does |
|---|---|---|
| nights | `{tables}_dead_letters` | scores the chosen ones in a Dataflow job and publishes the night anew: what it scored before, the repaired rows, and the letters that stay dead |
| requests | `{tables}_dead_letters_live_unique` | sends them to the request topic as the requests that they were; once one is scored, it is no dead letter any more |

What came of each letter is in `{tables}_replays`. Replaying twice changes nothing: a letter that was
repaired is there no longer, and one that a replay with the same model, contract and code has found
dead is left alone, unless *Force* is set. Several days make one DAG run for each night.
"""  # noqa: E501
