"""A launch's environment (FlexTemplateRuntimeEnvironment) as options of a Python pipeline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local.cloud.dataflow import enums
from local.cloud.http import ApiError, unsupported

_OPTIONS = {
    "diskSizeGb": "disk_size_gb",
    "enableStreamingEngine": "enable_streaming_engine",
    "kmsKeyName": "dataflow_kms_key",
    "machineType": "machine_type",
    "maxWorkers": "max_num_workers",
    "network": "network",
    "numWorkers": "num_workers",
    "sdkContainerImage": "sdk_container_image",
    "serviceAccountEmail": "service_account_email",
    "stagingLocation": "staging_location",
    "subnetwork": "subnetwork",
    "tempLocation": "temp_location",
    "workerRegion": "worker_region",
    "workerZone": "worker_zone",
    "zone": "zone",
}
_CHOICES = {
    "autoscalingAlgorithm": (
        enums.AUTOSCALING_ALGORITHM,
        ("", "--autoscaling_algorithm=NONE", "--autoscaling_algorithm=THROUGHPUT_BASED"),
    ),
    "flexrsGoal": (
        enums.FLEXRS_GOAL,
        ("", "--flexrs_goal=SPEED_OPTIMIZED", "--flexrs_goal=COST_OPTIMIZED"),
    ),
    "ipConfiguration": (
        enums.IP_CONFIGURATION,
        ("", "--use_public_ips", "--no_use_public_ips"),
    ),
}
"""Enums, and the argument for each of their values."""

_LISTS = ("additionalExperiments", "additionalPipelineOptions", "additionalUserLabels")
_WITHOUT_EFFECT = ("launcherMachineType",)

PIPELINE_OPTIONS = frozenset(_OPTIONS.values())
"""The options that a launch may also give as parameters, whatever the template."""


def arguments_of(environment: Mapping[str, Any], parameters: Mapping[str, str]) -> list[str]:
    """The command line of the pipeline: parameters and options. Raises ApiError."""
    known = {*_OPTIONS, *_CHOICES, *_LISTS, *_WITHOUT_EFFECT}
    if unknown := sorted(set(environment) - known):
        raise unsupported(f"the environment of a Flex Template: {', '.join(unknown)}")
    for field, option in _OPTIONS.items():
        if environment.get(field) and option in parameters:
            raise ApiError(
                400,
                f"Runtime parameter {option} should not be specified in both parameters field "
                "and environment field. Specifying runtime parameters in environment field is "
                "recommended.",
            )
    return [f"--{name}={value}" for name, value in parameters.items()] + _options(environment)


def _options(environment: Mapping[str, Any]) -> list[str]:
    given = {field: value for field, value in environment.items() if value}
    arguments = [
        f"--{option}" if given[field] is True else f"--{option}={given[field]}"
        for field, option in _OPTIONS.items()
        if field in given
    ]
    for field, (names, choices) in _CHOICES.items():
        arguments.append(choices[names.index(enums.name_of(given.get(field), names, field))])
    arguments += [f"--labels={k}={v}" for k, v in given.get("additionalUserLabels", {}).items()]
    arguments += [f"--experiments={name}" for name in given.get("additionalExperiments", [])]
    more = given.get("additionalPipelineOptions", [])
    arguments += [f"--{option.removeprefix('--')}" for option in more]
    return [argument for argument in arguments if argument]
