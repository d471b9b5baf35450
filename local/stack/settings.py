"""Where one stack lives and what it is called: everything else follows from here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from local.stack.errors import StackError

REPOSITORY = Path(__file__).resolve().parents[2]

DEFAULT_AIRFLOW_PORT = 8080
DEFAULT_CLOUD_PORT = 8765
DEFAULT_PUBSUB_PORT = 8085


@dataclass(frozen=True)
class Names:
    """The project, buckets and dataset of the local environment, as its YAML declares them."""

    project: str
    buckets: tuple[str, ...]
    dataset: str
    location: str

    @classmethod
    def read(cls, path: Path) -> Names:
        """Raises StackError where the file lacks one of the names."""
        try:
            spec: dict[str, Any] = yaml.safe_load(path.read_text())
            return cls(
                project=spec["project"],
                buckets=tuple(spec["buckets"].values()),
                dataset=spec["bigquery"]["dataset"],
                location=spec["bigquery"]["location"],
            )
        except (OSError, KeyError, TypeError, AttributeError, yaml.YAMLError) as error:
            raise StackError(
                f"{path}: cannot read project, buckets and bigquery from it: {error!r}",
                "restore the file; the stack takes its names from it",
            ) from error


@dataclass(frozen=True)
class StackSettings:
    """One stack: its code, its state folder and its ports."""

    home: Path
    """All state lies below this folder; two stacks with different homes live side by side."""
    names: Names
    airflow_port: int = DEFAULT_AIRFLOW_PORT
    cloud_port: int = DEFAULT_CLOUD_PORT
    pubsub_port: int = DEFAULT_PUBSUB_PORT
    repository: Path = REPOSITORY
    dags: Path = REPOSITORY / "dags"
    """Airflow's DAGs folder, with the declarations of services and environments."""
    parse_seconds: int = 10
    """How often Airflow reads DAG files again. One that has changed it reads within seconds, but it
    does not see a change of what the file reads in turn, such as a declaration."""

    @property
    def airflow_url(self) -> str:
        return f"http://localhost:{self.airflow_port}"

    @property
    def cloud_url(self) -> str:
        """`localhost`, since Beam refuses an endpoint named 127.0.0.1."""
        return f"http://localhost:{self.cloud_port}"

    @property
    def pubsub_host(self) -> str:
        """Host and port, as Pub/Sub's clients want it."""
        return f"localhost:{self.pubsub_port}"

    @property
    def ports(self) -> dict[str, int]:
        return {
            "airflow": self.airflow_port,
            "cloud": self.cloud_port,
            "pubsub": self.pubsub_port,
        }

    @property
    def services(self) -> Path:
        """The services' declarations."""
        return self.dags / "services"

    @property
    def airflow_home(self) -> Path:
        return self.home / "airflow"

    @property
    def cloud_data(self) -> Path:
        return self.home / "cloud"

    @property
    def postgres_data(self) -> Path:
        return self.home / "postgres"

    @property
    def logs(self) -> Path:
        return self.home / "logs"

    @property
    def run(self) -> Path:
        """Process records, the ports in use and the lock."""
        return self.home / "run"

    @property
    def env_file(self) -> Path:
        return self.home / "stack.env"

    @property
    def ports_file(self) -> Path:
        return self.run / "ports.json"

    def remember_ports(self) -> None:
        """So that status and logs find a stack that was started on other ports."""
        self.run.mkdir(parents=True, exist_ok=True)
        self.ports_file.write_text(json.dumps(self.ports))

    @classmethod
    def from_environment(
        cls, environ: Mapping[str, str], repository: Path = REPOSITORY
    ) -> StackSettings:
        """Settings of the shell's stack: NIGHTSTREAM_HOME, NIGHTSTREAM_AIRFLOW_PORT,
        NIGHTSTREAM_CLOUD_PORT and NIGHTSTREAM_PUBSUB_PORT; a port left unset is the one in use,
        else the default.

        Raises StackError for a port that is not one.
        """
        home = Path(environ.get("NIGHTSTREAM_HOME") or repository / ".local").absolute()
        used = recorded_ports(home / "run" / "ports.json")
        return cls(
            home=home,
            names=Names.read(repository / "dags" / "environments" / "local.yaml"),
            airflow_port=_port(
                environ, "NIGHTSTREAM_AIRFLOW_PORT", used.get("airflow", DEFAULT_AIRFLOW_PORT)
            ),
            cloud_port=_port(
                environ, "NIGHTSTREAM_CLOUD_PORT", used.get("cloud", DEFAULT_CLOUD_PORT)
            ),
            pubsub_port=_port(
                environ, "NIGHTSTREAM_PUBSUB_PORT", used.get("pubsub", DEFAULT_PUBSUB_PORT)
            ),
            repository=repository,
            dags=repository / "dags",
        )


def recorded_ports(path: Path) -> dict[str, int]:
    try:
        recorded = json.loads(path.read_text())
        return {name: int(recorded[name]) for name in ("airflow", "cloud", "pubsub")}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _port(environ: Mapping[str, str], variable: str, default: int) -> int:
    value = environ.get(variable)
    if not value:
        return default
    if not value.isdecimal() or not 0 < int(value) < 65536:
        raise StackError(
            f"{variable}={value} is not a port", "set it to a number from 1 to 65535, or unset it"
        )
    return int(value)
