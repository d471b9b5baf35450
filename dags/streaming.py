"""One Airflow DAG `<service>_streaming` for every service that declares a streaming job."""

from __future__ import annotations

from pathlib import Path

from airflow.sdk import get_parsing_context

from nightstream.declarations import declared_environment, declared_streams
from nightstream.streaming_dag import SUFFIX, broken_streaming_dag, streaming_dag

HERE = Path(__file__).parent

environment = declared_environment(HERE)
# A task that is about to run needs its own DAG only.
specs, errors = declared_streams(HERE, get_parsing_context().dag_id, SUFFIX)
for dag in (
    *(streaming_dag(spec, environment) for spec in specs),
    *(broken_streaming_dag(error, environment) for error in errors),
):
    globals()[dag.dag_id] = dag
