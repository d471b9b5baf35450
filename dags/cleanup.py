"""The Airflow DAG `nightstream_cleanup`, for all services declared in services/ together."""

from __future__ import annotations

from pathlib import Path

from nightstream.cleanup_dag import cleanup_dag
from nightstream.declarations import declared_environment, declared_services

HERE = Path(__file__).parent

dag = cleanup_dag(declared_services(HERE, None, ""), declared_environment(HERE))
