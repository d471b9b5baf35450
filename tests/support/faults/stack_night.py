"""One night on the stack: how far it has come, and the processes that work on it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import date
from typing import Any

import psutil
import requests
from google.api_core.exceptions import GoogleAPIError

from beam_jobs.runs.layout import RunLayout
from beam_jobs.runs.plan import RunPlan
from local.stack.processes import marked
from nightstream.publishing.ledger import Ledger
from nightstream.publishing.ledgers import LedgerFile, ledger_uri
from nightstream.scoring.claims import claims_folder
from nightstream.scoring.jobs import job_name
from tests.support.faults.stack_history import Point
from tests.support.stack_nights import StackNights

SERVICE, WORK = "babyweight", "nightstream-work"
_ROOT = f"gs://{WORK}/{SERVICE}/runs"


@dataclass
class StackNight:
    """Looked at by clients of its own, that no other thread uses."""

    nights: StackNights
    day: date
    _layout: RunLayout | None = None

    def reached(self, point: Point) -> bool:
        """Whether the night has come to a point; False while nobody can tell."""
        try:
            return self._reached(point)
        except (OSError, GoogleAPIError):
            return False

    def _reached(self, point: Point) -> bool:
        match point:
            case Point.TRIGGERED:
                return True
            case Point.PLANNED:
                return self.layout is not None
            case Point.CLAIMED:
                folder = claims_folder(WORK, SERVICE, self.day)
                return bool(self.nights.objects.list(f"{folder}/")) or self._at_least_scored()
            case Point.SUBMITTED:
                return bool(self.jobs())
            case Point.SCORED:
                return self._at_least_scored()
            case Point.BEGUN:
                return self.ledger().last_sequence > 0
            case Point.DEAD_LETTERS | Point.PREDICTIONS:
                return self._is_loaded(point)
            case Point.PUBLISHED:
                return self.ledger().published is not None
            case Point.RECORDED:
                return bool(self.nights.recorded(self.day))

    @property
    def layout(self) -> RunLayout | None:
        """Of the night's run, once it is planned."""
        if self._layout is None:
            for item in self.nights.objects.list(f"{_ROOT}/"):
                if item.uri.endswith("/plan.json"):
                    plan = RunPlan.model_validate_json(self.nights.objects.read(item.uri))
                    if plan.score_date == self.day:
                        self._layout = RunLayout(plan.root, plan.run_key)
        return self._layout

    def ledger(self) -> Ledger:
        return LedgerFile(self.nights.objects, ledger_uri(WORK, SERVICE, self.day)).read()[0]

    def jobs(self) -> list[dict[str, Any]]:
        """Every Dataflow job of the night, oldest first."""
        if self.layout is None:
            return []
        settings = self.nights.stack.settings
        place = f"projects/{settings.names.project}/locations/us-central1"
        url = f"{settings.cloud_url}/v1b3/{place}/jobs"
        name = job_name(SERVICE, self.layout.run_key)
        answer = requests.get(url, params={"name": name, "filter": "ALL"}, timeout=30)
        answer.raise_for_status()
        return sorted(answer.json().get("jobs", []), key=lambda job: job["createTime"])

    def launchers(self) -> list[psutil.Process]:
        """The processes that submit the night's job."""
        plan = self.layout.plan if self.layout else "not planned"
        return self._processes("beam_jobs.batch", f"--plan={plan}")

    def job_processes(self, module: str) -> list[psutil.Process]:
        """The processes of the night's jobs that run a module of the local Dataflow's, as far as
        anybody can tell."""
        try:
            return [p for job in self.jobs() for p in self._processes(module, job["id"])]
        except OSError:
            return []

    def _processes(self, *parts: str) -> list[psutil.Process]:
        return [p for p in marked(self.nights.stack.settings.home) if named(p, *parts)]

    def _at_least_scored(self) -> bool:
        layout = self.layout
        if layout is None:
            return False
        listed = self.nights.objects.list(f"{layout.folder}/")
        return any(item.uri.endswith("/manifest.json") for item in listed)

    def _is_loaded(self, point: Point) -> bool:
        ledger = self.ledger()
        if ledger.intent is None:
            return ledger.published is not None
        dead, predictions = ledger.intent.dead_letters_job, ledger.intent.predictions_job
        wanted = dead if point is Point.DEAD_LETTERS else predictions
        settings = self.nights.stack.settings
        url = f"{settings.cloud_url}/bigquery/v2/projects/{settings.names.project}/jobs/{wanted}"
        answer = requests.get(url, params={"location": "US"}, timeout=30)
        return answer.ok and answer.json()["status"]["state"] == "DONE"


def named(process: psutil.Process, *parts: str) -> bool:
    """Whether the process's command line holds all of the parts."""
    try:
        words = process.cmdline()
    except psutil.NoSuchProcess:
        return False
    return all(any(part in word for word in words) for part in parts)


def eventually_none(find: Any, seconds: float = 60) -> list[Any]:
    """What is still found after so long; nothing, as soon as nothing is found."""
    deadline = time.monotonic() + seconds
    while (found := find()) and time.monotonic() < deadline:
        time.sleep(0.5)
    return list(found)
