"""A model as the streaming job serves it: whose it is, and what is known to hang it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from beam_jobs.objects import open_objects
from beam_jobs.prediction.live.suspects_folder import KnownSuspects, SuspectsFolder
from beam_jobs.prediction.models import load_model
from beam_jobs.prediction.pinned import pinned_model
from beam_jobs.prediction.remote.model import RemoteModel
from beam_jobs.prediction.remote.opening import open_remote
from beam_jobs.prediction.scoring import Predicts
from beam_jobs.runs.streaming import ServedModel, StreamingPlan

SUSPECTS_SECONDS = 5.0
"""How old the knowledge of what hung other workers may be."""
FIRST_READING_SECONDS = 30.0
"""How long a worker waits, before the first call of a model, to learn what hung earlier ones."""


class ScoredBy(NamedTuple):
    """What a row says of the model that scored it."""

    model_version: str
    revision: str


@dataclass(frozen=True)
class Served:
    """A model that is ready; its suspects are those of its own revision."""

    model: Predicts | RemoteModel
    by: ScoredBy
    suspects: KnownSuspects


def open_served(plan: StreamingPlan, wanted: ServedModel) -> Served:
    """Loads a model, or opens the endpoint it is deployed on, and begins to read its suspects.

    Raises ModelError where it is not the pinned one, does not fit the plan's spec, or cannot be
    opened.
    """
    pin = wanted.model
    manifest = pinned_model(pin, plan.spec)
    model: Predicts | RemoteModel
    if pin.endpoint and plan.spec.model.endpoint:
        model = open_remote(manifest, pin.endpoint, plan.spec.model.endpoint)
    else:
        model = load_model(pin.uri, manifest, pin.sha256, open_objects(pin.uri))
    folder = SuspectsFolder(f"{plan.root}/suspects", wanted.revision, open_objects(plan.root))
    suspects = KnownSuspects(folder, SUSPECTS_SECONDS)
    suspects.start(FIRST_READING_SECONDS)
    return Served(model, ScoredBy(pin.version, wanted.revision), suspects)
