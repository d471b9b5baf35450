"""Flex Templates in a local cloud, launched by google-api-python-client."""

from __future__ import annotations

import json
import shutil
from typing import Any

import psutil
import pytest
from googleapiclient.errors import HttpError

from tests.support.dataflow_cloud import (
    BUCKET,
    IMAGE,
    LAUNCHER,
    LOCATION,
    DataflowCloud,
    eventually,
)
from tests.support.local_cloud import PROJECT

MODULES = ("word_template.py", "broken_template.py")
SPEC = {
    "image": IMAGE,
    "metadata": {
        "name": "word_template",
        "description": "Counts words.",
        "parameters": [
            {"name": "source", "label": "source", "helpText": "what to read"},
            {
                "name": "target",
                "label": "target",
                "helpText": "where to write",
                "regexes": ["gs://.+|projects/.+/topics/.+"],
            },
            {"name": "kind", "label": "kind", "helpText": "which pipeline", "isOptional": True},
        ],
    },
    "sdkInfo": {"language": "PYTHON"},
    "defaultEnvironment": {"tempLocation": f"gs://{BUCKET}/temp", "machineType": "n1-standard-2"},
}
BROKEN = {**SPEC, "metadata": {"name": "broken_template"}}
PARAMETERS = {"source": f"gs://{BUCKET}/in/template.txt", "target": f"gs://{BUCKET}/out/template"}


class Templates:
    """Launches of one template by google-api-python-client."""

    def __init__(self, cloud: DataflowCloud) -> None:
        self.cloud = cloud
        for module in MODULES:
            shutil.copy(LAUNCHER.with_name(module), cloud.server.data.with_name("image"))
        self.path = self.keep("template.json", SPEC)
        bucket = cloud.storage.bucket(BUCKET)
        bucket.blob("in/template.txt").upload_from_string("to be or not to be\n")

    def keep(self, name: str, spec: Any) -> str:
        """Puts a container spec into storage."""
        text = spec if isinstance(spec, str) else json.dumps(spec)
        self.cloud.storage.bucket(BUCKET).blob(f"templates/{name}").upload_from_string(text)
        return f"gs://{BUCKET}/templates/{name}"

    def launch(self, name: str, validate: bool = False, **fields: Any) -> dict[str, Any]:
        asked = {"jobName": name, "containerSpecGcsPath": self.path, "parameters": PARAMETERS}
        body = {"launchParameter": {**asked, **fields}, "validateOnly": validate}
        answer: dict[str, Any] = (
            self.cloud.service.projects()
            .locations()
            .flexTemplates()
            .launch(projectId=PROJECT, location=LOCATION, body=body)
            .execute()
        )
        return answer

    def broken(self, name: str, kind: str, **fields: Any) -> str:
        """The id of a launch of the template that describes no job."""
        template = {"containerSpec": BROKEN, "containerSpecGcsPath": None}
        launched = self.launch(name, **template, parameters={"kind": kind}, **fields)
        return str(launched["job"]["id"])

    def launcher(self, job_id: str) -> psutil.Process:
        """The process of a template that runs."""
        [process] = eventually(lambda: self.cloud.processes(job_id, "broken_template"))
        return process

    def failure(self, job_id: str) -> str:
        """The one error of a launch that has failed."""
        assert self.cloud.await_state(job_id, "FAILED", "DONE", "CANCELLED") == "FAILED"
        [error] = self.cloud.messages(job_id, minimumImportance="JOB_MESSAGE_ERROR")
        return str(error["messageText"])

    def refusal(self, **fields: Any) -> HttpError:
        with pytest.raises(HttpError) as refused:
            self.launch("refused", **fields)
        return refused.value
