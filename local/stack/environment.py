"""The variables that point unmodified clients at the stack."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

from local.stack.processes import STACK_MARKER
from local.stack.settings import StackSettings

_LOOPBACK = "localhost,127.0.0.1"
# Left in, each of these would lead a client elsewhere than to the stack.
_FOREIGN = (
    "GOOGLE_APPLICATION_CREDENTIALS",
    "NO_GCE_CHECK",
    "CLOUDSDK_ACTIVE_CONFIG_NAME",
    "CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE",
    "CLOUDSDK_AUTH_IMPERSONATE_SERVICE_ACCOUNT",
    "PYTHONDONTWRITEBYTECODE",
)
_FOREIGN_PREFIX = "AIRFLOW_"


def client_variables(settings: StackSettings) -> dict[str, str]:
    """What any client of the stack needs: Python clients, Airflow's CLI, `gcloud` and `bq`."""
    cloud = settings.cloud_url
    host = cloud.removeprefix("http://")
    return {
        "NIGHTSTREAM_HOME": str(settings.home),
        "NIGHTSTREAM_ENV": "local",
        "NIGHTSTREAM_DATAFLOW_ENDPOINT": cloud,
        "AIRFLOW_HOME": str(settings.airflow_home),
        "AIRFLOW_CONN_GOOGLE_CLOUD_DEFAULT": _connection(settings),
        "GOOGLE_CLOUD_PROJECT": settings.names.project,
        "STORAGE_EMULATOR_HOST": cloud,
        "BIGQUERY_EMULATOR_HOST": cloud,
        "PUBSUB_EMULATOR_HOST": settings.pubsub_host,
        "GCE_METADATA_HOST": host,
        "GCE_METADATA_IP": host,
        # An empty configuration of its own: nobody's real account is used by mistake.
        "CLOUDSDK_CONFIG": str(settings.home / "gcloud"),
        "CLOUDSDK_CORE_PROJECT": settings.names.project,
        "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING": "true",
        "CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK": "true",
        "CLOUDSDK_AUTH_DISABLE_CREDENTIALS": "true",
        # `bq` insists on credentials; the local cloud takes any.
        "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE": str(_access_token_file(settings)),
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE": f"{cloud}/storage/v1/",
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_DATAFLOW": f"{cloud}/",
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_PUBSUB": f"http://{settings.pubsub_host}/",
        "BIGQUERYRC": str(_bigqueryrc_file(settings)),
    }


def shell_environment(settings: StackSettings, inherited: Mapping[str, str]) -> dict[str, str]:
    """The whole environment of a client: what it inherits, without what would lead it elsewhere."""
    kept = {
        key: value
        for key, value in inherited.items()
        if key not in _FOREIGN and not key.startswith(_FOREIGN_PREFIX)
    }
    proxied = inherited.get("NO_PROXY") or inherited.get("no_proxy")
    direct = f"{_LOOPBACK},{proxied}" if proxied else _LOOPBACK
    return {
        **kept,
        **client_variables(settings),
        "PATH": f"{_programs()}:{inherited.get('PATH', '/usr/bin:/bin')}",
        "NO_PROXY": direct,
        "no_proxy": direct,
    }


def process_environment(settings: StackSettings, inherited: Mapping[str, str]) -> dict[str, str]:
    """The whole environment of a component: a client's, and the marker that makes it ours."""
    return {
        **shell_environment(settings, inherited),
        "PYTHONUNBUFFERED": "1",
        # setproctitle would overwrite the environment that others read the marker from.
        "SPT_NOENV": "1",
        STACK_MARKER: str(settings.home),
    }


def write_client_files(settings: StackSettings, discovery: Path | None) -> None:
    """stack.env for a shell, and what it points `gcloud` and `bq` at.

    `discovery` is the Google Cloud SDK's own description of BigQuery; without it `bq` would ask
    Google for one.
    """
    settings.home.mkdir(parents=True, exist_ok=True)
    settings.env_file.write_text(shell_script(settings))
    _access_token_file(settings).write_text("local\n")
    _bigqueryrc_file(settings).write_text(bigqueryrc(settings, discovery))


def shell_script(settings: StackSettings) -> str:
    """stack.env: for `.` in sh and bash. It does not carry the marker: the shell that sources it
    belongs to a person, not to the stack."""
    exports = [f"export {k}={shlex.quote(v)}" for k, v in client_variables(settings).items()]
    lines = [
        f"# Written by `make up`. In a shell: . {shlex.quote(str(settings.env_file))}",
        f"unset {' '.join(_FOREIGN)}",
        f"for name in $(env | sed -n 's/^\\({_FOREIGN_PREFIX}[A-Z0-9_]*\\)=.*/\\1/p'); do",
        '  unset "$name"',
        "done",
        *exports,
        f'export PATH={shlex.quote(_programs())}:"$PATH"',
        f'export NO_PROXY={_LOOPBACK}"${{NO_PROXY:+,$NO_PROXY}}"',
        'export no_proxy="$NO_PROXY"',
    ]
    return "\n".join(lines) + "\n"


def bigqueryrc(settings: StackSettings, discovery: Path | None) -> str:
    lines = [
        f"--api={settings.cloud_url}",
        f"--project_id={settings.names.project}",
        f"--dataset_id={settings.names.dataset}",
        f"--location={settings.names.location}",
        "--headless=true",
    ]
    if discovery is not None:
        lines.append(f"--discovery_file={discovery}")
    return "\n".join([*lines, "", "[query]", "--use_legacy_sql=false", ""])


def _bigqueryrc_file(settings: StackSettings) -> Path:
    return settings.home / "bigqueryrc"


def _access_token_file(settings: StackSettings) -> Path:
    return settings.home / "access_token"


def _connection(settings: StackSettings) -> str:
    extra = {"is_anonymous": True, "project": settings.names.project}
    return json.dumps({"conn_type": "google_cloud_platform", "extra": extra})


def _programs() -> str:
    return str(Path(sys.executable).parent)
