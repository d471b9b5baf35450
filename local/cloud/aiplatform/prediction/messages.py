"""What goes to a container and what comes back, as the service reads them."""

from __future__ import annotations

from typing import Any

import orjson

from local.cloud.aiplatform.endpoints.types import DeployedModel
from local.cloud.aiplatform.names import last
from local.cloud.aiplatform.prediction.container_client import ContainerAnswer
from local.cloud.http import ApiError

MOST_BYTES = 3 * 512 * 1024
"""1.5 MB; the service counts in 1,024."""
_FIELDS = {"instances", "parameters", "labels"}


def check_size(body: bytes) -> None:
    """Raises ApiError 400, in the service's words."""
    if len(body) > MOST_BYTES:
        raise ApiError(
            400,
            f"The request size ({len(body)} bytes) exceeds 1.500MB limit.",
            "failedPrecondition",
            "FAILED_PRECONDITION",
        )


def check_request(body: bytes) -> None:
    """Whether this is a PredictRequest. Raises ApiError 400."""
    try:
        request = orjson.loads(body)
    except ValueError as error:
        raise ApiError(400, f"Invalid JSON payload received. {error}", "parseError") from error
    if not isinstance(request, dict):
        raise ApiError(400, "Invalid JSON payload received. It is not an object.", "parseError")
    if unknown := sorted(set(request) - _FIELDS):
        raise ApiError(
            400,
            f'Invalid JSON payload received. Unknown name "{unknown[0]}": Cannot find field.',
        )
    instances = request.get("instances")
    if not isinstance(instances, list) or not instances:
        raise ApiError(400, "Required field is not set: instances, a list of at least one.")


def predict_answer(
    answer: ContainerAnswer, deployed: DeployedModel, display_name: str
) -> dict[str, Any]:
    """The PredictResponse. Raises ApiError where the container did not predict."""
    if answer.status != 200:
        raise ApiError(answer.status if answer.status >= 400 else 500, answer.text[:10_000])
    try:
        said = orjson.loads(answer.body)
    except ValueError as error:
        raise _invalid(f"not JSON ({error})", answer) from error
    if not isinstance(said, dict) or not isinstance(said.get("predictions"), list):
        raise _invalid("without a list of predictions", answer)
    shown = {
        "predictions": said["predictions"],
        "deployedModelId": deployed.id,
        "model": deployed.model,
        "modelDisplayName": display_name,
        "modelVersionId": deployed.model_version_id,
    }
    return {**shown, **({"metadata": said["metadata"]} if "metadata" in said else {})}


def raw_headers(endpoint: str, deployed: DeployedModel) -> dict[str, str]:
    """Who answered a rawPredict."""
    return {
        "x-vertex-ai-endpoint-id": last(endpoint),
        "x-vertex-ai-deployed-model-id": deployed.id,
        "x-vertex-ai-model": deployed.model,
        "x-vertex-ai-model-version-id": deployed.model_version_id,
    }


def _invalid(how: str, answer: ContainerAnswer) -> ApiError:
    message = f"The model server's answer is {how}: {answer.text[:200]!r}"
    return ApiError(500, message, "backendError")
