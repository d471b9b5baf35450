"""A service of its own with its streaming job, on a local cloud and the real Pub/Sub emulator."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil
from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery, storage

from beam_jobs.objects.gcs import GcsObjects
from beam_jobs.prediction.versions import open_version, resolve_version
from beam_jobs.runs.code import code_sources
from beam_jobs.runs.plan import EndpointPin, ModelPin
from beam_jobs.runs.streaming import ServedModel, StreamingPlan, build_streaming_plan
from beam_jobs.runs.wheel import build_wheel, unpack_wheel
from beam_jobs.spec import EnvironmentSpec, ServiceSpec
from local.stack.processes import all_processes
from nightstream.jobs.options import launch_options
from nightstream.streaming.launch import pinned_options
from nightstream.streaming.preparation import prepare_live_tables
from tests.support.local_cloud import PROJECT, ROOT, LocalCloud
from tests.support.pubsub_emulator import Paths, PubsubEmulator
from tests.support.specs import an_environment

REGION = "us-central1"
RUNNING = "JOB_STATE_RUNNING"
DRAINED = "JOB_STATE_DRAINED"
CANCELLED = "JOB_STATE_CANCELLED"
_JOBS = f"/v1b3/projects/{PROJECT}/locations/{REGION}/jobs"
_PATIENCE_S = 90


@dataclass(frozen=True)
class Outcome:
    """What the unique views say of a service's requests: each of them once, by its id."""

    scored: Counter[str]
    dead: dict[str, str]
    """Error code by request id."""
    dead_rows: int

    @property
    def rows(self) -> int:
        """In both views."""
        return self.scored.total() + self.dead_rows

    def exactly(self, ids: Iterable[str]) -> bool:
        """Whether each of the requests, and no other, is in just one of the views, once."""
        found = self.scored + Counter(dict.fromkeys(self.dead, 1))
        return found == Counter(dict.fromkeys(ids, 1)) and self.dead_rows == len(self.dead)

    def of(self, ids: Iterable[str]) -> Outcome:
        """The part of it that is about those requests."""
        wanted = set(ids)
        dead = {name: code for name, code in self.dead.items() if name in wanted}
        scored = Counter({name: rows for name, rows in self.scored.items() if name in wanted})
        return Outcome(scored, dead, self.dead_rows - len(self.dead) + len(dead))


