"""The babyweight service with its streaming job, for one measurement after another."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from beam_jobs.prediction.versions import publish_version, set_alias
from beam_jobs.spec import ServiceSpec, load_service
from examples.babyweight.requests import make_requests
from tests.bench.jobs import IMAGE
from tests.bench.workshop import SPEC, Workshop
from tests.support.live_service import REGION, LiveService
from tests.support.local_cloud import PROJECT, ROOT

_PATIENCE_S = 600
_DIFFERENT = 2_000
"""So many different requests; they come over and over."""


def babyweight(*, answers: bool = False, rows: int | None = None) -> ServiceSpec:
    """The example's spec: with answers to each request or without, and with so many rows in a
    micro-batch where that is given."""
    spec = load_service(SPEC)
    assert spec.streaming is not None
    changes: dict[str, object] = {} if answers else {"response_topic": None}
    if rows is not None:
        changes["batch"] = spec.streaming.batch.model_copy(update={"rows": rows})
    return spec.model_copy(update={"streaming": spec.streaming.model_copy(update=changes)})


class BenchService(LiveService):
    """A service whose requests are published by a process of their own."""

    def __init__(self, workshop: Workshop, spec: ServiceSpec, folder: Path) -> None:
        super().__init__(workshop.cloud, workshop.pubsub, spec, IMAGE)
        self._payloads = folder / "requests.jsonl"
        self._payloads.write_bytes(make_requests(_DIFFERENT, broken=0).content)
        self.create_places()
        self.model = workshop.model
        """The champion: its description and its artifact."""
        publish_version(self.models, *workshop.model, self.objects)
        set_alias(self.models, "champion", workshop.model[0].version, self.objects)
        self.prepare()

    @contextmanager
    def publishing(self, prefix: str, count: int, rate: float | None = None) -> Iterator[float]:
        """Requests on their way while the block runs; all are published when it ends.

        The value is when the first was due, in seconds since the epoch.
        """
        command = [sys.executable, "-m", "tests.bench.live.publisher", self.paths.topic]
        command += [str(self._payloads), prefix, str(count), *([str(rate)] if rate else [])]
        environment = {**os.environ, **self.pubsub.env}
        with subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            try:
                yield float(process.stdout.readline())
                if code := process.wait():
                    raise RuntimeError(f"not all requests were published: exit code {code}")
            finally:
                process.kill()

    def publish_all(self, prefix: str, count: int) -> None:
        """Publishes so many requests as fast as they are taken."""
        with self.publishing(prefix, count):
            pass

    def await_counted(self, requests: int) -> dict[str, int]:
        """The job's counters, once it has counted so many requests."""
        deadline = time.monotonic() + _PATIENCE_S
        while (counters := self.counters()).get("requests", 0) < requests:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{counters} of {requests} requests:\n{self.log}")
            time.sleep(0.3)
        return counters

    def distribution(self, name: str) -> dict[str, int]:
        """The job's metric of that name: count, sum, min, max."""
        path = f"/v1b3/projects/{PROJECT}/locations/{REGION}/jobs/{self.job_id}/metrics"
        [found] = (
            update["distribution"]
            for update in self.cloud.call("GET", path)["metrics"]
            if update["name"]["name"] == name and "tentative" not in update["name"]["context"]
        )
        return {key: int(value) for key, value in found.items()}

    def visible(self, prefix: str) -> int:
        """How many rows of such requests a query finds in the table of predictions."""
        table = f"`{self.dataset}.{self.plan.tables.predictions}`"
        sql = f"SELECT COUNT(*) AS n FROM {table} WHERE STARTS_WITH(request_id, '{prefix}')"
        [row] = self.client.query_and_wait(sql)
        return int(row["n"])

    def slowest_scored(self, prefix: str) -> float:
        """Seconds from publishing to scoring, of such a request that waited longest."""
        view = f"`{self.dataset}.{self.plan.tables.predictions}_unique`"
        sql = (
            "SELECT MAX(TIMESTAMP_DIFF(scored_at, published_at, MILLISECOND)) AS ms "
            f"FROM {view} WHERE STARTS_WITH(request_id, '{prefix}')"
        )
        [row] = self.client.query_and_wait(sql)
        return float(row["ms"]) / 1e3

    def check_each_once(self, prefix: str, count: int) -> None:
        """Raises RuntimeError unless each of the requests prefix0, prefix1, … is once in the view
        of predictions, and no other is."""
        number = f"CAST(SUBSTR(request_id, {len(prefix) + 1}) AS INT64)"
        sql = (
            f"SELECT COUNT(*), COUNT(DISTINCT request_id), MIN({number}), MAX({number}) "
            f"FROM `{self.dataset}.{self.plan.tables.predictions}_unique` "
            f"WHERE STARTS_WITH(request_id, '{prefix}')"
        )
        [found] = self.client.query_and_wait(sql)
        if found.values() != (count, count, 0, count - 1):
            raise RuntimeError(f"{count} requests, but rows, ids, first, last: {found.values()}")


@contextmanager
def bench_service(workshop: Workshop, spec: ServiceSpec, folder: Path) -> Iterator[BenchService]:
    """A service on an emulator that holds nothing else; its job, if started, is cancelled."""
    workshop.pubsub.restart()
    service = BenchService(workshop, spec, folder)
    try:
        yield service
    finally:
        if service.job_id:
            service.cancel()
        workshop.pubsub.kill()
