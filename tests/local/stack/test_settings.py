"""Where a stack lives and which ports it takes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from local.stack.errors import StackError
from local.stack.settings import REPOSITORY, Names, StackSettings


def settings(home: Path, **variables: str) -> StackSettings:
    return StackSettings.from_environment({"NIGHTSTREAM_HOME": str(home), **variables})


def test_without_variables_the_state_lies_in_the_repository_on_the_default_ports() -> None:
    found = StackSettings.from_environment({})
    assert found.home == REPOSITORY / ".local"
    assert found.repository == REPOSITORY


def test_variables_move_the_home_and_the_ports(tmp_path: Path) -> None:
    found = settings(
        tmp_path,
        NIGHTSTREAM_AIRFLOW_PORT="9080",
        NIGHTSTREAM_CLOUD_PORT="9081",
        NIGHTSTREAM_PUBSUB_PORT="9082",
    )
    assert found.home == tmp_path
    assert found.airflow_url == "http://localhost:9080"
    assert found.cloud_url == "http://localhost:9081"
    assert found.pubsub_host == "localhost:9082"


def test_a_relative_home_is_below_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert settings(Path("state")).home == tmp_path / "state"


@pytest.mark.parametrize("port", ["http", "0", "65536", "-1", "80.5"])
def test_what_is_not_a_port_is_refused_with_the_variable_and_the_remedy(
    tmp_path: Path, port: str
) -> None:
    with pytest.raises(StackError, match=f"NIGHTSTREAM_CLOUD_PORT={port}.*\n.*1 to 65535"):
        settings(tmp_path, NIGHTSTREAM_CLOUD_PORT=port)


def test_a_running_stack_is_found_on_the_ports_it_was_started_on(tmp_path: Path) -> None:
    moved = replace(settings(tmp_path), airflow_port=9080, cloud_port=9081, pubsub_port=9083)
    moved.remember_ports()
    assert settings(tmp_path).airflow_port == 9080
    assert settings(tmp_path).cloud_port == 9081
    assert settings(tmp_path).pubsub_port == 9083
    assert settings(tmp_path, NIGHTSTREAM_CLOUD_PORT="9082").cloud_port == 9082


def test_half_a_record_of_ports_counts_as_none(tmp_path: Path) -> None:
    default = settings(tmp_path)
    default.remember_ports()
    default.ports_file.write_text('{"airflow": 90')
    assert settings(tmp_path) == default


def test_project_buckets_and_dataset_are_those_of_the_local_environment() -> None:
    declared = yaml.safe_load((REPOSITORY / "dags/environments/local.yaml").read_text())
    names = StackSettings.from_environment({}).names
    assert names.project == declared["project"]
    assert set(names.buckets) == set(declared["buckets"].values())
    assert names.dataset == declared["bigquery"]["dataset"]
    assert names.location == declared["bigquery"]["location"]


@pytest.mark.parametrize("content", ["project: p", "- a list", "buckets: [", ""])
def test_an_environment_without_the_names_is_refused_by_file(tmp_path: Path, content: str) -> None:
    path = tmp_path / "local.yaml"
    path.write_text(content)
    with pytest.raises(StackError, match=str(path)):
        Names.read(path)
