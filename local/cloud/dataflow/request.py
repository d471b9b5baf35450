"""Reading a request to create a job: what it asks for, and whether the service would accept it."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from local.cloud.dataflow import enums
from local.cloud.http import ApiError, unsupported

_NAME = re.compile(r"[a-z]([-a-z0-9]{0,1022}[a-z0-9])?")
_CREATED = (
    "name",
    "type",
    "clientRequestId",
    "labels",
    "environment",
    "replaceJobId",
    "transformNameMapping",
)


def job_of(body: dict[str, Any]) -> dict[str, Any]:
    """The part of a job resource that the client chooses. Raises ApiError."""
    job = {key: body[key] for key in _CREATED if body.get(key)}
    job["type"] = enums.name_of(body.get("type"), enums.JOB_TYPE, "job.type")
    _refuse_what_is_missing(body, job["type"])
    check_name(job.get("name"))
    check_labels(job.get("labels", {}))
    _check_mapping(job.get("transformNameMapping", {}))
    if not isinstance(job.get("environment"), dict) or "pipelineUrl" not in options_of(job):
        raise unsupported("jobs without a staged portable pipeline (pipelineUrl)")
    return job


def options_of(job: dict[str, Any]) -> dict[str, Any]:
    """The pipeline options."""
    options: dict[str, Any] = job["environment"].get("sdkPipelineOptions", {}).get("options", {})
    return options


def workers_of(job: dict[str, Any]) -> int:
    """How many worker processes: one for a streaming job; else numWorkers, or one where the service
    would scale by itself."""
    if job["type"] == "JOB_TYPE_STREAMING":
        return 1
    return max([int(pool.get("numWorkers") or 1) for pool in _pools(job)], default=1)


def max_workers_of(job: dict[str, Any]) -> int | None:
    """The most workers that the job was submitted with; None where it did not say."""
    settings = (pool.get("autoscalingSettings", {}) for pool in _pools(job))
    return max([int(s.get("maxNumWorkers") or 0) for s in settings], default=0) or None


def images_of(job: dict[str, Any]) -> set[str]:
    """The names of the container images that the workers are to run in."""
    images = {
        sdk.get("containerImage")
        for pool in _pools(job)
        for sdk in pool.get("sdkHarnessContainerImages", [])
    } or {pool.get("workerHarnessContainerImage") for pool in _pools(job)}
    return {image for image in images if image}


def _pools(job: dict[str, Any]) -> list[dict[str, Any]]:
    pools: list[dict[str, Any]] = job["environment"].get("workerPools", [])
    return pools


def _refuse_what_is_missing(body: dict[str, Any], job_type: str) -> None:
    if body.get("createdFromSnapshotId"):
        raise unsupported("Dataflow snapshots (createdFromSnapshotId)")
    if job_type not in ("JOB_TYPE_BATCH", "JOB_TYPE_STREAMING"):
        raise ApiError(400, "The job's type must be JOB_TYPE_BATCH or JOB_TYPE_STREAMING.")


def check_name(name: Any) -> None:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ApiError(
            400,
            f"The workflow could not be created. Causes: invalid job name {name!r}: it must "
            "consist of only the characters [-a-z0-9], starting with a letter and ending with a "
            "letter or number",
        )


def check_labels(labels: dict[str, Any]) -> None:
    if len(labels) > 64:
        raise ApiError(400, f"A job can have at most 64 labels; this one has {len(labels)}.")
    for key, value in labels.items():
        if not key or unicodedata.category(key[0]) not in ("Ll", "Lo") or not _is_label(key):
            raise ApiError(
                400,
                f"Invalid label key {key!r}: at most 63 lower-case letters, digits, '_' and '-', "
                "starting with a letter.",
            )
        if not isinstance(value, str) or not _is_label(value):
            raise ApiError(
                400,
                f"Invalid value {value!r} of label {key!r}: at most 63 lower-case letters, "
                "digits, '_' and '-'.",
            )


def _check_mapping(mapping: Any) -> None:
    if not isinstance(mapping, dict) or not all(isinstance(to, str) for to in mapping.values()):
        raise ApiError(400, f"Invalid value at 'job.transformNameMapping': {mapping!r}")


def _is_label(text: str) -> bool:
    return (
        len(text) <= 63
        and len(text.encode()) <= 128
        and all(
            c in "_-" or unicodedata.category(c) in ("Ll", "Lo", "Nd", "Nl", "No") for c in text
        )
    )
