"""A service of its own on a whole stack, declared by a spec in the stack's DAGs folder."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import psutil
import requests
import yaml
from google.cloud.pubsub_v1 import PublisherClient

from local.stack import Stack
from local.stack.channels import create_channels, read_channels
from local.stack.http import get_json, loopback_session
from local.stack.processes import all_processes
from nightstream.lifecycle.ledger import Entry, Ledger, Outcome
from nightstream.streaming.ledgers import LedgerFile, ledger_uri
from nightstream.streaming.naming import Slot, live_job_name
from tests.support.lifecycle.rounds import RoundLogs
from tests.support.lifecycle.watch import JobWatch
from tests.support.live_load import Load
from tests.support.live_service import Outcome as Accounted
from tests.support.models import HANGING_WEEKS, Moody, release
from tests.support.moody_service import a_moody_service
from tests.support.pubsub_emulator import Paths, publisher_at
from tests.support.stack import declarations_changed
from tests.support.stack_nights import StackNights

T = TypeVar("T")

REGION = "us-central1"
REFUSED_ABOVE = 26.5
"""Of the requests of `life`, 30% have more weeks."""
QUICK = {
    "health": {"window_seconds": 12, "stabilisation_seconds": 14, "start_seconds": 120},
    "restarts": {"first_wait_seconds": 1, "longest_wait_seconds": 5},
}
"""A lifecycle of seconds."""
_PATIENCE_S = 900
"""An action that was cut off is given minutes to show before it is repeated."""
_WORK = "nightstream-work"
_MODELS = "nightstream-models"
_WORKER = "local.cloud.dataflow.worker.job"


@dataclass(frozen=True)
class Publishing:
    """Where publishers find the stack's Pub/Sub."""

    host: str

    def publisher(self) -> PublisherClient:
        return publisher_at(self.host)


