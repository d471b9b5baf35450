"""Where the files of runs lie, below a service's folder in the work bucket."""

from __future__ import annotations

from dataclasses import dataclass


def runs_root(work_bucket: str, service: str) -> str:
    """Folder of all runs of a service."""
    return f"gs://{work_bucket}/{service}/runs"


@dataclass(frozen=True)
class RunLayout:
    """The files of one run."""

    root: str
    run_key: str

    @property
    def folder(self) -> str:
        return f"{self.root}/{self.run_key}"

    @property
    def plan(self) -> str:
        return f"{self.folder}/plan.json"

    @property
    def last_used(self) -> str:
        """Empty; written anew by every task that is about to rely on what the run has left."""
        return f"{self.folder}/last_used"

    def attempt(self, number: int) -> AttemptLayout:
        return AttemptLayout(f"{self.folder}/{number}")


@dataclass(frozen=True)
class AttemptLayout:
    """The files that one launched job writes; no two jobs write into one attempt."""

    folder: str

    @property
    def predictions(self) -> str:
        return f"{self.folder}/predictions"

    @property
    def dead_letters(self) -> str:
        return f"{self.folder}/dead_letters"

    @property
    def removed(self) -> str:
        """There when predictions and dead letters are not kept any more, or soon will not be: the
        attempt can be read about, not published."""
        return f"{self.folder}/removed.json"

    @property
    def manifest(self) -> str:
        """Written last, and only once: an attempt is complete when this object is there."""
        return f"{self.folder}/manifest.json"

    @property
    def drift(self) -> str:
        """How far the attempt is from training data and other nights, as its last audit saw it."""
        return f"{self.folder}/drift.json"

    @property
    def report(self) -> str:
        """The page that shows the attempt to people, as its last audit saw it."""
        return f"{self.folder}/report.html"
