"""The jobs of a service, looked at again and again by a client of its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import requests

from local.stack.http import loopback_session
from tests.support.background import Background

_PAUSE_S = 0.1
_ENDED = {"DONE", "FAILED", "CANCELLED", "UPDATED", "DRAINED"}


@dataclass
class WatchedJob:
    """One job, and the states in which it was seen."""

    id: str
    name: str
    revision: str
    replaces: str | None
    states: list[str] = field(default_factory=list)

    @property
    def state(self) -> str:
        return self.states[-1]

    @property
    def ended(self) -> bool:
        return self.state in _ENDED


class JobWatch(Background):
    """Looks at all jobs of some names for as long as its block is being run.

    `doubles` tells of every moment at which two jobs stood under one name, other than a job and
    the one that takes over from it.
    """

    def __init__(self, url: str, names: tuple[str, ...]) -> None:
        """url: of the Dataflow API's jobs in one region."""
        super().__init__()
        self._url = url
        self._names = names
        self._session = loopback_session()
        self._jobs: dict[str, WatchedJob] = {}
        self.doubles: list[str] = []

    def _ended(self, error: BaseException | None) -> None:  # noqa: ARG002
        self.look()

    @property
    def jobs(self) -> list[WatchedJob]:
        """All that were seen, oldest first."""
        return list(self._jobs.values())

    def of(self, revision: str) -> list[WatchedJob]:
        return [job for job in self.jobs if job.revision == revision]

    def standing(self) -> list[WatchedJob]:
        """As of the last look."""
        return [job for job in self.jobs if not job.ended]

    def look(self) -> None:
        """One look, now."""
        for name in self._names:
            listed = self._get(self._url, {"name": name, "filter": "ALL"}).get("jobs", [])
            for summary in reversed(listed):
                self._see(summary)
            self._note_doubles(name)

    def _run(self) -> None:
        while not self._over.wait(_PAUSE_S):
            try:
                self.look()
            except requests.RequestException:
                continue  # the cloud is being restarted

    def _see(self, summary: dict[str, Any]) -> None:
        if summary["id"] not in self._jobs:
            job = self._get(f"{self._url}/{summary['id']}")
            self._jobs[job["id"]] = WatchedJob(
                id=job["id"],
                name=job["name"],
                revision=job.get("labels", {}).get("revision", ""),
                replaces=job.get("replaceJobId"),
            )
        seen = self._jobs[summary["id"]]
        state = summary["currentState"].removeprefix("JOB_STATE_")
        if not seen.states or seen.state != state:
            seen.states.append(state)

    def _note_doubles(self, name: str) -> None:
        standing = [job for job in self.standing() if job.name == name]
        replaced = {job.replaces for job in standing}
        alone = [job for job in standing if job.id not in replaced]
        if len(alone) > 1:
            self.doubles.append(", ".join(f"{job.id} is {job.state}" for job in alone))

    def _get(self, url: str, query: dict[str, str] | None = None) -> dict[str, Any]:
        answer = self._session.get(url, params=query, timeout=10)
        answer.raise_for_status()
        body: dict[str, Any] = answer.json()
        return body
