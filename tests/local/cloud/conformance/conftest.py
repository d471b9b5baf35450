"""Airflow's environment, before anything here imports Airflow."""

from __future__ import annotations

import uuid

import pytest

import tests.support.airflow  # noqa: F401
from tests.support.airflow_tasks import point_hooks_at, run
from tests.support.local_cloud import PROJECT, LocalCloud


@pytest.fixture
def dataset(cloud_env: LocalCloud, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a new dataset, made as a DAG makes one."""
    from airflow.providers.google.cloud.operators.bigquery import BigQueryCreateEmptyDatasetOperator

    point_hooks_at(cloud_env.url, monkeypatch)
    name = f"dataset_{uuid.uuid4().hex[:12]}"
    run(BigQueryCreateEmptyDatasetOperator(task_id="t", dataset_id=name, project_id=PROJECT))
    return name
