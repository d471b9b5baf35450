"""Airflow's configuration on one machine: one airflow.cfg, with secrets made once."""

from __future__ import annotations

import base64
import configparser
import json
import secrets
import shutil
from pathlib import Path

from local.stack.postgres import Postgres
from local.stack.settings import StackSettings

USER = PASSWORD = "admin"

_LOCAL_SETTINGS = Path(__file__).with_name("airflow_local_settings.py")
_A_WEEK = str(7 * 24 * 3600)
_HEADER = "# Written by `make up`; edits are lost. See local/stack/airflow_config.py.\n"


def write_airflow_config(settings: StackSettings, postgres: Postgres) -> None:
    """airflow.cfg, the login and the secrets, readable by this user alone, and the settings that
    are code."""
    home = settings.airflow_home
    home.mkdir(parents=True, exist_ok=True)
    passwords = home / "passwords.json"
    _write_private(passwords, json.dumps({USER: PASSWORD}))

    # Values are literal: a percent sign in a path is not configparser's interpolation.
    config = configparser.ConfigParser(interpolation=None)
    for section, options in airflow_options(
        settings, postgres, passwords, _secrets(home / "secrets.json")
    ).items():
        config[section] = {key: value.replace("%", "%%") for key, value in options.items()}
    path = home / "airflow.cfg"
    _write_private(path, _HEADER)
    with path.open("a") as file:
        config.write(file)

    (home / "config").mkdir(exist_ok=True)
    shutil.copy(_LOCAL_SETTINGS, home / "config")


def airflow_options(
    settings: StackSettings, postgres: Postgres, passwords: Path, keys: dict[str, str]
) -> dict[str, dict[str, str]]:
    """Options by section; what is not named here is Airflow's default."""
    return {
        "core": {
            "executor": "LocalExecutor",
            # 32, the default, hung the shutdown.
            "parallelism": "8",
            "load_examples": "False",
            "dags_folder": str(settings.dags),
            "plugins_folder": str(settings.repository / "plugins"),
            "execution_api_server_url": f"{settings.airflow_url}/execution/",
            "fernet_key": keys["fernet_key"],
            "simple_auth_manager_users": f"{USER}:admin",
            "simple_auth_manager_passwords_file": str(passwords),
            "min_serialized_dag_update_interval": "5",
        },
        "database": {
            "sql_alchemy_conn": postgres.url("psycopg2"),
            "sql_alchemy_conn_async": postgres.url("asyncpg"),
            "load_default_connections": "False",
        },
        "api": {
            "base_url": settings.airflow_url,
            "host": "127.0.0.1",
            "port": str(settings.airflow_port),
            "secret_key": keys["api_secret"],
            "instance_name": "Nightstream",
        },
        # Nights and soaks run longer than the default token.
        "api_auth": {"jwt_secret": keys["jwt_secret"], "jwt_expiration_time": _A_WEEK},
        "execution_api": {"jwt_expiration_time": _A_WEEK},
        "scheduler": {
            "scheduler_idle_sleep_time": "0.2",
            # A killed scheduler's tasks are taken up again within seconds, not minutes.
            "scheduler_health_check_threshold": "20",
            "orphaned_tasks_check_interval": "10",
            "task_instance_heartbeat_timeout": "60",
        },
        "workers": {"min_heartbeat_interval": "1"},
        "dag_processor": {
            "refresh_interval": "5",
            "min_file_process_interval": str(settings.parse_seconds),
        },
    }


def _secrets(path: Path) -> dict[str, str]:
    """Made once: a new key would make stored connections and running tasks' tokens unreadable."""
    if not path.exists():
        keys = {
            "fernet_key": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
            "jwt_secret": secrets.token_urlsafe(64),
            "api_secret": secrets.token_urlsafe(32),
        }
        _write_private(path, json.dumps(keys))
    loaded: dict[str, str] = json.loads(path.read_text())
    return loaded


def _write_private(path: Path, content: str) -> None:
    fresh = path.with_name(f"{path.name}.new")
    fresh.touch(mode=0o600)
    fresh.write_text(content)
    fresh.replace(path)
