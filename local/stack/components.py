"""The parts of the stack: PostgreSQL, the local cloud, Pub/Sub, and Airflow's four processes."""

from __future__ import annotations

import signal
import sys
from functools import partial

from local.stack.airflow_config import write_airflow_config
from local.stack.component import Component
from local.stack.health import airflow_part_is_healthy, answers
from local.stack.migrate import is_migrated
from local.stack.postgres import Postgres
from local.stack.pubsub import pubsub
from local.stack.settings import StackSettings

WORKER_IMAGE = "nightstream-worker:local"
SERVER_IMAGE = "nightstream-prediction-server:local"
_SERVER_RUNS = "python -m beam_jobs.prediction.server serve"


def components(settings: StackSettings) -> tuple[Component, ...]:
    """All parts, in the order in which a person thinks of them."""
    postgres = Postgres(settings.home / "postgres")
    return (
        _postgres(postgres),
        _cloud(settings),
        pubsub(settings),
        _migration(settings, postgres),
        _api_server(settings),
        _airflow_part(settings, "scheduler", "--skip-serve-logs"),
        _airflow_part(settings, "dag-processor"),
        _airflow_part(settings, "triggerer", "--skip-serve-logs"),
    )


def _postgres(postgres: Postgres) -> Component:
    return Component(
        name="postgres",
        command=postgres.command,
        prepare=postgres.prepare,
        ready=lambda _started: postgres.accepts_connections(),
        address=str(postgres.socket),
        # Fast shutdown; SIGTERM would wait for every client to leave by itself.
        stop_signal=signal.SIGINT,
    )


def _cloud(settings: StackSettings) -> Component:
    stands_in = f"{sys.executable}:{settings.repository}"
    return Component(
        name="cloud",
        command=(
            *(sys.executable, "-m", "local.cloud"),
            *("--port", str(settings.cloud_port)),
            *("--data", str(settings.cloud_data)),
            *("--image", f"{WORKER_IMAGE}={stands_in}"),
            *("--image", f"{SERVER_IMAGE}={stands_in}"),
            *("--entrypoint", f"{SERVER_IMAGE}={_SERVER_RUNS}"),
            # The service's minutes are not waited for on one machine.
            *("--monitoring-interval", "5", "--monitoring-delay", "0"),
        ),
        ready=lambda _started: answers(f"{settings.cloud_url}/healthz"),
        address=settings.cloud_url,
        port=(settings.cloud_port, "NIGHTSTREAM_CLOUD_PORT"),
    )


def _migration(settings: StackSettings, postgres: Postgres) -> Component:
    stamp = postgres.data / "AIRFLOW_VERSION"
    return Component(
        name="migration",
        command=(sys.executable, "-m", "local.stack.migrate", str(stamp)),
        prepare=lambda: write_airflow_config(settings, postgres),
        ready=lambda _started: is_migrated(stamp),
        address="Airflow's tables",
        needs=("postgres",),
        once=True,
    )


def _api_server(settings: StackSettings) -> Component:
    return Component(
        name="api-server",
        command=_airflow("api-server"),
        ready=lambda _started: answers(f"{settings.airflow_url}/api/v2/monitor/health"),
        address=settings.airflow_url,
        needs=("migration",),
        port=(settings.airflow_port, "NIGHTSTREAM_AIRFLOW_PORT"),
    )


def _airflow_part(settings: StackSettings, name: str, *options: str) -> Component:
    """One that shows its health through the api-server."""
    return Component(
        name=name,
        command=_airflow(name, *options),
        ready=partial(airflow_part_is_healthy, settings.airflow_url, name.replace("-", "_")),
        needs=("migration", "cloud"),
    )


def _airflow(*arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "airflow", *arguments)
