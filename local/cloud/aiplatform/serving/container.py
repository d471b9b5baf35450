"""The container of a deployed model, by Vertex's contract for custom containers."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from local.cloud.aiplatform.endpoints.types import DeployedModel
from local.cloud.aiplatform.models.types import ContainerSpec, ModelVersion
from local.cloud.aiplatform.names import last
from local.cloud.aiplatform.serving.folder import Container
from local.cloud.config import CloudConfig, WorkerImage
from local.cloud.http import ApiError
from local.cloud.supervised import environment_of

_PYTHON = ("python", "python3")


@dataclass(frozen=True)
class Routes:
    """Where the container answers, with Vertex's defaults."""

    health: str
    predict: str

    @classmethod
    def of(cls, spec: ContainerSpec, endpoint: str, deployed: str) -> Routes:
        default = f"/v1/endpoints/{last(endpoint)}/deployedModels/{deployed}"
        return cls(spec.health_route or default, spec.predict_route or f"{default}:predict")


def image_of(config: CloudConfig, spec: ContainerSpec) -> WorkerImage:
    """What stands in for the image. Raises ApiError 400 where nothing does."""
    image = config.images.get(spec.image_uri)
    if image is None:
        raise ApiError(
            400,
            f"The local cloud does not know the image {spec.image_uri!r}. Start it with --image "
            f"{spec.image_uri}=PYTHON[:PATH…] to say which interpreter stands in for it.",
        )
    if not (spec.command or image.entrypoint):
        raise ApiError(
            400,
            f"The local cloud does not know what the image {spec.image_uri!r} runs. Start it with "
            f"--entrypoint '{spec.image_uri}=python -m MODULE …', or give the containerSpec a "
            "command.",
        )
    return image


def container_of(
    config: CloudConfig, endpoint: str, deployed: DeployedModel, version: ModelVersion
) -> Container:
    """How the deployed model is served. Raises ApiError 400."""
    spec = version.content.container_spec
    if spec is None:
        raise ApiError(400, f"{version.name} has no container_spec and cannot be deployed.")
    image = image_of(config, spec)
    routes = Routes.of(spec, endpoint, deployed.id)
    program, *rest = spec.command or image.entrypoint
    given = [(variable.name, variable.value) for variable in spec.env]
    variables = _service_variables(endpoint, deployed, version, routes)
    return Container(
        command=(image.python if program in _PYTHON else program, *rest),
        args=tuple(spec.args),
        variables=(*variables.items(), *given),
        environment=_environment(config, image),
        health_route=routes.health,
        predict_route=routes.predict,
    )


def _service_variables(
    endpoint: str, deployed: DeployedModel, version: ModelVersion, routes: Routes
) -> Mapping[str, str]:
    variables = {
        "AIP_MODE": "PREDICTION",
        "AIP_MODE_VERSION": "1.0.0",
        "AIP_FRAMEWORK": "CUSTOM_CONTAINER",
        "AIP_PROJECT_NUMBER": endpoint.split("/")[1],
        "AIP_ENDPOINT_ID": last(endpoint),
        "AIP_DEPLOYED_MODEL_ID": deployed.id,
        "AIP_MODEL_NAME": last(deployed.model),
        "AIP_VERSION_NAME": version.number,
        "AIP_MACHINE_TYPE": deployed.dedicated_resources.machine_spec.machine_type,
        "AIP_HEALTH_ROUTE": routes.health,
        "AIP_PREDICT_ROUTE": routes.predict,
        "AIP_STORAGE_URI": version.content.artifact_uri,
    }
    return {name: value for name, value in variables.items() if value}


def _environment(config: CloudConfig, image: WorkerImage) -> dict[str, str]:
    """The server's own, with the image's programs and code."""
    environment = environment_of(config.url, os.environ)
    environment["PATH"] = os.pathsep.join([str(Path(image.python).parent), os.environ["PATH"]])
    environment["PYTHONPATH"] = os.pathsep.join(image.pythonpath)
    environment["PYTHONUNBUFFERED"] = "1"
    return environment
