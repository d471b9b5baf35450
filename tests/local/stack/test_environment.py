"""The variables that lead clients to the stack, in a process and in a shell."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from local.stack.environment import (
    client_variables,
    process_environment,
    shell_environment,
    write_client_files,
)
from local.stack.processes import STACK_MARKER
from local.stack.settings import StackSettings

FOREIGN = {
    "GOOGLE_APPLICATION_CREDENTIALS": "/home/me/key.json",
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "postgresql://production/airflow",
    "AIRFLOW_CONN_GOOGLE_CLOUD_DEFAULT": "google-cloud-platform://",
    "PYTHONDONTWRITEBYTECODE": "1",
}


@pytest.fixture
def settings(tmp_path: Path) -> StackSettings:
    """A home with everything in its name that a shell might trip over."""
    return replace(StackSettings.from_environment({}), home=tmp_path / "it's a $HOME; 100%")


def sourced(settings: StackSettings, shell: str, inherited: dict[str, str]) -> dict[str, str]:
    write_client_files(settings, discovery=None)
    result = subprocess.run(
        [shell, "-c", '. "$1" && env -0', "sh", str(settings.env_file)],
        env={"PATH": "/usr/bin:/bin", **inherited},
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(line.split("=", 1) for line in result.stdout.split("\0") if "=" in line)


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_the_env_file_gives_a_shell_every_client_variable(
    settings: StackSettings, shell: str
) -> None:
    found = sourced(settings, shell, {})
    for name, value in client_variables(settings).items():
        assert found[name] == value


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_the_env_file_takes_away_what_would_lead_elsewhere(
    settings: StackSettings, shell: str
) -> None:
    found = sourced(settings, shell, FOREIGN)
    assert "GOOGLE_APPLICATION_CREDENTIALS" not in found
    assert "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN" not in found
    assert "is_anonymous" in found["AIRFLOW_CONN_GOOGLE_CLOUD_DEFAULT"]


def test_a_shell_that_sources_the_env_file_does_not_become_part_of_the_stack(
    settings: StackSettings,
) -> None:
    assert STACK_MARKER not in sourced(settings, "sh", {})
    assert STACK_MARKER not in shell_environment(settings, {})
    assert process_environment(settings, {})[STACK_MARKER] == str(settings.home)


def test_proxies_are_not_asked_for_this_machine(settings: StackSettings) -> None:
    inherited = {"NO_PROXY": "intranet.example"}
    for found in (sourced(settings, "sh", inherited), shell_environment(settings, inherited)):
        assert found["NO_PROXY"].split(",") == ["localhost", "127.0.0.1", "intranet.example"]
        assert found["no_proxy"] == found["NO_PROXY"]


def test_a_component_inherits_nothing_that_would_lead_elsewhere(settings: StackSettings) -> None:
    found = process_environment(settings, {**FOREIGN, "LANG": "C.UTF-8", "PATH": "/usr/bin"})
    assert found["LANG"] == "C.UTF-8"
    assert found["PATH"].endswith(":/usr/bin")
    assert not FOREIGN.items() & found.items()


def test_bq_is_pointed_at_the_local_cloud_and_reads_no_description_from_google(
    settings: StackSettings, tmp_path: Path
) -> None:
    write_client_files(settings, discovery=tmp_path / "bigquery.json")
    options = Path(client_variables(settings)["BIGQUERYRC"]).read_text().splitlines()
    assert f"--api={settings.cloud_url}" in options
    assert f"--discovery_file={tmp_path / 'bigquery.json'}" in options
    assert f"--project_id={settings.names.project}" in options
