"""flexTemplates.launch: from the request to a queued job."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

from local.cloud.config import CloudConfig
from local.cloud.dataflow import images, views
from local.cloud.dataflow.catalog import Catalog
from local.cloud.dataflow.flex.launch import Launch
from local.cloud.dataflow.flex.request import LaunchParameter, arguments_and_folder, read_launch
from local.cloud.dataflow.flex.spec import ContainerSpec, read_spec
from local.cloud.dataflow.folder import Plan
from local.cloud.dataflow.planning import Machines
from local.cloud.http import ApiError
from local.cloud.storage.store import ObjectStore


class FlexTemplates:
    """Launches templates whose container specs lie in storage."""

    def __init__(self, config: CloudConfig, objects: ObjectStore, catalog: Catalog) -> None:
        self._config = config
        self._objects = objects
        self._catalog = catalog

    def launch(self, project: str, location: str, body: dict[str, Any]) -> dict[str, Any]:
        """The answer to a launch: the queued job, or nothing where it was only to be validated.

        Raises ApiError.
        """
        asked = read_launch(body)
        spec = self._spec(asked)
        image = images.stand_in({spec.image}, self._config.images)
        bucket = f"dataflow-staging-{location}-{project}".replace(":", "-")
        arguments, folder = arguments_and_folder(asked, spec, f"gs://{bucket}")
        service = (
            "--runner=DataflowRunner",
            f"--dataflow_endpoint={self._config.url}",
            f"--project={project}",
            f"--region={location}",
        )
        launch = Launch(spec.module, service + arguments, folder, Machines.of(self._config))
        job = self._queued(project, location, asked, spec)
        if body.get("validateOnly"):
            return {}
        if folder == f"gs://{bucket}":
            self._make_bucket(bucket, location)
        plan = Plan(image.python, image.pythonpath, workers=1)
        record = self._catalog.create(project, location, job, plan, launch.to_json())
        return {"job": views.job_view(record.job, record.status(), "JOB_VIEW_SUMMARY")}

    def _spec(self, asked: LaunchParameter) -> ContainerSpec:
        if asked.spec is not None:
            return read_spec(json.dumps(asked.spec), "containerSpec")
        path = str(asked.spec_path)
        bucket, _, name = path.removeprefix("gs://").partition("/")
        stored = self._objects.get(bucket, name) if path.startswith("gs://") else None
        if stored is None:
            raise ApiError(404, f"Unable to open template file: {path!r}.", "notFound")
        return read_spec(stored.path.read_bytes(), path)

    def _queued(
        self, project: str, location: str, asked: LaunchParameter, spec: ContainerSpec
    ) -> dict[str, Any]:
        """What is known of a job before its template has described it."""
        labels = {**spec.environment, **asked.environment}.get("additionalUserLabels")
        streaming = asked.update or spec.metadata.streaming
        job = {
            "name": asked.job_name,
            "type": "JOB_TYPE_STREAMING" if streaming else "JOB_TYPE_UNKNOWN",
            **({"labels": labels} if labels else {}),
        }
        if asked.update:
            job["replaceJobId"] = self._catalog.running(project, location, asked.job_name)
        return job

    def _make_bucket(self, name: str, location: str) -> None:
        with suppress(ApiError):
            self._objects.create_bucket(name, {"location": location.upper()})
