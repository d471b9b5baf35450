"""One Airflow DAG `<service>_batch` for every service declared in services/."""

from __future__ import annotations

from pathlib import Path

from airflow.sdk import get_parsing_context

from nightstream.batch_dag import SUFFIX, batch_dag
from nightstream.declarations import declared_environment, declared_services

HERE = Path(__file__).parent

environment = declared_environment(HERE)
# A task that is about to run needs its own DAG only.
for spec in declared_services(HERE, get_parsing_context().dag_id, SUFFIX):
    dag = batch_dag(spec, environment)
    globals()[dag.dag_id] = dag
