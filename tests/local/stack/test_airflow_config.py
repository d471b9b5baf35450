"""Airflow's configuration file."""

from __future__ import annotations

import configparser
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from cryptography.fernet import Fernet

from local.stack.airflow_config import write_airflow_config
from local.stack.postgres import Postgres
from local.stack.settings import StackSettings


@pytest.fixture
def settings() -> Iterator[StackSettings]:
    # pytest's own folders may be too long for PostgreSQL's socket, which then lies elsewhere.
    with TemporaryDirectory() as folder:
        yield replace(StackSettings.from_environment({}), home=Path(folder) / "100% mine")


def written(settings: StackSettings) -> configparser.ConfigParser:
    """The configuration as Airflow reads it, percent signs and all."""
    write_airflow_config(settings, Postgres(settings.home / "postgres"))
    config = configparser.ConfigParser()
    config.read(settings.airflow_home / "airflow.cfg")
    return config


def test_airflow_is_told_where_code_database_and_server_are(settings: StackSettings) -> None:
    config = written(settings)
    assert config["core"]["dags_folder"] == str(settings.repository / "dags")
    assert config["core"]["plugins_folder"] == str(settings.repository / "plugins")
    assert config["api"]["base_url"] == settings.airflow_url
    assert config["database"]["sql_alchemy_conn"].startswith("postgresql+psycopg2://")
    assert "100%25%20mine" in config["database"]["sql_alchemy_conn"]


def test_everything_binds_to_loopback(settings: StackSettings) -> None:
    assert written(settings)["api"]["host"] == "127.0.0.1"


def test_secrets_are_made_once_so_that_a_restart_can_read_what_was_stored(
    settings: StackSettings,
) -> None:
    first, second = written(settings), written(settings)
    for section, option in (("core", "fernet_key"), ("api_auth", "jwt_secret")):
        assert first[section][option] == second[section][option]
    key = Fernet(first["core"]["fernet_key"])
    assert key.decrypt(key.encrypt(b"a password")) == b"a password"


def test_two_stacks_have_secrets_of_their_own(settings: StackSettings, tmp_path: Path) -> None:
    other = replace(settings, home=tmp_path / "other")
    mine, theirs = written(settings), written(other)
    assert mine["api_auth"]["jwt_secret"] != theirs["api_auth"]["jwt_secret"]


def test_only_this_user_can_read_configuration_and_login(settings: StackSettings) -> None:
    written(settings)
    for name in ("airflow.cfg", "secrets.json", "passwords.json"):
        mode = (settings.airflow_home / name).stat().st_mode
        assert stat.S_IMODE(mode) == 0o600, name


def test_tasks_need_not_import_what_the_scheduler_has(settings: StackSettings) -> None:
    written(settings)
    asked = (
        "import sys; from airflow import settings; settings.initialize();"
        "print('google.cloud.storage' in sys.modules)"
    )
    environ = {**os.environ, "AIRFLOW_HOME": str(settings.airflow_home)}
    done = subprocess.run(
        [sys.executable, "-c", asked, "scheduler"], env=environ, capture_output=True, text=True
    )
    assert done.stdout.splitlines()[-1] == "True", done.stderr
