"""One Airflow DAG `<service>_replay` for every service declared in services/."""

from __future__ import annotations

from pathlib import Path

from airflow.sdk import get_parsing_context

from nightstream.declarations import declared_environment, declared_services
from nightstream.replay_dag import SUFFIX, replay_dag

HERE = Path(__file__).parent

environment = declared_environment(HERE)
# A task that is about to run needs its own DAG only.
for spec in declared_services(HERE, get_parsing_context().dag_id, SUFFIX):
    dag = replay_dag(spec, environment)
    globals()[dag.dag_id] = dag
