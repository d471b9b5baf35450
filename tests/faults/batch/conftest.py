"""Airflow's environment, before anything here imports Airflow."""

import tests.support.airflow  # noqa: F401
