"""Flex Templates, launched by google-api-python-client and gcloud."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from googleapiclient.errors import HttpError

from tests.support.dataflow_cloud import BUCKET, IMAGE, LOCATION, DataflowCloud
from tests.support.local_cloud import PROJECT

MODULE = Path(__file__).with_name("word_template.py")
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
PARAMETERS = {"source": f"gs://{BUCKET}/in/template.txt", "target": f"gs://{BUCKET}/out/template"}


class Templates:
    """Launches of one template by google-api-python-client."""

    def __init__(self, cloud: DataflowCloud) -> None:
        self.cloud = cloud
        shutil.copy(MODULE, cloud.server.data.with_name("image"))
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

    def launched(self, kind: str, **fields: Any) -> str:
        """The id of a job launched with a kind of pipeline, under its name."""
        parameters = {**PARAMETERS, "kind": kind}
        return str(self.launch(kind, parameters=parameters, **fields)["job"]["id"])

    def refusal(self, name: str = "refused", **fields: Any) -> HttpError:
        with pytest.raises(HttpError) as refused:
            self.launch(name, **fields)
        return refused.value


@pytest.fixture(scope="module")
def templates(cloud: DataflowCloud) -> Templates:
    return Templates(cloud)


def test_a_launched_template_becomes_a_job_of_the_same_id(templates: Templates) -> None:
    cloud = templates.cloud
    launched = templates.launch(
        "words",
        environment={
            "numWorkers": 1,
            "maxWorkers": 3,
            "additionalUserLabels": {"team": "night"},
            "additionalExperiments": ["one", "two"],
            "serviceAccountEmail": "worker@example.com",
            "ipConfiguration": "WORKER_IP_PRIVATE",
        },
    )["job"]
    assert launched["currentState"] == "JOB_STATE_QUEUED"
    assert (launched["name"], launched["labels"]) == ("words", {"team": "night"})
    assert cloud.await_state(launched["id"], "DONE", "FAILED") == "DONE"
    assert cloud.text("out/template") == ["6"]
    job = cloud.jobs.get(
        projectId=PROJECT, location=LOCATION, jobId=launched["id"], view="JOB_VIEW_ALL"
    ).execute()
    assert (job["name"], job["type"]) == ("words", "JOB_TYPE_BATCH")
    assert (job["createTime"], job["labels"]) == (launched["createTime"], {"team": "night"})
    options = job["environment"]["sdkPipelineOptions"]["options"]
    assert options["service_account_email"] == "worker@example.com"
    assert {"one", "two"} <= set(job["environment"]["experiments"])
    [pool] = job["environment"]["workerPools"]
    assert (pool["numWorkers"], pool["machineType"]) == (1, "n1-standard-2")
    assert pool["autoscalingSettings"]["maxNumWorkers"] == 3
    assert pool["ipConfiguration"] == "WORKER_IP_PRIVATE"
