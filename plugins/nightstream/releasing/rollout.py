"""What is next for an endpoint. Pure: what is seen there, and what a release wants.

Each decision is taken anew from what is seen, so that a task that was killed, or runs twice, goes
on where it stands.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from beam_jobs.prediction.remote.deployment import Deployed
from beam_jobs.runs.plan import ModelPin
from nightstream.releasing.traffic import NEW, with_share, without

_ID_DIGITS = 10
"""Vertex AI takes no longer ids of deployed models."""


@dataclass(frozen=True)
class Endpoint:
    """An endpoint as it is now."""

    name: str
    etag: str
    """Changes with it: a change that was decided on from something else is refused."""
    deployed: Sequence[Deployed]
    traffic: Mapping[str, int]

    def has(self, deployed_id: str) -> bool:
        return any(model.id == deployed_id for model in self.deployed)

    def share(self, deployed_id: str) -> int:
        """Percent of the traffic."""
        return self.traffic.get(deployed_id, 0)

    def serving(self, pin: ModelPin | None) -> str | None:
        """The deployed model of a version; of several the one with most traffic."""
        folder = pin.uri.rstrip("/") if pin else None
        ids = [m.id for m in self.deployed if m.artifact_uri.rstrip("/") == folder]
        return max(ids, key=lambda id_: (self.share(id_), id_), default=None)


@dataclass(frozen=True)
class Deploy:
    """Deploy the model, with this split ("0" is the new one); an empty one leaves the traffic."""

    traffic: Mapping[str, int]


@dataclass(frozen=True)
class Shift:
    """Give the endpoint this split."""

    traffic: Mapping[str, int]


@dataclass(frozen=True)
class Undeploy:
    """Take this deployed model away, and leave that split."""

    deployed_id: str
    traffic: Mapping[str, int]


@dataclass(frozen=True)
class Done:
    """The endpoint is as the release wants it."""

    reason: str


@dataclass(frozen=True)
class Missing:
    """What should be deployed is not."""

    reason: str


def deployed_id_of(pin: ModelPin) -> str:
    """The id under which a version is deployed: ten digits, derived from folder and artifact."""
    digest = hashlib.sha256(f"{pin.uri}\n{pin.sha256}".encode()).hexdigest()
    lowest = 10 ** (_ID_DIGITS - 1)
    return str(lowest + int(digest, 16) % (9 * lowest))


def next_deployment(endpoint: Endpoint, candidate: ModelPin, percent: int) -> Deploy | Shift | Done:
    """Towards the candidate deployed with at least that share, which it gets once it is healthy."""
    id_ = endpoint.serving(candidate)
    if id_ is None:
        return Deploy({} if any(endpoint.traffic.values()) else {NEW: 100})
    if endpoint.share(id_) >= percent:
        return Done(f"deployed model {id_} has {endpoint.share(id_)} % of the traffic")
    return Shift(with_share(endpoint.traffic, id_, percent))


def next_shift(endpoint: Endpoint, candidate: ModelPin) -> Shift | Done | Missing:
    """Towards the candidate with all of the traffic."""
    id_ = endpoint.serving(candidate)
    if id_ is None:
        return Missing(f"{candidate.uri} is not deployed on {endpoint.name} any more")
    if endpoint.share(id_) == 100:
        return Done(f"deployed model {id_} has all of the traffic")
    return Shift({id_: 100})


def next_retirement(
    endpoint: Endpoint, candidate: ModelPin, old: ModelPin | None
) -> Undeploy | Done:
    """Towards the old champion undeployed, unless it has traffic again: somebody decided so."""
    id_ = endpoint.serving(old)
    if id_ is None:
        return Done("nothing of the old champion is deployed")
    if endpoint.share(id_) or endpoint.share(endpoint.serving(candidate) or "") != 100:
        return Done(f"the traffic is {dict(endpoint.traffic)}: {id_} is left deployed")
    return Undeploy(id_, without(endpoint.traffic, id_, None))


def next_withdrawal(
    endpoint: Endpoint, candidate: ModelPin, champion: ModelPin | None
) -> Shift | Undeploy | Done:
    """Towards the champion with all of the traffic, and the candidate undeployed."""
    id_, heir = endpoint.serving(candidate), endpoint.serving(champion)
    if id_ is None:
        return Done(f"{candidate.uri} is not deployed")
    rest = without(endpoint.traffic, id_, heir)
    if endpoint.share(id_) and len(endpoint.deployed) > 1:
        return Shift(rest)
    return Undeploy(id_, rest)
