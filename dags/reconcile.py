"""The Airflow DAG `nightstream_reconcile`, for all services declared in services/ together."""

from __future__ import annotations

from pathlib import Path

from nightstream.declarations import declared_environment, declared_services
from nightstream.reconcile_dag import reconcile_dag

HERE = Path(__file__).parent

dag = reconcile_dag(declared_services(HERE, None, ""), declared_environment(HERE))
