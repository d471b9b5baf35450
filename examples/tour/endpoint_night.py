"""The chapter of a night that is scored twice: in the worker, and by a deployed model."""

from __future__ import annotations

import logging
from datetime import date
from typing import Any

from google.auth.credentials import AnonymousCredentials
from google.cloud import aiplatform

from examples.babyweight.nights import make_night, upload_night
from examples.demo.dag_runs import DagRuns, wait_for_dag
from examples.demo.nights import scheduled_night, watch
from examples.demo.show import Show
from examples.tour.declaration import ENDPOINT, ENDPOINT_SERVICE
from examples.tour.one_night import disagreements, read_two_nights, show_two_nights


def scored_twice(show: Show, version: str, *options: str) -> tuple[date, list[str]]:
    """The night, and what did not add up. options: how the version is trained."""
    show.chapter("The same model behind a Vertex AI endpoint")
    _create_endpoint(show)
    show.train(version, *options, service=ENDPOINT_SERVICE)
    _deployed(show)
    show.chapter("One night, scored in the worker and by the endpoint")
    return _the_same_night(show)


def _create_endpoint(show: Show) -> None:
    vertex = show.environment.vertex
    aiplatform.init(
        project=show.environment.project,
        location=show.environment.dataflow.region,
        api_endpoint=vertex.endpoint,
        api_transport="rest",
        credentials=AnonymousCredentials(),
    )
    logging.getLogger("google.cloud.aiplatform").setLevel(logging.WARNING)
    endpoint = aiplatform.Endpoint.create(display_name=ENDPOINT)
    show.say(f"{endpoint.resource_name}, named {ENDPOINT}, has no model yet")


def _deployed(show: Show) -> None:
    """The first version has no champion to beat, and gets all of the traffic."""
    dag_id = f"{ENDPOINT_SERVICE}_model"
    wait_for_dag(show.airflow, dag_id)
    show.airflow.pause(dag_id, paused=False)
    show.say(f"$ airflow dags trigger {dag_id}")
    run_id = show.airflow.trigger(dag_id)
    DagRuns(show.airflow, dag_id, show.say).see_to_its_end(run_id, "first release")
    show.say(str(show.airflow.xcom(dag_id, run_id, "compare")))


def _the_same_night(show: Show) -> tuple[date, list[str]]:
    services, timezone = (show.spec.service, ENDPOINT_SERVICE), show.spec.schedule.timezone
    dags = [f"{service}_batch" for service in services]
    night = make_night(scheduled_night(_scheduled(show, dags[0]), timezone))
    folder = show.spec.input.folder(night.score_date)
    upload_night(night, f"gs://{show.environment.buckets.input}/{folder}")
    show.say(f"{night.rows} rows, {sum(night.dead.values())} of them broken, for two DAGs that are")
    show.say(f"switched on: the scheduler runs the night of {night.score_date} of each")
    for dag_id in dags:
        _scheduled(show, dag_id)
        show.airflow.pause(dag_id, paused=False)
    for dag_id in dags:
        show.say(f"{dag_id}:")
        watch(DagRuns(show.airflow, dag_id, show.say), [night.score_date], timezone)
    both = read_two_nights(show.bigquery, show.dataset, services, night.score_date)
    show_two_nights(show.console, both)
    return night.score_date, disagreements(both, night.scored, sum(night.dead.values()))


def _scheduled(show: Show, dag_id: str) -> dict[str, Any]:
    return wait_for_dag(show.airflow, dag_id, lambda d: bool(d["next_dagrun_data_interval_start"]))
