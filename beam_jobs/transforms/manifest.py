"""Writes the manifest: the last act of a job, which makes its attempt complete."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime

import pyarrow as pa

from beam_jobs.objects import ObjectExistsError, Objects, open_objects
from beam_jobs.runs.layout import AttemptLayout
from beam_jobs.runs.manifest import OutputFile, RunManifest, RunSummary
from beam_jobs.runs.plan import ReplayOf, RunPlan
from beam_jobs.transforms.columns import DEAD_LETTER_SCHEMA, prediction_schema
from beam_jobs.transforms.histograms import Profile
from beam_jobs.transforms.parquet import ParquetFiles
from beam_jobs.transforms.report import JobReport, add_reports
from beam_jobs.transforms.revision import revised, scored_by

_log = logging.getLogger(__name__)


class AttemptTakenError(Exception):
    """The attempt's folder holds the manifest of other work."""


@dataclass(frozen=True)
class FinishAttempt:
    """Turns the report of a whole job into the manifest of its attempt."""

    run_key: str
    attempt: int
    job_name: str
    model_version: str
    layout: AttemptLayout
    predictions: pa.Schema
    profile: Profile
    replay: ReplayOf | None

    @classmethod
    def of(
        cls, plan: RunPlan, attempt: int, job_name: str, layout: AttemptLayout, profile: Profile
    ) -> FinishAttempt:
        return cls(
            run_key=plan.run_key,
            attempt=attempt,
            job_name=job_name,
            model_version=plan.model.version,
            layout=layout,
            predictions=prediction_schema(plan.spec),
            profile=profile,
            replay=plan.replay,
        )

    def __call__(self, report: JobReport) -> RunManifest:
        """Writes the manifest if none is there; the one that stands.

        Raises AttemptTakenError.
        """
        objects = open_objects(self.layout.folder)
        return _commit(self._manifest(report, objects), self.layout.manifest, objects)

    def _manifest(self, report: JobReport, objects: Objects) -> RunManifest:
        whole, models = self._whole(add_reports([report, self._nothing()]))
        ranges = [count for source in whole.sources for count in source.ranges]
        return RunManifest(
            run_key=self.run_key,
            attempt=self.attempt,
            job_name=self.job_name,
            model_version=self.model_version,
            rows_in=sum(count.rows_in for count in ranges),
            rows_scored=sum(count.rows_scored for count in ranges),
            rows_dead=sum(count.rows_dead for count in ranges),
            sources=whole.sources,
            predictions=whole.predictions
            or _empty_file(self.layout.predictions, self.predictions, objects),
            dead_letters=whole.dead_letters
            or _empty_file(self.layout.dead_letters, DEAD_LETTER_SCHEMA, objects),
            summary=RunSummary(
                dead_by_code=whole.dead_by_code,
                features=whole.features,
                predictions=whole.outputs,
            ),
            finished_at=datetime.now(UTC).isoformat(),
            scored_by=models,
        )

    def _whole(self, report: JobReport) -> tuple[JobReport, dict[str, int]]:
        """The report on the whole night; of a revision, its rows by model version."""
        if self.replay is None:
            return report, {}
        base = read_manifest(self.replay.manifest_uri)
        repaired = sum(file.rows for file in report.predictions)
        models = scored_by(base, self.model_version, repaired)
        return revised(base, self.replay, report), models

    def _nothing(self) -> JobReport:
        """The report of no rows, so that every column has its histogram in an empty night too."""
        return JobReport(
            features={name: bins.empty() for name, bins in self.profile.features.items()},
            outputs={name: bins.empty() for name, bins in self.profile.outputs.items()},
        )


def read_manifest(uri: str) -> RunManifest:
    """The manifest of a finished attempt. Raises FileNotFoundError."""
    return RunManifest.model_validate_json(open_objects(uri).read(uri))


def _empty_file(folder: str, schema: pa.Schema, objects: Objects) -> tuple[OutputFile, ...]:
    """A file without rows: what an empty night replaces its partition with."""
    return ParquetFiles(folder, schema, objects).close(at_least_one=True)


def _commit(manifest: RunManifest, uri: str, objects: Objects) -> RunManifest:
    try:
        objects.create(uri, manifest.model_dump_json(indent=2).encode())
    except ObjectExistsError:
        standing = RunManifest.model_validate_json(objects.read(uri))
        if (standing.run_key, standing.attempt) != (manifest.run_key, manifest.attempt):
            raise AttemptTakenError(
                f"{uri} belongs to run {standing.run_key}, attempt {standing.attempt}, not to "
                f"{manifest.run_key}, attempt {manifest.attempt}. Remedy: start another attempt"
            ) from None
        _log.warning("%s was there already and stands; this job's files are unused", uri)
        return standing
    return manifest
