"""What of Vertex AI the local cloud does not have, each refused by name."""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from local.cloud.aiplatform.requests import LOCATION
from local.cloud.http import unsupported

_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
_VERBS = {
    "models": (
        *("export", "getIamPolicy", "setIamPolicy", "testIamPermissions"),
        *("listCheckpoints", "updateExplanationDataset"),
    ),
    "endpoints": (
        *("mutateDeployedModel", "explain", "directPredict", "directRawPredict", "update"),
        *("streamRawPredict", "serverStreamingPredict", "predictLongRunning"),
        *("fetchPredictOperation", "computeTokens", "countTokens"),
        *("generateContent", "streamGenerateContent"),
    ),
}
_BELOW = {
    "models.operations.cancel": "/models/{model}/operations/{operation}:cancel",
    "endpoints.operations.cancel": "/endpoints/{endpoint}/operations/{operation}:cancel",
    "model evaluation slices": "/models/{model}/evaluations/{evaluation}/slices{rest:path}",
    "the invoke routes of deployed models": "/endpoints/{endpoint}/invoke/{rest:path}",
    "the invoke routes of one deployed model": (
        "/endpoints/{endpoint}/deployedModels/{deployed}/invoke/{rest:path}"
    ),
    "chat completions": "/endpoints/{endpoint}/chat/completions",
}
_RESOURCES = (
    *("batchPredictionJobs", "customJobs", "datasets", "deploymentResourcePools"),
    *("featureGroups", "featureOnlineStores", "featurestores", "hyperparameterTuningJobs"),
    *("indexEndpoints", "indexes", "metadataStores", "modelDeploymentMonitoringJobs"),
    *("nasJobs", "pipelineJobs", "publishers", "reasoningEngines", "schedules"),
    *("specialistPools", "studies", "tensorboards", "trainingPipelines", "tuningJobs"),
)


def refusals() -> list[BaseRoute]:
    """Routes that answer 501 with the name of what is missing."""
    missing = {
        "models.copy": "/models:copy",
        **{
            f"{of}.{verb}": f"/{of}/{{id}}:{verb}" for of, verbs in _VERBS.items() for verb in verbs
        },
        **_BELOW,
        **{name: f"/{name}{{rest:path}}" for name in _RESOURCES},
    }
    return [
        Route(LOCATION + path, _refuse(feature), methods=_METHODS)
        for feature, path in missing.items()
    ]


def _refuse(feature: str) -> Callable[[Request], Response]:
    def answer(_: Request) -> Response:
        raise unsupported(f"{feature} of Vertex AI")

    return answer
