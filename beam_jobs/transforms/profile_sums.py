"""Sums of histograms by the model that scored."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from beam_jobs.objects import open_objects
from beam_jobs.prediction.versions import ModelError, open_version
from beam_jobs.runs.manifest import Histogram
from beam_jobs.runs.streaming import StreamingPlan
from beam_jobs.transforms.elements import ScoredRequests
from beam_jobs.transforms.histograms import Bins, Profile, merged_by_column

log = logging.getLogger(__name__)

Counted = dict[str, Any]
"""The parts of a LiveProfile that are counted."""


_Scored = tuple[pa.RecordBatch, pa.RecordBatch]
"""Rows and their predictions."""


class _Model(NamedTuple):
    version: str
    revision: str


@dataclass(frozen=True)
class _Sum:
    rows: int
    features: dict[str, Histogram]
    predictions: dict[str, Histogram]

    def plus(self, other: _Sum) -> _Sum:
        return _Sum(
            self.rows + other.rows,
            merged_by_column([self.features, other.features]),
            merged_by_column([self.predictions, other.predictions]),
        )


_NOTHING = _Sum(0, {}, {})


class ProfileSums:
    """What was scored since it was last asked.

    profile_of: the bins of a version; None where they are unknown, and its rows not counted.
    """

    def __init__(self, profile_of: Callable[[str], Profile | None]) -> None:
        self._profile_of = profile_of
        self._sums: dict[_Model, _Sum] = {}

    def add(self, batches: Sequence[ScoredRequests]) -> None:
        """Counts the rows of all batches, those of one model at once."""
        parts: dict[_Model, list[_Scored]] = {}
        for batch in batches:
            for model, rows, outputs in _by_model(batch):
                parts.setdefault(model, []).append((rows, outputs))
        for model, scored in parts.items():
            profile = self._profile_of(model.version)
            if profile is not None:
                before = self._sums.get(model, _NOTHING)
                self._sums[model] = before.plus(_counted(profile, scored))

    def taken(self) -> Iterator[Counted]:
        """The sums, which begin anew."""
        sums, self._sums = self._sums, {}
        for model, total in sums.items():
            yield {
                "model_version": model.version,
                "revision": model.revision,
                "scored": total.rows,
                "features": total.features,
                "predictions": total.predictions,
            }


def released_profiles(plan: StreamingPlan) -> Callable[[str], Profile | None]:
    """The bins of each version beside the plan's own; read once, when it first scores."""
    root = plan.model.uri.rpartition("/")[0]
    objects = open_objects(root)

    @cache
    def profile_of(version: str) -> Profile | None:
        try:
            return Profile.of(plan.spec, open_version(f"{root}/{version}", objects).reference)
        except ModelError as error:
            log.warning("requests scored by %s are not counted for drift: %s", version, error)
            return None

    return profile_of


def _by_model(
    batch: ScoredRequests,
) -> Iterator[tuple[_Model, pa.RecordBatch, pa.RecordBatch]]:
    """The rows of each model; an endpoint may answer one batch with several."""
    versions = batch.model_versions
    revision = batch.scored_by.revision
    distinct = pc.unique(versions).to_pylist()
    if len(distinct) == 1:
        yield _Model(distinct[0], revision), batch.rows, batch.outputs
        return
    for version in distinct:
        mask = pc.equal(versions, version)
        yield _Model(version, revision), batch.rows.filter(mask), batch.outputs.filter(mask)


def _counted(profile: Profile, scored: Sequence[_Scored]) -> _Sum:
    rows, outputs = ([part[side] for part in scored] for side in (0, 1))
    return _Sum(
        sum(part.num_rows for part in rows),
        _histograms(profile.features, rows),
        _histograms(profile.outputs, outputs),
    )


def _histograms(
    bins: Mapping[str, Bins], batches: Sequence[pa.RecordBatch]
) -> dict[str, Histogram]:
    """Of all batches at once, which may differ in columns that are not counted."""
    columns = {name: pa.concat_arrays([b.column(name) for b in batches]) for name in bins}
    return {name: bins[name].count(columns[name]) for name in bins}
