"""A running job's state and metrics, asked of the Dataflow API."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from beam_jobs.spec import EnvironmentSpec
from beam_jobs.transforms.account_live import LATENCY_BOUNDS_MS, NAMESPACE
from local.stack.http import loopback_session

_TIMEOUT_S = 30


@dataclass(frozen=True)
class Spread:
    """A distribution as Dataflow tells it."""

    count: int
    sum: int
    max: int

    @property
    def mean(self) -> float:
        return self.sum / self.count if self.count else 0.0


@dataclass(frozen=True)
class JobMetrics:
    """The job's own metrics, by name."""

    counters: Mapping[str, int]
    distributions: Mapping[str, Spread]
    gauges: Mapping[str, int]

    def counter(self, name: str) -> int:
        """0 where nothing was counted yet."""
        return self.counters.get(name, 0)

    @property
    def dead(self) -> dict[str, int]:
        """Dead requests by error code."""
        prefix = "dead_"
        return {
            name.removeprefix(prefix): count
            for name, count in self.counters.items()
            if name.startswith(prefix)
        }

    def scored_within(self, percent: float) -> int | None:
        """The smallest of the bounds, in milliseconds, within which so many percent of the scored
        requests were scored; None where it is beyond the last."""
        wanted = self.counter("scored") * percent / 100
        for bound in LATENCY_BOUNDS_MS:
            if self.counter(f"publish_to_scored_ms_le_{bound}") >= wanted:
                return bound
        return None


def read_metrics(updates: Iterable[Mapping[str, Any]]) -> JobMetrics:
    """The committed metrics of the job's own code among those that Dataflow tells of."""
    counters: Counter[str] = Counter()
    distributions: dict[str, Spread] = {}
    gauges: dict[str, int] = {}
    for update in updates:
        name, context = update["name"]["name"], update["name"].get("context", {})
        if context.get("namespace") != NAMESPACE or "tentative" in context:
            continue
        if "scalar" in update:
            counters[name] += int(update["scalar"])
        elif "distribution" in update:
            told = update["distribution"]
            distributions[name] = Spread(*(int(told[part]) for part in ("count", "sum", "max")))
        elif "gauge" in update:
            gauges[name] = int(update["gauge"]["value"])
    return JobMetrics(counters, distributions, gauges)


class RunningJob:
    """One Dataflow job, as any client sees it."""

    def __init__(self, endpoint: str, environment: EnvironmentSpec, job_id: str) -> None:
        self._url = f"{_jobs_url(endpoint, environment)}/{job_id}"
        self._session = loopback_session()

    @cached_property
    def name(self) -> str:
        return str(self._get("")["name"])

    @property
    def state(self) -> str:
        """Without the prefix JOB_STATE_."""
        return str(self._get("")["currentState"]).removeprefix("JOB_STATE_")

    def metrics(self) -> JobMetrics:
        return read_metrics(self._get("/metrics")["metrics"])

    def _get(self, path: str) -> Any:
        answer = self._session.get(self._url + path, timeout=_TIMEOUT_S)
        answer.raise_for_status()
        return answer.json()


def latest_job(endpoint: str, environment: EnvironmentSpec, name: str) -> RunningJob | None:
    """The job of that name that was created last; None where there was none."""
    with loopback_session() as session:
        query = {"name": name, "filter": "ALL"}
        answer = session.get(_jobs_url(endpoint, environment), params=query, timeout=_TIMEOUT_S)
    answer.raise_for_status()
    jobs = sorted(answer.json().get("jobs", []), key=lambda job: job["createTime"])
    return RunningJob(endpoint, environment, jobs[-1]["id"]) if jobs else None


def _jobs_url(endpoint: str, environment: EnvironmentSpec) -> str:
    place = f"projects/{environment.project}/locations/{environment.dataflow.region}"
    return f"{endpoint}/v1b3/{place}/jobs"