class DeclaredService:
    """One service with a streaming job. It is declared with `declare`, its models are put there
    with `release`, and its DAG is switched on: what else happens is the stack's doing."""

    def __init__(self, stack: Stack, name: str) -> None:
        self.name = name
        self.stack = stack
        self.runs = StackNights.seeing(stack, f"{name}_streaming")
        self.logs = RoundLogs(stack.settings.airflow_home / "logs", self.runs.dag_id)
        self.pubsub = Publishing(stack.settings.pubsub_host)
        self.models = f"gs://{_MODELS}/{name}"
        project = stack.settings.names.project
        self.paths = Paths(
            f"projects/{project}/topics/{name}-requests",
            f"projects/{project}/subscriptions/{name}-scoring",
        )
        self.jobs_url = (
            f"{stack.settings.cloud_url}/v1b3/projects/{project}/locations/{REGION}/jobs"
        )

    @property
    def spec_file(self) -> Path:
        return self.stack.settings.services / f"{self.name}.yaml"

    def declare(self, **lifecycle: Any) -> None:
        """Writes the spec. lifecycle: what is declared beyond QUICK."""
        spec = a_moody_service(self.name, lifecycle={**QUICK, **lifecycle})
        self.write(yaml.safe_dump(spec.model_dump(mode="json"), sort_keys=False))
        channels = read_channels(self.stack.settings.services)
        own = [channel for channel in channels if channel.topic == f"{self.name}-requests"]
        url = f"http://{self.stack.settings.pubsub_host}"
        create_channels(url, self.stack.settings.names.project, own)

    def write(self, spec: str) -> None:
        """Replaces the text of the spec at once."""
        fresh = self.spec_file.with_suffix(".new")
        fresh.write_text(spec)
        fresh.replace(self.spec_file)
        declarations_changed(self.stack)

    def release(self, version: str, most: float = HANGING_WEEKS) -> None:
        """Makes a version the champion; it refuses requests with more weeks than that."""
        release(self.models, version, self.runs.objects, model=Moody(most=most))

    def switch_on(self) -> None:
        self.runs.switched_on(self.runs.dag_id)

    def retire(self) -> None:
        """Switches the DAG off and ends the job, so that it is no burden to other tests."""
        self.runs.airflow.pause(self.runs.dag_id, paused=True)
        names = tuple(live_job_name(self.name, slot) for slot in Slot)
        watch = JobWatch(self.jobs_url, names)
        watch.look()
        for job in watch.standing():
            self.ask(job.id, "CANCELLED")
        self.spec_file.unlink(missing_ok=True)
        declarations_changed(self.stack)

    def life(self, prefix: str = "r") -> Life:
        return Life(self, prefix)

    @cached_property
    def ledger_file(self) -> LedgerFile:
        return LedgerFile(self.runs.objects, ledger_uri(_WORK, self.name))

    @property
    def ledger(self) -> Ledger:
        found, _ = self.ledger_file.read()
        assert found is not None, f"{self.name} has no ledger"
        return found

    def entry(self, version: str) -> Entry | None:
        """The newest revision with that version of the model."""
        found, _ = self.ledger_file.read()
        entries = found.entries.values() if found else ()
        ours = [entry for entry in entries if entry.revision.model_version == version]
        return max(ours, key=lambda entry: entry.times[Outcome.PROPOSED], default=None)

    def eventually(self, what: str, found: Callable[[], T | None]) -> T:
        """What is found, once it is something."""
        deadline = time.monotonic() + _PATIENCE_S
        while not (now := found()):
            assert time.monotonic() < deadline, f"{what}, in vain:\n{self.logs.story()}"
            time.sleep(0.2)
        return now

    def await_outcome(self, version: str, outcome: Outcome) -> Entry:
        """The entry of the newest revision with that model, once that is its outcome."""

        def reached() -> Entry | None:
            entry = self.entry(version)
            return entry if entry and entry.outcome is outcome else None

        return self.eventually(f"waited for {version} to be {outcome}", reached)

    def await_rounds(self, count: int) -> None:
        """Until so many more rounds have come to a decision."""
        before = len(self.logs.decided_at())
        self.eventually(
            f"waited for {count} rounds",
            lambda: len(self.logs.decided_at()) >= before + count,
        )

    def request(self, action: str, obeyed: Callable[[], bool]) -> None:
        """Asks for an action by the form; again where the run that should obey came to grief."""

        def asked() -> bool:
            self.runs.finished(self.runs.airflow.trigger(self.runs.dag_id, {"action": action}))
            return obeyed()

        self.eventually(f"asked to {action}", asked)

    def ask(self, job_id: str, state: str) -> None:
        """Asks for a state of a job, as another client would: again while the cloud is away."""
        body = {"requestedState": f"JOB_STATE_{state}"}

        def asked() -> bool:
            with loopback_session() as session:
                try:
                    answer = session.put(f"{self.jobs_url}/{job_id}", json=body, timeout=30)
                except requests.ConnectionError:
                    return False
            answer.raise_for_status()
            return True

        self.eventually(f"asked for {job_id} to be {state}", asked)

    def worker(self, job_id: str) -> psutil.Process:
        """The process of a job that scores."""

        def found() -> psutil.Process | None:
            for process in all_processes("cmdline"):
                command = process.info["cmdline"] or []
                if _WORKER in command and any(job_id in argument for argument in command):
                    return process
            return None

        return self.eventually(f"looked for the process of {job_id}", found)

    def account(self, life: Life) -> Accounted:
        """What became of all requests of that life, which is over: each is in one of the views,
        once; and never were there two jobs on one subscription. The job has to run."""
        ids = life.load.ids
        self.eventually(f"waited for {len(ids)} requests", lambda: self.counted() >= len(ids))
        found = self.outcome()
        assert found.exactly(ids)
        assert life.watch.doubles == []
        return found

    def await_request(self, name: str) -> None:
        """Until the request is scored."""
        where = f"request_id = '{name}'"
        self.eventually(f"waited for {name}", lambda: self._view("predictions", "1 AS n", where))

    def outcome(self) -> Accounted:
        """Every request as the unique views have it."""
        scored = self._view("predictions", "request_id")
        dead = self._view("dead_letters", "request_id, error_code")
        return Accounted(
            scored=Counter(row["request_id"] for row in scored),
            dead={row["request_id"]: row["error_code"] for row in dead},
            dead_rows=len(dead),
        )

    def versions(self, kind: str) -> dict[str, set[str]]:
        """Names of the requests in a view, by the version of the model."""
        found: dict[str, set[str]] = {}
        for row in self._view(kind, "request_id, model_version"):
            found.setdefault(row["model_version"], set()).add(row["request_id"])
        return found

    def revisions(self, version: str) -> set[str]:
        """Those that the predictions of a version of the model bear."""
        rows = self._view("predictions", "DISTINCT revision", f"model_version = '{version}'")
        return {row["revision"] for row in rows}

    def subscriptions(self) -> set[str]:
        """Full names of the project's own to the service's topic; Monitoring has others there."""
        url = f"http://{self.stack.settings.pubsub_host}/v1/{self.paths.topic}/subscriptions"
        found = get_json(url)
        assert found is not None
        own = f"projects/{self.stack.settings.names.project}/"
        return {name for name in found["subscriptions"] if name.startswith(own)}

    def import_error(self) -> str | None:
        """What Airflow says of the spec; None where nothing is wrong."""
        errors = self.runs.airflow.import_errors().values()
        return next((error for error in errors if self.spec_file.name in error), None)

    def counted(self) -> int:
        """How many requests are in the views."""
        return sum(
            int(self._view(kind, "COUNT(*) AS n")[0]["n"])
            for kind in ("predictions", "dead_letters")
        )

    def _view(self, kind: str, columns: str, where: str = "TRUE") -> list[dict[str, Any]]:
        view = f"`{self.runs.dataset}.{self.name}_{kind}_live_unique`"
        rows = self.runs.client.query_and_wait(f"SELECT {columns} FROM {view} WHERE {where}")
        return [dict(row) for row in rows]


class Life:
    """Some time of a service: 200 requests a second, and its jobs looked at, all the time."""

    def __init__(self, service: DeclaredService, prefix: str) -> None:
        self._service = service
        names = tuple(live_job_name(service.name, slot) for slot in Slot)
        self.watch = JobWatch(service.jobs_url, names)
        self.load = Load(service, prefix, rate=200, payload=a_request)

    def __enter__(self) -> Life:
        self.watch.__enter__()
        self.load.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self.load.__exit__(*error)
        self.watch.__exit__(*error)


def a_request(number: int) -> bytes:
    """One of 20 to 29 weeks."""
    return b'{"id": "k%d", "weeks": %d}' % (number, 20 + number % 10)


def refused_numbers(count: int) -> set[int]:
    """Numbers of the first requests that a model of REFUSED_ABOVE refuses."""
    return {number for number in range(count) if 20 + number % 10 > REFUSED_ABOVE}
