"""What a client asks for when it launches a Flex Template."""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from local.cloud.dataflow.flex.environment import PIPELINE_OPTIONS, arguments_of
from local.cloud.dataflow.flex.spec import ContainerSpec, check_parameters
from local.cloud.dataflow.request import check_labels, check_name
from local.cloud.http import ApiError, unsupported


class LaunchParameter(BaseModel):
    """What a client asks for (LaunchFlexTemplateParameter)."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    job_name: str = Field(alias="jobName")
    spec_path: str | None = Field(None, alias="containerSpecGcsPath")
    spec: dict[str, Any] | None = Field(None, alias="containerSpec")
    parameters: dict[str, str] = {}
    environment: dict[str, Any] = {}
    update: bool = False
    mapping: dict[str, str] = Field({}, alias="transformNameMappings")
    options: dict[str, str] = Field({}, alias="launchOptions")


def read_launch(body: dict[str, Any]) -> LaunchParameter:
    """The launch parameter of a request. Raises ApiError."""
    try:
        asked = LaunchParameter.model_validate(body.get("launchParameter"))
    except ValidationError as error:
        problems = "; ".join(
            f"launch_parameter.{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()
        )
        raise ApiError(400, f"Invalid value at {problems}") from error
    if asked.options:
        raise unsupported("launchOptions of a Flex Template")
    if (asked.spec is None) == (asked.spec_path is None):
        raise ApiError(400, "A launch names either containerSpecGcsPath or containerSpec.")
    if asked.mapping and not asked.update:
        raise ApiError(400, "transformNameMappings are for the update of a running job.")
    check_name(asked.job_name)
    check_labels(asked.environment.get("additionalUserLabels", {}))
    return asked


def arguments_and_folder(
    asked: LaunchParameter, spec: ContainerSpec, default_folder: str
) -> tuple[tuple[str, ...], str]:
    """The arguments that a launch gives its module, and the folder (gs://) it stages to:
    `default_folder` where it names neither temp nor staging location.

    Raises ApiError where the template does not take what the launch gives.
    """
    check_parameters(spec, asked.parameters, PIPELINE_OPTIONS)
    environment = {**spec.environment, **asked.environment}
    temp = environment.get("tempLocation") or asked.parameters.get("temp_location")
    staging = environment.get("stagingLocation") or asked.parameters.get("staging_location")
    folder = str(staging or temp or default_folder).rstrip("/")
    arguments = [f"--job_name={asked.job_name}", *arguments_of(environment, asked.parameters)]
    if not temp:
        arguments.append(f"--temp_location={folder}")
    return (*arguments, *_update_of(asked)), folder


def _update_of(asked: LaunchParameter) -> list[str]:
    if not asked.update:
        return []
    mapping = [f"--transform_name_mapping={json.dumps(asked.mapping)}"] if asked.mapping else []
    return ["--update", *mapping]
