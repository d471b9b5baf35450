"""A night on the local disk, scored by the real job in this process."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import apache_beam as beam
import joblib
import pandas as pd
import pyarrow.parquet as pq
from apache_beam.options.pipeline_options import PipelineOptions

from beam_jobs.batch.pipeline import score_night
from beam_jobs.objects import open_objects
from beam_jobs.prediction.manifest import ModelManifest
from beam_jobs.prediction.pinned import pinned_model
from beam_jobs.prediction.versions import publish_version
from beam_jobs.runs.layout import RunLayout
from beam_jobs.runs.manifest import OutputFile, RunManifest
from beam_jobs.runs.plan import InputObject, ModelPin, RunPlan, build_plan
from beam_jobs.spec.loading import load_service
from beam_jobs.spec.service import ServiceSpec
from examples.babyweight.births import FEATURES
from tests.support.local_cloud import ROOT

SPEC = ROOT / "dags" / "services" / "babyweight.yaml"
SCORE_DATE = date(2026, 1, 1)


def babyweight(**changes: dict[str, Any]) -> ServiceSpec:
    """The example's spec, with keys replaced or added section by section."""
    spec = load_service(SPEC).model_dump(mode="json")
    for section, keys in changes.items():
        spec[section] = {**spec[section], **keys}
    return ServiceSpec.model_validate(spec)


@dataclass(frozen=True)
class Scored:
    """What a job left behind."""

    plan: RunPlan
    manifest: RunManifest
    counters: dict[str, int]
    """Beam's, by name."""

    @property
    def predictions(self) -> pd.DataFrame:
        """By source and position."""
        return _rows(self.manifest.predictions)

    @property
    def dead_letters(self) -> pd.DataFrame:
        return _rows(self.manifest.dead_letters)


@dataclass(frozen=True)
class NightFolder:
    """Input files, one model and the runs' folder, all below one folder."""

    root: Path
    trained: tuple[ModelManifest, bytes]

    def write(self, name: str, content: bytes) -> Path:
        path = self.root / "input" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    @property
    def model_folder(self) -> Path:
        return self.root / "models" / self.trained[0].version

    def plan(self, **changes: dict[str, Any]) -> RunPlan:
        """Pins the input files as they are now, and the model."""
        root = str(self.root / "models")
        publish_version(root, *self.trained, open_objects(root))
        manifest = self.trained[0]
        model = ModelPin(
            uri=str(self.model_folder),
            version=manifest.version,
            kind=manifest.kind,
            sha256=manifest.sha256,
        )
        folder = f"{self.root}/input/"
        inputs = [
            InputObject(uri=item.uri, generation=item.generation, size=item.size)
            for item in open_objects(folder).list(folder)
        ]
        runs = str(self.root / "runs")
        return build_plan(babyweight(**changes), SCORE_DATE, None, inputs, model, runs)

    def score(self, **changes: dict[str, Any]) -> Scored:
        """Plans and scores the night as it lies there."""
        return run(self.plan(**changes))

    def expected(self, requests: pd.DataFrame) -> Any:
        """What the model alone says of requests."""
        return joblib.load(io.BytesIO(self.trained[1])).predict(requests[FEATURES])


def run(plan: RunPlan, attempt: int = 1, runner: str = "FnApiRunner") -> Scored:
    """Runs the job on a runner of this process. Raises what the job raises."""
    pipeline = beam.Pipeline(options=PipelineOptions([f"--runner={runner}"]))
    score_night(pipeline, plan, attempt, pinned_model(plan.model, plan.spec), "test-job")
    result: Any = pipeline.run()
    result.wait_until_finish()
    counters = {
        counter.key.metric.name: counter.committed
        for counter in result.metrics().query()["counters"]
        if counter.key.metric.namespace == "nightstream"
    }
    path = Path(RunLayout(plan.root, plan.run_key).attempt(attempt).manifest)
    return Scored(plan, RunManifest.model_validate(json.loads(path.read_text())), counters)


def _rows(files: tuple[OutputFile, ...]) -> pd.DataFrame:
    tables = [pq.read_table(file.uri) for file in files]
    assert [table.num_rows for table in tables] == [file.rows for file in files]
    assert [Path(file.uri).stat().st_size for file in files] == [file.size for file in files]
    rows = pd.concat([table.to_pandas() for table in tables])
    return rows.sort_values(["source_uri", "source_position"], ignore_index=True)
