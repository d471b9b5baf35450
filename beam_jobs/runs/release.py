"""The plan of one release: which version is to take the place of which, and what it is judged by.

One task of the DAG writes it, all others and the evaluation rely on it. Its key is derived from all
of it: the same release, asked for again, finds what the first one did.
"""

from __future__ import annotations

import hashlib
import json
from enum import StrEnum

from beam_jobs.runs.plan import InputObject, ModelPin, Pinned
from beam_jobs.spec.release import Metric, ReleaseSpec
from beam_jobs.spec.service import ServiceSpec

KEY_LENGTH = 40
"""Hex digits; label values end at 63 characters."""


class Action(StrEnum):
    """What a person may ask for."""

    RELEASE = "release"
    ROLL_BACK = "roll_back"


class ReleasePlan(Pinned):
    """From one champion to the next."""

    action: Action
    spec: ServiceSpec
    candidate: ModelPin
    champion: ModelPin | None
    """What the alias named when the release began; None before the first one."""
    held_out: InputObject | None
    """None for a roll-back, which is not evaluated."""
    code_version: str
    root: str
    """Folder of all releases of the service."""

    @property
    def release(self) -> ReleaseSpec:
        """What the spec says of releases; a service without it has no such plan."""
        assert self.spec.model.release is not None
        return self.spec.model.release

    @property
    def key(self) -> str:
        """Differs as soon as anything differs but the place of the release's own files."""
        identity = self.model_dump(mode="json", exclude={"root"})
        text = json.dumps(identity, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:KEY_LENGTH]

    @property
    def folder(self) -> str:
        return f"{self.root}/{self.key}"

    @property
    def uri(self) -> str:
        """Where the plan itself lies."""
        return f"{self.folder}/plan.json"

    @property
    def evaluation_uri(self) -> str:
        """Where the evaluation lies, once it is done; it is written once."""
        return f"{self.folder}/evaluation.json"

    def operation_uri(self, step: str) -> str:
        """Where a step remembers the long-running operation that it waits for."""
        return f"{self.folder}/{step}.json"


class Figures(Pinned):
    """How one version did on the held-out rows."""

    version: str
    value: float
    """Of the metric, over the rows that every version scored."""
    failed: int
    """Held-out rows that it gave no number for."""


class Evaluation(Pinned):
    """How candidate and champion did on the same rows."""

    key: str
    """Of the release."""
    metric: Metric
    rows: int
    """Held-out rows that keep the contract and have a label."""
    left_out: int
    """Rows that break the contract or have no label."""
    compared: int
    """Rows that every version scored."""
    candidate: Figures
    champion: Figures | None


def releases_root(work_bucket: str, service: str) -> str:
    """Folder of all that a service's releases keep in the work bucket."""
    return f"gs://{work_bucket}/{service}/releases"
