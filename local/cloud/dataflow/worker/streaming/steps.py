"""The context in which a step's code runs: its name and the counters it adds to."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from apache_beam.metrics import monitoring_infos
from apache_beam.metrics.execution import MetricsContainer
from apache_beam.pipeline import AppliedPTransform
from apache_beam.runners.worker import statesampler
from apache_beam.utils.counters import CounterFactory


class Steps:
    """Metrics of all steps, kept for as long as the process lives."""

    def __init__(self) -> None:
        self._sampler = statesampler.StateSampler("", CounterFactory())
        self._containers: dict[AppliedPTransform, MetricsContainer] = {}
        self._states: dict[AppliedPTransform, AbstractContextManager[Any]] = {}
        self.busy_since: float | None = None
        """Since when the code has been at the same element."""
        self._elements: dict[tuple[str, str | None], int] = {}

    def attach(self) -> None:
        """Makes the calling thread the one that counts."""
        statesampler.set_current_tracker(self._sampler)

    def running(self, step: AppliedPTransform) -> AbstractContextManager[Any]:
        """Within it, metrics are those of the step."""
        if step not in self._states:
            self._containers[step] = MetricsContainer(step.full_label)
            self._states[step] = self._sampler.scoped_state(
                step.full_label, "process", metrics_container=self._containers[step]
            )
        return self._states[step]

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Within it, code of the pipeline runs, as if at one element."""
        self.at_element()
        try:
            yield
        finally:
            self.at_rest()

    def at_element(self) -> None:
        """Notes that the code has come to another element, or to the end of a bundle."""
        self.busy_since = time.monotonic()

    def at_rest(self) -> None:
        """Notes that no code of the pipeline runs."""
        self.busy_since = None

    def count(self, step: AppliedPTransform, tag: str | None, elements: int) -> None:
        """Elements that a step put out."""
        key = (step.full_label, tag)
        self._elements[key] = self._elements.get(key, 0) + elements

    def infos(self, collections: dict[tuple[str, str | None], str]) -> Iterator[Any]:
        """Beam's monitoring infos; `collections` are the pipeline's, by step and output."""
        for step, container in list(self._containers.items()):
            yield from container.to_runner_api_monitoring_infos(step.full_label).values()
        for key, count in list(self._elements.items()):
            if key in collections:
                yield monitoring_infos.int64_counter(
                    monitoring_infos.ELEMENT_COUNT_URN, count, pcollection=collections[key]
                )
