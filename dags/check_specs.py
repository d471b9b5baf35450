"""Shows every spec in services/ that cannot be read, and every notifier of the environment that
cannot be called, as one Airflow import error.

It holds no DAG: Airflow takes all DAGs of a file with an import error as stale, so the broken
spec of one service must fail in a file where it harms no other service.
"""

from __future__ import annotations

from pathlib import Path

from nightstream.declarations import check_notifiers, check_services

HERE = Path(__file__).parent

check_services(HERE)
check_notifiers(HERE)
