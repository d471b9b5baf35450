"""Counts what was scored, for drift; beside the data path, which nothing here can hold up."""

from __future__ import annotations

from functools import partial

import apache_beam as beam
from apache_beam.utils.shared import Shared

from beam_jobs.runs.streaming import StreamingPlan
from beam_jobs.transforms.elements import ScoredRequests
from beam_jobs.transforms.live_profiles import LiveProfiles


class ProfileLive(beam.DoFn):
    """ScoredRequests → nothing; a row in the table of profiles about every minute.

    All threads of a process count together.
    """

    def __init__(self, plan: StreamingPlan) -> None:
        self._plan = plan
        self._shared = Shared()

    def setup(self) -> None:
        self._profiles: LiveProfiles = self._shared.acquire(partial(LiveProfiles.of, self._plan))

    def process(self, batch: ScoredRequests) -> None:
        if batch.outputs.num_rows:
            self._profiles.add(batch)

    def teardown(self) -> None:
        self._profiles.flush()
