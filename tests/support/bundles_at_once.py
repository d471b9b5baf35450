"""Bundles that are all under way before the first of them asks for predictions."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import apache_beam as beam
from apache_beam.utils.windowed_value import WindowedValue

from beam_jobs.prediction.live.bundles import bundles_under_way
from beam_jobs.transforms.write import in_global_window
from tests.support.live_requests import valid_batch
from tests.support.patience import PATIENCE_S

BUNDLES = 4
_ALL_UNDER_WAY = threading.Barrier(BUNDLES)


class OneBatchPerBundle(beam.DoFn):
    """Weeks → ValidBatch, in BUNDLES threads of one process."""

    def start_bundle(self) -> None:
        self._weeks: list[float] = []
        bundles_under_way.enter()
        _ALL_UNDER_WAY.wait(PATIENCE_S)

    def process(self, week: float) -> None:
        self._weeks.append(week)

    def finish_bundle(self) -> Iterator[WindowedValue]:
        yield in_global_window(valid_batch(self._weeks))
        bundles_under_way.leave()
