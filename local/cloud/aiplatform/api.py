"""The Vertex AI API, v1: models, endpoints, predictions, model evaluations, on this machine."""

from __future__ import annotations

import logging
import threading

from starlette.routing import BaseRoute

from local.cloud.aiplatform.endpoints import works as endpoint_works
from local.cloud.aiplatform.endpoints.api import EndpointsApi
from local.cloud.aiplatform.endpoints.catalog import Endpoints
from local.cloud.aiplatform.evaluations import EvaluationsApi
from local.cloud.aiplatform.models import api as models_api
from local.cloud.aiplatform.models.registry import Registry
from local.cloud.aiplatform.operations import Operations
from local.cloud.aiplatform.operations_api import OperationsApi
from local.cloud.aiplatform.prediction.api import PredictionApi
from local.cloud.aiplatform.prediction.routing import Router
from local.cloud.aiplatform.references import References
from local.cloud.aiplatform.refusals import refusals
from local.cloud.aiplatform.serving.deployments import Deployments, serving_root
from local.cloud.aiplatform.store import Store
from local.cloud.config import CloudConfig
from local.cloud.http import ApiError

log = logging.getLogger(__name__)


class AiplatformApi:
    """Vertex AI by REST; each deployed model runs in processes of its own, which outlive the
    server."""

    def __init__(self, config: CloudConfig) -> None:
        closing = threading.Event()
        self._store = Store(config.data / "aiplatform" / "resources.sqlite")
        self._registry = Registry(self._store, References(self._store))
        self._endpoints = Endpoints(self._store)
        deployments = Deployments(serving_root(config.data))
        self._serving = endpoint_works.Serving(config, self._registry, deployments, closing)
        self._operations = Operations(
            self._store,
            {
                **models_api.works(self._registry),
                **endpoint_works.works(self._endpoints, self._serving),
            },
            closing,
        )
        self._prediction = PredictionApi(
            config, self._registry, Router(self._endpoints, deployments)
        )
        self._apis = (
            OperationsApi(config, self._operations),
            models_api.ModelsApi(config, self._registry, self._operations),
            EvaluationsApi(config, self._store, self._registry),
            EndpointsApi(config, self._endpoints, self._registry, self._operations),
            self._prediction,
        )

    def routes(self) -> list[BaseRoute]:
        return [*refusals(), *(route for api in self._apis for route in api.routes())]

    def start(self) -> None:
        """Finds the deployed models of an earlier server, or starts them again."""
        for endpoint in self._endpoints.all():
            for deployed in endpoint.deployed_models:
                try:
                    self._serving.ensure(endpoint.name, deployed)
                except ApiError as error:
                    log.warning("DeployedModel %s: %s", deployed.id, error.message)
        self._operations.resume()

    def stop(self) -> None:
        """Leaves the deployed models running: see local.cloud.aiplatform.stop."""
        self._operations.close()
        self._prediction.close()
        self._store.close()
