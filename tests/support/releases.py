"""A service whose versions are released, and the tasks of its DAG."""

from __future__ import annotations

import shlex
import sys
from dataclasses import dataclass, field
from typing import Any

from beam_jobs.evaluation.main import main as evaluation
from beam_jobs.objects import Objects
from beam_jobs.prediction.aliases import read_alias
from beam_jobs.prediction.versions import set_alias
from beam_jobs.spec import EnvironmentSpec, ServiceSpec
from nightstream.champions_file import ChampionsFile
from nightstream.forms.model import release_form
from nightstream.model_dag import model_dag
from nightstream.releasing.champions import Champions
from tests.support.local_cloud import ROOT
from tests.support.models import Moody, release
from tests.support.release_plans import HELD_OUT, released_service
from tests.support.turns import DagRun, Task

SERVER_IMAGE = "us-docker.pkg.dev/scoring/prediction-server:1"
_SERVE = shlex.join(["python", "-m", "beam_jobs.prediction.server", "serve"])
SERVER = (
    *("--image", f"{SERVER_IMAGE}={sys.executable}:{ROOT}"),
    *("--entrypoint", f"{SERVER_IMAGE}={_SERVE}"),
)
"""Options of a local cloud that serves versions by the prediction server."""


@dataclass
class Releases:
    """One service with its models, and what its tests do with it."""

    environment: EnvironmentSpec
    objects: Objects
    spec: ServiceSpec = field(default_factory=released_service)
    runs: int = 0

    def __post_init__(self) -> None:
        assert self.spec.model.release is not None
        path = self.spec.model.release.held_out.path
        self.objects.put(f"gs://{self.environment.buckets.input}/{path}", HELD_OUT.encode())

    @property
    def models(self) -> str:
        return f"gs://{self.environment.buckets.models}/{self.spec.service}"

    @property
    def root(self) -> str:
        return f"gs://{self.environment.buckets.work}/{self.spec.service}/releases"

    @property
    def champion(self) -> str | None:
        return read_alias(self.models, "champion", self.objects).version

    @property
    def champions(self) -> Champions:
        return ChampionsFile(self.objects, self.root).read()[0]

    def upload(self, version: str, per: float = 5) -> None:
        """Another version, weight = weeks / per; the alias is left as it is."""
        before = self.champion
        release(self.models, version, self.objects, model=Moody(per))
        if before is None:
            self.objects.delete(f"{self.models}/champion")
        else:
            set_alias(self.models, "champion", before, self.objects)

    def run(self, **params: Any) -> DagRun:
        """A DAG run that a person triggered with that form."""
        self.runs += 1
        return DagRun(f"manual__{self.runs}", f"{self.spec.service}_model", params)

    def task(self, task_id: str, run: DagRun, try_number: int = 1) -> Task:
        """A task, ready for its first turn: of a DAG of its own, as in a worker's process."""
        operator = model_dag(self.spec, self.environment).get_task(task_id)
        return Task(operator, run, try_number, release_form())

    def finish(self, run: DagRun, *task_ids: str) -> Any:
        """Runs tasks one after another; what the last one returned."""
        result = None
        for task_id in task_ids:
            result = self.task(task_id, run).finish()
        return result

    def planned(self, run: DagRun) -> str:
        """The URI of the plan of a run whose task `candidate` is done."""
        return str(run.xcoms["candidate", "return_value"]["plan_uri"])

    def evaluate(self, run: DagRun) -> None:
        """Plans, and writes the evaluation in this process, which is quicker than the task's."""
        self.finish(run, "candidate")
        uri = self.planned(run)
        models = f"gs://{self.environment.buckets.models}"
        assert evaluation(["evaluate", f"--plan={uri}", f"--models={models}"]) == 0
        self.finish(run, "evaluate")
