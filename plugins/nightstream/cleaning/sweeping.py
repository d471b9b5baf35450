"""Removes what is to go. Each step may be the last one of a process: the next sweep goes on."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from beam_jobs.objects import Objects
from beam_jobs.runs.layout import AttemptLayout, RunLayout
from nightstream.cleaning.inventory import Bundle

log = logging.getLogger(__name__)

MOST_FILES = 20_000
"""So many files go in one sweep, and the next one removes more: no sweep takes hours."""


@dataclass
class Sweeper:
    """Removes files, `most` of them altogether."""

    objects: Objects
    most: int = MOST_FILES
    removed: int = 0

    def remove_runs(self, runs: Iterable[Bundle]) -> None:
        """Removes the data of runs, unless somebody begins to use one at this very moment."""
        for run in self._within_bounds(runs):
            if self._marked(run):
                self._remove(run)
            else:
                log.info("%s is in use again: it stays", run.folder)

    def remove_all(self, bundles: Iterable[Bundle]) -> None:
        """Removes all files of the bundles."""
        for bundle in self._within_bounds(bundles):
            self._remove(bundle)

    def _within_bounds(self, bundles: Iterable[Bundle]) -> Iterator[Bundle]:
        for bundle in bundles:
            if self.removed >= self.most:
                log.warning("%d files are removed: the rest is left to the next sweep", self.most)
                return
            yield bundle

    def _remove(self, bundle: Bundle) -> None:
        for file in bundle.files[: self.most - self.removed]:
            self.objects.delete(file.uri)
            self.removed += 1

    def _marked(self, run: Bundle) -> bool:
        """Says that the run's files are gone, before they are; False where somebody was faster.

        Who relies on the files marks the run as used, and looks for this mark afterwards.
        """
        marks = {_attempt(file.uri).removed for file in run.files}
        for mark in marks:
            self.objects.put(mark, b"{}")
        layout = RunLayout(run.folder.rpartition("/")[0], run.name)
        used = self.objects.stat(layout.last_used)
        if used is None or used.updated <= run.last_used:
            return True
        for mark in marks:
            self.objects.delete(mark)
        return False


def _attempt(uri: str) -> AttemptLayout:
    """The attempt that a data file belongs to."""
    return AttemptLayout(uri.rsplit("/", 2)[0])
