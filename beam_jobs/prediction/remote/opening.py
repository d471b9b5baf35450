"""Opens a deployed model, by what a plan pins of it."""

from __future__ import annotations

from beam_jobs.prediction.manifest import ModelManifest
from beam_jobs.prediction.remote.client import EndpointClient
from beam_jobs.prediction.remote.model import RemoteModel
from beam_jobs.runs.plan import EndpointPin
from beam_jobs.spec.model import EndpointSpec


def open_remote(manifest: ModelManifest, pin: EndpointPin, spec: EndpointSpec) -> RemoteModel:
    """The model of that description on that endpoint; nothing is asked yet."""
    client = EndpointClient(pin, spec.concurrency, spec.timeout_seconds)
    return RemoteModel(manifest, pin, spec, client)
