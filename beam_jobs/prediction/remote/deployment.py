"""Which endpoint a plan pins, and which model deployed on it may answer a night."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from beam_jobs.prediction.versions import ModelError


class OtherTrafficError(ModelError):
    """The version is deployed, but others have traffic too: while it is being released, for one."""


@dataclass(frozen=True)
class Deployed:
    """A model deployed on an endpoint."""

    id: str
    artifact_uri: str
    """Folder of its version, as the Model Registry has it."""


def endpoint_of(name: str, found: Sequence[str]) -> str:
    """The one endpoint that bears a display name. Raises ModelError where there is not just one.

    found: resource names of the endpoints that do.
    """
    if len(found) == 1:
        return found[0]
    listed = f"{len(found)} endpoints are" if found else "no endpoint is"
    raise ModelError(
        f"{listed} called {name!r} ({', '.join(found) or 'in that project and region'}). "
        "Remedy: write the id of the endpoint into model.endpoint.name of the spec"
    )


def deployment_of(
    folder: str, endpoint: str, deployed: Sequence[Deployed], traffic: Mapping[str, int]
) -> str:
    """The id of the deployed model that is the version in that folder, and answers alone.

    traffic: percent by id. Raises ModelError, which is OtherTrafficError where
    that may change by itself.
    """
    ids = [model.id for model in deployed if model.artifact_uri.rstrip("/") == folder.rstrip("/")]
    answering = [id_ for id_, percent in traffic.items() if percent]
    if not ids:
        others = ", ".join(sorted(model.artifact_uri for model in deployed)) or "nothing"
        raise ModelError(
            f"{folder} is not deployed on {endpoint}, which has: {others}. Remedy: deploy that "
            "version, or move the alias back to the version that is deployed"
        )
    if len(answering) != 1 or answering[0] not in ids:
        shares = ", ".join(f"{id_}: {percent} %" for id_, percent in sorted(traffic.items()))
        raise OtherTrafficError(
            f"a night is scored by one model, but the traffic of {endpoint} is {shares or 'none'}; "
            f"{folder} is deployed as {', '.join(ids)}. Remedy: give it all of the traffic"
        )
    return answering[0]
