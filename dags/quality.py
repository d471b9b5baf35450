"""One Airflow DAG `<service>_quality` for every service that declares labels."""

from __future__ import annotations

from pathlib import Path

from airflow.sdk import get_parsing_context

from nightstream.declarations import declared_environment, declared_services
from nightstream.quality_dag import SUFFIX, quality_dag

HERE = Path(__file__).parent

environment = declared_environment(HERE)
# A task that is about to run needs its own DAG only.
for spec in declared_services(HERE, get_parsing_context().dag_id, SUFFIX):
    if spec.labels:
        dag = quality_dag(spec, spec.labels, environment)
        globals()[dag.dag_id] = dag
