"""A DAGs folder of the tests' own, with the real DAG files and small services."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.airflow import ROOT
from tests.support.specs import a_service, an_environment

AddService = Callable[..., None]


@pytest.fixture(scope="session")
def airflow_database() -> None:
    from airflow.utils import db

    db.initdb()


@pytest.fixture
def dags(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The DAG files, the environment `test` chosen, and one service: weights."""
    folder = tmp_path / "dags"
    (folder / "services").mkdir(parents=True)
    (folder / "environments").mkdir()
    for file in (ROOT / "dags").glob("*.py"):
        shutil.copy(file, folder)
    write(folder / "environments" / "test.yaml", an_environment().model_dump(mode="json"))
    add_service(folder, "weights")
    monkeypatch.setenv("NIGHTSTREAM_ENV", "test")
    monkeypatch.setattr("airflow.settings.DAGS_FOLDER", str(folder))
    return folder


def add_service(folder: Path, name: str, **parts: Any) -> None:
    write(
        folder / "services" / f"{name}.yaml",
        a_service(name, input={"wait_minutes": 1}, **parts).model_dump(mode="json"),
    )


def write(path: Path, declared: object) -> None:
    path.write_text(yaml.safe_dump(declared, sort_keys=False))
