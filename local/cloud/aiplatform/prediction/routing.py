"""Which deployed model answers a request, and where it listens."""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass

from local.cloud.aiplatform.documents import precondition
from local.cloud.aiplatform.endpoints import traffic
from local.cloud.aiplatform.endpoints.catalog import Endpoints
from local.cloud.aiplatform.endpoints.types import DeployedModel
from local.cloud.aiplatform.serving.deployments import Deployments
from local.cloud.http import ApiError

_SEED = 0


@dataclass(frozen=True)
class Target:
    """A deployed model that is healthy, and the address it is asked at."""

    endpoint: str
    deployed: DeployedModel
    url: str


class Router:
    """Draws deployed models by the traffic split; the same ones for the same sequence of requests.

    Safe for many threads.
    """

    def __init__(self, endpoints: Endpoints, deployments: Deployments) -> None:
        self._endpoints = endpoints
        self._deployments = deployments
        self._chances: dict[str, random.Random] = {}
        self._lock = threading.Lock()

    def target(self, name: str) -> Target:
        """Raises ApiError: 404 without the endpoint, 400 without traffic, 503 while the model's
        process is not healthy."""
        endpoint = self._endpoints.get(name)
        if not endpoint.traffic_split:
            raise precondition(
                f"Endpoint {name} has no deployed model that takes traffic: its traffic_split is "
                "empty."
            )
        deployed = endpoint.deployed(traffic.choose(endpoint.traffic_split, self._chance(name)))
        assert deployed is not None, "a split names deployed models only"
        folder = self._deployments.folder(deployed.id)
        container, port = folder.container(), folder.status().port
        if container is None or port is None:
            raise ApiError(
                503,
                f"The server of DeployedModel {deployed.id} is not healthy: it is starting.",
                "backendError",
            )
        return Target(name, deployed, f"http://127.0.0.1:{port}{container.predict_route}")

    def _chance(self, name: str) -> float:
        with self._lock:
            return self._chances.setdefault(name, random.Random(_SEED)).random()
