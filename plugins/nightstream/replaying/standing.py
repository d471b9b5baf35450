"""The publication that a replay revises."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from datetime import date

from beam_jobs.objects import ObjectChangedError, Objects
from beam_jobs.reading import inspect
from beam_jobs.reading.errors import InputFileError
from beam_jobs.runs.layout import RunLayout
from beam_jobs.runs.manifest import RunManifest, SourceCount
from beam_jobs.runs.plan import ReplayedSource, RunPlan
from beam_jobs.spec.service import InputSpec
from beam_jobs.spec.sources import CsvFormat
from nightstream.publishing.ledger import Publication
from nightstream.publishing.ledgers import LedgerFile
from nightstream.replaying.trying import PlannedFormat, work_of


class NotStandingError(Exception):
    """A night that cannot be revised; the message says why and how to mend it."""


class ChangingError(Exception):
    """The night is being published right now; try again later."""


@dataclass(frozen=True)
class Standing:
    """What stands in the partitions of a night, and the ledger's generation that says so."""

    night: date
    publication: Publication
    generation: int
    manifest: RunManifest

    @classmethod
    def of(cls, night: date, file: LedgerFile) -> Standing:
        """Raises NotStandingError, ChangingError."""
        ledger, generation = file.read()
        if ledger.intent is not None:
            raise ChangingError(f"night {night} is being published right now ({file.uri})")
        if ledger.published is None:
            raise NotStandingError(
                f"night {night} is not published ({file.uri}). Remedy: run the night itself"
            )
        uri = ledger.published.intent.publisher.manifest_uri
        try:
            manifest = RunManifest.model_validate_json(file.objects.read(uri))
        except FileNotFoundError as error:
            raise NotStandingError(
                f"night {night} cannot be revised: its manifest {uri} is gone. Remedy: run the "
                "night again with force"
            ) from error
        return cls(night, ledger.published, generation, manifest)

    @property
    def manifest_uri(self) -> str:
        return self.publication.intent.publisher.manifest_uri

    @property
    def folder(self) -> str:
        """Of the attempt that was published: what a replay needs for a while lies in it, too."""
        return self.manifest_uri.rpartition("/")[0]

    def require_rows(self, letters: int) -> None:
        """Raises NotStandingError where the table holds other letters than were published."""
        published = self.publication.intent.night.rows_dead
        if letters != published:
            raise NotStandingError(
                f"night {self.night} was published with {published:,} dead letters, and the table "
                f"holds {letters:,}: its partition has expired or was changed by hand. Remedy: run "
                "the night again with force"
            )

    def require_unchanged(self, file: LedgerFile) -> None:
        """Raises ChangingError where somebody has begun to publish the night since."""
        if file.read()[1] != self.generation:
            raise ChangingError(f"night {self.night} was published by somebody else meanwhile")


def planned_format(standing: Standing, root: str, objects: Objects) -> PlannedFormat:
    """How the payloads of the standing dead letters are written."""
    plan = RunLayout(root, standing.publication.run_key).plan
    return PlannedFormat.model_validate_json(objects.read(plan))


def is_same_work(run_key: str, mine: RunPlan, objects: Objects) -> bool:
    """Whether that run was a replay with this very model, contract and code."""
    try:
        data = objects.read(RunLayout(mine.root, run_key).plan)
    except FileNotFoundError:
        return False
    # A plan of other code may have another form, and is other work anyway.
    if PlannedFormat.model_validate_json(data).code_version != mine.code_version:
        return False
    plan = RunPlan.model_validate_json(data)
    return plan.replay is not None and work_of(plan) == work_of(mine)


def replayed_sources(
    manifest: RunManifest, uris: Set[str], input_: InputSpec, objects: Objects
) -> tuple[ReplayedSource, ...]:
    """The input objects of those URIs, with the columns by which their letters are read.

    A manifest of an earlier release does not tell columns: then the object itself is asked.
    Raises NotStandingError where it is gone.
    """
    return tuple(
        ReplayedSource(object=source.object, columns=_columns(source, input_, objects))
        for source in manifest.sources
        if source.object.uri in uris
    )


def _columns(source: SourceCount, input_: InputSpec, objects: Objects) -> tuple[str, ...]:
    if source.columns or not isinstance(input_.format, CsvFormat):
        return source.columns
    try:
        return inspect(input_, source.object, objects).columns
    except (FileNotFoundError, ObjectChangedError, InputFileError) as error:
        raise NotStandingError(
            f"the header of {source.object.uri} is needed to read its dead letters: {error}"
        ) from error
