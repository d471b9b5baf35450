"""A night that is late, by Airflow's own deadlines."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import structlog
from airflow.dag_processing.bundles.manager import DagBundlesManager
from airflow.dag_processing.dagbag import BundleDagBag, DagBag, sync_bag_to_db
from airflow.models.deadline import Deadline
from airflow.models.serialized_dag import SerializedDagModel
from airflow.sdk.definitions.deadline import DeadlineReference
from airflow.sdk.execution_time.callback_supervisor import execute_callback
from airflow.utils.session import create_session
from airflow.utils.state import DagRunState
from airflow.utils.types import DagRunTriggeredByType, DagRunType
from sqlalchemy import select

from tests.dags.conftest import add_service

RUN_ID = "scheduled__2026-01-06T07:00:00+00:00"
NIGHT = datetime(2026, 1, 5, 7, tzinfo=UTC)


def test_lateness_is_counted_from_when_the_run_was_queued(dags: Path) -> None:
    (alert,) = DagBag(dag_folder=str(dags)).dags["weights_batch"].deadline

    assert alert.reference == DeadlineReference.DAGRUN_QUEUED_AT
    assert alert.interval == timedelta(minutes=240)


@pytest.mark.usefixtures("airflow_database")
def test_a_run_that_misses_its_deadline_is_an_error_that_names_it(
    dags: Path, caplog: pytest.LogCaptureFixture
) -> None:
    add_service(dags, "punctual")
    DagBundlesManager().sync_bundles_to_db()
    bag = BundleDagBag(str(dags), bundle_path=dags, bundle_name="dags-folder")
    sync_bag_to_db(bag, "dags-folder", None)
    with create_session() as session:
        stored = SerializedDagModel.get_dag("punctual_batch", session=session)
        assert stored is not None
        # An old night, queued now, as a backfill queues it.
        run = stored.create_dagrun(
            run_id=RUN_ID,
            run_type=DagRunType.SCHEDULED,
            logical_date=NIGHT,
            data_interval=(NIGHT, NIGHT + timedelta(days=1)),
            run_after=NIGHT + timedelta(days=1),
            state=DagRunState.QUEUED,
            triggered_by=DagRunTriggeredByType.TEST,
            session=session,
        )
        session.flush()
        deadline = session.scalars(select(Deadline).where(Deadline.dagrun_id == run.id)).one()
        assert deadline.deadline_time == run.queued_at + timedelta(minutes=240)

        deadline.handle_miss(session)
        told = deadline.callback.data
        session.rollback()

    success, error = execute_callback(
        told["path"], told["kwargs"], Path("nightly_batch.py"), dags, structlog.get_logger()
    )

    assert (success, error) == (True, None)
    said = f"NIGHTSTREAM ALERT error punctual: NIGHT LATE: run {RUN_ID} of punctual was not done"
    assert f"{said} 240 minutes" in caplog.text