class LiveService:
    """One service: topic, subscription, tables and views, model, plan; and its job when started.

    The model is the champion in the folder `<models bucket>/<service>`, put there by `release`.
    """

    def __init__(
        self,
        cloud: LocalCloud,
        pubsub: PubsubEmulator,
        spec: ServiceSpec,
        image: str,
        ack_deadline_seconds: int = 60,
        endpoint: EndpointPin | None = None,
    ) -> None:
        self.cloud = cloud
        self.pubsub = pubsub
        self.spec = spec
        self.bucket = f"{spec.service.replace('_', '-')}-{uuid.uuid4().hex[:8]}"
        self.dataset = self.bucket.replace("-", "_")
        self.endpoint = endpoint
        self.job_name = f"{spec.service.replace('_', '-')}-live-a"
        self.environment: EnvironmentSpec = an_environment(
            cloud.url,
            buckets={"input": self.bucket, "work": self.bucket, "models": self.bucket},
            bigquery={"dataset": self.dataset},
            dataflow={"worker_image": image},
        )
        options = ClientOptions(api_endpoint=cloud.url)
        anonymous = AnonymousCredentials()
        self.client = bigquery.Client(PROJECT, anonymous, client_options=options)
        self.objects = GcsObjects(storage.Client(PROJECT, anonymous, client_options=options))
        self._ack_deadline_seconds = ack_deadline_seconds
        self.create_topics()
        self.job_id = ""

    def create_topics(self) -> None:
        """Topics with their subscriptions, in an emulator that does not have them."""
        streaming = self.spec.streaming
        assert streaming is not None
        self.paths: Paths = self.pubsub.create(
            streaming.topic, streaming.subscription, self._ack_deadline_seconds
        )
        if streaming.response_topic is not None:
            self.answers = self.pubsub.create(streaming.response_topic)

    @property
    def models(self) -> str:
        """Folder of the service's model versions."""
        return f"gs://{self.bucket}/{self.spec.service}"

    def prepare(self) -> StreamingPlan:
        """Bucket and dataset first, then `release` a model, then this: tables, views, plan."""
        pin = self._pin()
        assert self.spec.streaming is not None
        options = pinned_options(self.spec.streaming, self.environment)
        plan = build_streaming_plan(self.spec, self.environment, pin, options)
        prepare_live_tables(self.client, self.spec, self.environment)
        self.objects.put(plan.uri, plan.model_dump_json().encode())
        self.objects.put(plan.code_uri, build_wheel(code_sources()))
        self.plan = plan
        return plan

    def point_to_champion(self) -> ServedModel:
        """Has the running job refresh its model."""
        pin = self._pin()
        wanted = ServedModel(
            revision=self.plan.model_copy(update={"model": pin}).revision, model=pin
        )
        self.objects.put(self.plan.model_uri, wanted.model_dump_json().encode())
        return wanted

    def _pin(self) -> ModelPin:
        version = resolve_version(self.models, self.spec.model.version, self.objects)
        manifest = open_version(version.folder, self.objects)
        return ModelPin(
            uri=version.folder,
            version=version.name,
            kind=manifest.kind,
            sha256=manifest.sha256,
            endpoint=self.endpoint,
        )

    def create_places(self) -> None:
        """The bucket and the dataset."""
        self.cloud.call("POST", "/storage/v1/b", {"name": self.bucket})
        self.client.create_dataset(self.dataset)

    def start(self, *options: str, wait: bool = True, module: str = "beam_jobs.streaming") -> str:
        """Launches the job as production does, and answers its id."""
        with TemporaryDirectory() as folder:
            said = self._launch(module, options, Path(folder))
        found = re.search(r"\d{4}-\d\d-\d\d_\d\d_\d\d_\d\d-\d+", said)
        assert found, f"the launcher named no job:\n{said}"
        self.job_id = found[0]
        if wait:
            self.wait_for(RUNNING)
        return self.job_id

    def _launch(self, module: str, options: Sequence[str], folder: Path) -> str:
        """What the launcher says that runs the plan's own code, unpacked into the folder."""
        wheel = folder / Path(self.plan.code_uri).name
        wheel.write_bytes(self.objects.read(self.plan.code_uri))
        unpack_wheel(wheel.read_bytes(), folder)
        command = [
            *(sys.executable, "-P", "-m", module, f"--plan={self.plan.uri}"),
            f"--extra_package={wheel}",
            *launch_options(
                self.environment,
                REGION,
                self.job_name,
                {"service": self.spec.service, "slot": "a", "revision": self.plan.revision},
                self.plan.streaming.workers,
                self.plan.streaming.max_workers,
            ),
            *options,
        ]
        launched = subprocess.run(
            command,
            env={
                **os.environ,
                **self.cloud.env,
                **self.pubsub.env,
                "PYTHONPATH": f"{folder}:{ROOT}",
            },
            capture_output=True,
            text=True,
        )
        said = launched.stdout + launched.stderr
        assert launched.returncode == 0, f"the job was not submitted:\n{said}"
        return said

    def state(self) -> str:
        return self.state_of(self.job_id)

    def state_of(self, job_id: str) -> str:
        """The state of any job of this cloud."""
        return str(self.cloud.call("GET", f"{_JOBS}/{job_id}")["currentState"])

    def wait_for(self, state: str, seconds: float = _PATIENCE_S) -> None:
        deadline = time.monotonic() + seconds
        while (now := self.state()) != state:
            assert time.monotonic() < deadline, f"{self.job_id} is {now}, not {state}:\n{self.log}"
            time.sleep(0.1)

    def drain(self, wait: bool = True) -> None:
        self._request(DRAINED, wait)

    def cancel(self, wait: bool = True) -> None:
        self._request(CANCELLED, wait)

    def _request(self, state: str, wait: bool) -> None:
        self.cloud.call("PUT", self._job, {"requestedState": state})
        if wait:
            self.wait_for(state)

    def hold_up_a_bundle(self) -> None:
        """Returns while the job, which has requests, tries in vain to write some of them; it goes
        on so until the cloud is healed."""
        self.cloud.inject(kind="error", path="/insertAll", code=503)
        deadline = time.monotonic() + _PATIENCE_S
        while not self.cloud.injections():
            assert time.monotonic() < deadline, f"nothing was written:\n{self.log}"
            time.sleep(0.02)

    def kill(self) -> None:
        """kill -9 of the job's process, once there is one."""
        deadline = time.monotonic() + _PATIENCE_S
        while not (processes := self.processes()):
            assert time.monotonic() < deadline, f"{self.job_id} has no process:\n{self.log}"
            time.sleep(0.05)
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.kill()

    def processes(self) -> list[psutil.Process]:
        """The job's processes: those that run its worker."""
        found = []
        for process in all_processes("cmdline"):
            command = process.info["cmdline"] or []
            if "local.cloud.dataflow.worker.job" in command and any(
                self.job_id in argument for argument in command
            ):
                found.append(process)
        return found

    @property
    def log(self) -> str:
        """The last lines of the job's log."""
        files = list(Path(self.cloud.data).rglob(f"{self.job_id}/worker.log"))
        return "\n".join(files[0].read_text().splitlines()[-60:]) if files else "no log"

    def counters(self) -> Counter[str]:
        """The job's own committed counters, by name, all steps together."""
        return self._counted()[0]

    def _counted(self) -> tuple[Counter[str], str]:
        """The counters and when they were read."""
        metrics = self.cloud.call("GET", f"{self._job}/metrics")
        sums: Counter[str] = Counter()
        for update in metrics["metrics"]:
            name = update["name"]
            context = name.get("context", {})
            if context.get("namespace") == "nightstream" and "tentative" not in context:
                sums[name["name"]] += int(update.get("scalar", 0))
        return sums, metrics.get("metricTime", "")

    def fresh_counters(self) -> Counter[str]:
        """The counters of a running job, read by it after this call began."""
        deadline = time.monotonic() + _PATIENCE_S
        counters, read_at = self._counted()
        last = read_at
        while read_at == last:
            assert time.monotonic() < deadline, f"no counters since {last}:\n{self.log}"
            time.sleep(0.1)
            counters, read_at = self._counted()
        return counters

    def counted_since(self, before: Counter[str], requests: int) -> Counter[str]:
        """What was counted since, once so many more requests are."""
        deadline = time.monotonic() + _PATIENCE_S
        while (now := self.counters()["requests"] - before["requests"]) < requests:
            assert time.monotonic() < deadline, f"{now} of {requests} requests:\n{self.log}"
            time.sleep(0.2)
        # The counters are read one by one while the job counts: the next reading has them all.
        counted = self.fresh_counters()
        counted.subtract(before)
        return counted

    def publish(
        self, payloads: Sequence[bytes], attributes: Sequence[Mapping[str, str]] | None = None
    ) -> list[str]:
        """Publishes messages and answers their ids."""
        publisher = self.pubsub.publisher()
        marks = attributes or [{}] * len(payloads)
        futures = [
            publisher.publish(self.paths.topic, payload, **mark)
            for payload, mark in zip(payloads, marks, strict=True)
        ]
        return [future.result(60) for future in futures]

    def outcome(self) -> Outcome:
        """Every request as the unique views have it."""
        scored = self._query(f"SELECT request_id FROM {self._view(self.plan.tables.predictions)}")
        dead = self._query(
            f"SELECT request_id, error_code FROM {self._view(self.plan.tables.dead_letters)}"
        )
        return Outcome(
            scored=Counter(row["request_id"] for row in scored),
            dead={row["request_id"]: row["error_code"] for row in dead},
            dead_rows=len(dead),
        )

    def wait_for_requests(
        self, count: int, seconds: float = _PATIENCE_S, told: str = ""
    ) -> Outcome:
        """The outcome, once so many requests are in it; else it is told what is missing."""
        deadline = time.monotonic() + seconds
        views = (self.plan.tables.predictions, self.plan.tables.dead_letters)
        sums = " + ".join(f"(SELECT COUNT(*) FROM {self._view(name)})" for name in views)
        while (now := self._query(f"SELECT {sums} AS n")[0]["n"]) < count:
            assert time.monotonic() < deadline, f"{now} of {count} rows. {told}\n{self.log}"
            time.sleep(0.2)
        return self.outcome()

    def wait_for_request(self, name: str, seconds: float = _PATIENCE_S) -> None:
        """Until the request is in one of the tables."""
        tables = (self.plan.tables.predictions, self.plan.tables.dead_letters)
        counts = (
            f"(SELECT COUNT(*) FROM `{self.dataset}.{table}` WHERE request_id = '{name}')"
            for table in tables
        )
        sql = f"SELECT {' + '.join(counts)} AS n"
        deadline = time.monotonic() + seconds
        while not self._query(sql)[0]["n"]:
            assert time.monotonic() < deadline, f"{name} is not there:\n{self.log}"
            time.sleep(0.1)

    def account_for(self, ids: Iterable[str], seconds: float = _PATIENCE_S) -> Outcome:
        """What became of those requests, once each of them is in the views, and just once."""
        wanted = set(ids)
        found = self.outcome()
        while missing := sorted(wanted - found.scored.keys() - found.dead.keys()):
            told = f"{len(missing)} of {len(wanted)} requests are missing: {missing[:5]}"
            # To read all of them takes long: not before as many more are there as are missing.
            found = self.wait_for_requests(found.rows + len(missing), seconds, told)
        found = found.of(wanted)
        assert found.exactly(wanted)
        return found

    def rows(self, table: str, columns: str) -> list[dict[str, Any]]:
        """Columns of all rows of one of the dataset's tables, as they were written."""
        return self._query(f"SELECT {columns} FROM `{self.dataset}.{table}`")

    def _query(self, sql: str) -> list[dict[str, Any]]:
        return [dict(row) for row in self.client.query(sql).result()]

    def _view(self, table: str) -> str:
        return f"`{self.dataset}.{table}_unique`"

    @property
    def _job(self) -> str:
        return f"{_JOBS}/{self.job_id}"
