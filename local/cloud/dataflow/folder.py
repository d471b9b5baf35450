"""The folder of one job: everything known about it, on disk.

Each file has a single writer:

- job.json: the job as created, and plan.json: how to run it (the server, once; for a template that
  was launched, its launcher once more)
- launch.json: how to launch the template that describes the job (the server, once)
- tuning.json: what a client changed while the job runs (the server)
- requested.json: the state a client asked for (the server)
- replaced.json: the job that takes this one's place (that job's supervisor)
- status.json: the state reached (the supervisor; the server only once the supervisor is gone)
- metrics.json: the latest metrics (the job process)
- pipeline.pb: a streaming job's pipeline as submitted (the job process, once)
- subscriptions.json: what it made where its pipeline reads topics (the job process)
- health.json: how far a streaming job is behind, once a second (the job process)
- messages.jsonl: appended to by all of them, a line per message
- worker.log: what the job and its workers print
- lock: held by the supervisor as long as it lives, with its process id
"""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from local.cloud.supervised import SupervisedFolder, now, read_json, write_atomically


@dataclass(frozen=True)
class Status:
    """A state and since when, e.g. JOB_STATE_RUNNING; `started` is when it began to run."""

    state: str
    time: str
    started: str | None = None


@dataclass(frozen=True)
class Streaming:
    """How a streaming job is run: most messages a bundle, and when they are acknowledged."""

    bundle: int
    acknowledge: str


@dataclass(frozen=True)
class TopicSubscription:
    """A subscription that was made for a job because a step of it reads a topic; `host` is the
    Pub/Sub it is in."""

    step: str
    topic: str
    name: str
    host: str


@dataclass(frozen=True)
class Plan:
    """How a job is run: by which interpreter, beside which code, on how many workers."""

    python: str
    pythonpath: tuple[str, ...]
    workers: int
    streaming: Streaming | None = None


@dataclass(frozen=True)
class JobFolder(SupervisedFolder):
    """Reads and writes one job's files."""

    @classmethod
    def create(
        cls,
        path: Path,
        job: dict[str, Any],
        plan: Plan,
        status: Status,
        launch: dict[str, Any] | None = None,
    ) -> JobFolder:
        path.mkdir(parents=True)
        folder = cls(path)
        if launch:
            write_atomically(path / "launch.json", launch)
        folder.write_status(status)
        folder.write_job(job, plan)
        return folder

    def write_job(self, job: dict[str, Any], plan: Plan) -> None:
        write_atomically(self.path / "plan.json", asdict(plan))
        write_atomically(self.path / "job.json", job)

    def launch(self) -> dict[str, Any] | None:
        """How to launch the template that describes the job: see `flex.launch.Launch`."""
        launch: dict[str, Any] | None = read_json(self.path / "launch.json")
        return launch

    @property
    def log(self) -> Path:
        return self.path / "worker.log"

    def job(self) -> dict[str, Any] | None:
        """The job resource as created; None where creation itself was cut short."""
        job: dict[str, Any] | None = read_json(self.path / "job.json")
        return job

    def name(self) -> str:
        return str((self.job() or {})["name"])

    def plan(self) -> Plan:
        plan = read_json(self.path / "plan.json")
        streaming = plan.get("streaming")
        return Plan(
            plan["python"],
            tuple(plan["pythonpath"]),
            plan["workers"],
            Streaming(**streaming) if streaming else None,
        )

    def status(self) -> Status:
        return Status(**read_json(self.path / "status.json"))

    def write_status(self, status: Status) -> None:
        write_atomically(self.path / "status.json", asdict(status))

    def enter(self, state: str) -> None:
        """Writes a state that is reached now, and says so in the messages."""
        moment = now()
        begins = state == "JOB_STATE_RUNNING"
        started = moment if begins else self.status().started
        self.add_message("BASIC", f"Job entered state {state}.")
        self.write_status(Status(state, moment, started))

    def requested(self) -> Status | None:
        """The state that a client asked for, and when."""
        requested = read_json(self.path / "requested.json")
        return Status(**requested) if requested else None

    def request(self, state: str) -> None:
        write_atomically(self.path / "requested.json", asdict(Status(state, now())))

    def tuning(self) -> dict[str, Any]:
        """The runtimeUpdatableParams that clients have set."""
        return read_json(self.path / "tuning.json") or {}

    def tune(self, parameters: dict[str, Any]) -> None:
        write_atomically(self.path / "tuning.json", parameters)

    def replaces(self) -> JobFolder | None:
        """The job that this one is an update of, beside it."""
        replaced = (self.job() or {}).get("replaceJobId")
        return self.beside(replaced) if replaced else None

    def beside(self, job_id: str) -> JobFolder:
        """The folder of another job."""
        return JobFolder(self.path.parent / job_id)

    def replace_by(self, job_id: str) -> None:
        """Tells the job that another one is ready to take its place."""
        if not self.successor():
            write_atomically(self.path / "replaced.json", job_id)

    def successor(self) -> str | None:
        """The id of the job that takes this one's place; None for one whose supervisor was gone
        before it could."""
        job_id: str | None = read_json(self.path / "replaced.json")
        if job_id is None or self.status().state == "JOB_STATE_UPDATED":
            return job_id
        return job_id if self.beside(job_id).held() else None

    def metrics(self) -> dict[str, Any]:
        """`metricTime` and `metrics`, as in the service's JobMetrics."""
        return read_json(self.path / "metrics.json") or {"metricTime": now(), "metrics": []}

    def write_metrics(self, updates: list[dict[str, Any]], time: str) -> None:
        write_atomically(self.path / "metrics.json", {"metricTime": time, "metrics": updates})

    def health(self) -> dict[str, Any] | None:
        """How far a streaming job was behind at `time`, see worker.streaming.health; None for a
        job that has not begun to read, or never will."""
        health: dict[str, Any] | None = read_json(self.path / "health.json")
        return health

    def write_health(self, health: dict[str, Any], time: str) -> None:
        write_atomically(self.path / "health.json", {"time": time, **health})

    def subscriptions(self) -> list[TopicSubscription]:
        """The subscriptions that were made for the job."""
        subscriptions = read_json(self.path / "subscriptions.json") or []
        return [TopicSubscription(**subscription) for subscription in subscriptions]

    def write_subscriptions(self, subscriptions: list[TopicSubscription]) -> None:
        write_atomically(self.path / "subscriptions.json", [asdict(s) for s in subscriptions])

    def add_message(self, importance: str, text: str) -> None:
        """Appends a message; `importance` is DEBUG, DETAILED, BASIC, WARNING or ERROR."""
        message = {
            "time": now(),
            "messageImportance": f"JOB_MESSAGE_{importance}",
            "messageText": text,
        }
        # One write in append mode: lines of several processes do not mingle.
        descriptor = os.open(
            self.path / "messages.jsonl", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644
        )
        try:
            os.write(descriptor, json.dumps(message).encode() + b"\n")
        finally:
            os.close(descriptor)

    def messages(self) -> list[dict[str, Any]]:
        """All messages, oldest first, with ids. A line cut short by a crash is left out."""
        messages = []
        with contextlib.suppress(FileNotFoundError):
            lines = (self.path / "messages.jsonl").read_text().splitlines()
            for number, line in enumerate(lines):
                with contextlib.suppress(ValueError):
                    messages.append({"id": f"m{number:06d}", **json.loads(line)})
        return sorted(messages, key=lambda message: message["time"])
