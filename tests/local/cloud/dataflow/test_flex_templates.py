"""Flex Templates, launched by google-api-python-client."""

from __future__ import annotations

import json
from typing import Any

import pytest
from googleapiclient.errors import HttpError

from tests.support.dataflow_cloud import BUCKET, LOCATION, DataflowCloud, eventually
from tests.support.flex_templates import BROKEN, PARAMETERS, SPEC, Templates
from tests.support.local_cloud import PROJECT


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


def test_a_failing_launcher_fails_the_job_and_tells_the_end_of_its_output(
    templates: Templates,
) -> None:
    said = templates.failure(templates.broken("failing", "failing"))
    assert said.startswith("Template launch failed. The launcher ended with code 1.")
    assert "started as failing" in said
    assert "ValueError: there is no such model" in said


def test_a_template_that_runs_no_pipeline_fails_the_job(templates: Templates) -> None:
    job_id = templates.broken("forgetful", "forgetful")
    assert f"described no job at gs://{BUCKET}/temp/template_launches/{job_id}/" in (
        templates.failure(job_id)
    )


def test_a_killed_launcher_fails_the_job(templates: Templates) -> None:
    job_id = templates.broken("killed", "waiting")
    templates.launcher(job_id).kill()
    assert "ended by SIGKILL" in templates.failure(job_id)


def test_a_queued_job_is_cancelled_with_its_launcher_and_not_drained(templates: Templates) -> None:
    cloud = templates.cloud
    job_id = templates.broken("cancelled", "waiting")
    launcher = templates.launcher(job_id)
    with pytest.raises(HttpError, match="drain not allowed: the job is queued") as refused:
        cloud.drain(job_id)
    assert refused.value.status_code == 400
    cloud.cancel(job_id)
    assert cloud.await_state(job_id, "CANCELLED", "FAILED") == "CANCELLED"
    assert not launcher.is_running()


def test_a_launch_under_an_active_name_is_answered_with_the_active_job(
    templates: Templates,
) -> None:
    job_id = templates.broken("twice", "waiting")
    assert templates.broken("twice", "waiting") == job_id
    templates.cloud.cancel(job_id)
    templates.cloud.await_state(job_id, "CANCELLED")


def test_a_launch_outlives_the_server_and_not_its_own_supervisor(templates: Templates) -> None:
    cloud = templates.cloud
    kept, lost = (templates.broken(name, "waiting") for name in ("kept", "lost"))
    orphan = templates.launcher(lost)
    templates.launcher(kept)
    cloud.server.kill()
    [supervisor] = cloud.processes(lost, "flex.launcher")
    supervisor.kill()
    cloud.start()
    assert cloud.state(kept) == "QUEUED"
    assert "its supervisor was killed" in templates.failure(lost)
    eventually(lambda: not orphan.is_running())
    cloud.cancel(kept)
    assert cloud.await_state(kept, "CANCELLED", "FAILED") == "CANCELLED"


def test_a_launch_that_is_only_validated_makes_no_job(templates: Templates) -> None:
    assert templates.launch("validated", validate=True) == {}
    jobs = templates.cloud.jobs.list(projectId=PROJECT, location=LOCATION, name="validated")
    assert jobs.execute()["jobs"] == []


def test_parameters_are_checked_against_the_template_all_at_once(templates: Templates) -> None:
    error = templates.refusal(parameters={"target": "a-file", "typo": "1", "num_workers": "2"})
    assert error.status_code == 400
    body = json.loads(error.content)["error"]
    assert body["message"] == (
        "The template parameters are invalid. Details: \n"
        "source: Missing required parameter\n"
        "target: Parameter didn't match regex 'gs://.+|projects/.+/topics/.+'\n"
        "typo: Unrecognized parameter"
    )
    assert [v["parameter"] for v in body["details"][0]["parameterViolations"]] == [
        "source",
        "target",
        "typo",
    ]


@pytest.mark.parametrize(
    ("fields", "code", "words"),
    [
        ({"containerSpecGcsPath": "gs://nightly/none.json"}, 404, "Unable to open template file"),
        ({"containerSpecGcsPath": None}, 400, "either containerSpecGcsPath or containerSpec"),
        ({"jobName": "Upper"}, 400, "invalid job name 'Upper'"),
        ({"parameters": {"source": 1}}, 400, "launch_parameter.parameters.source"),
        ({"environment": {"additionalUserLabels": {"Key": "v"}}}, 400, "Invalid label key 'Key'"),
        ({"environment": {"streamingMode": 1}}, 501, "streamingMode"),
        ({"environment": {"dumpHeapOnOom": True}}, 501, "dumpHeapOnOom"),
        ({"launchOptions": {"a": "b"}}, 501, "launchOptions"),
        ({"transformNameMappings": {"a": "b"}}, 400, "are for the update of a running job"),
        ({"update": True}, 400, "no running job named refused to update in us-central1"),
        (
            {
                "environment": {"maxWorkers": 2},
                "parameters": {**PARAMETERS, "max_num_workers": "3"},
            },
            400,
            "max_num_workers should not be specified in both",
        ),
    ],
)
def test_a_launch_that_cannot_be_is_refused(
    templates: Templates, fields: dict[str, Any], code: int, words: str
) -> None:
    error = templates.refusal(**fields)
    assert error.status_code == code
    assert words in error.reason


@pytest.mark.parametrize(
    ("spec", "code", "words"),
    [
        ("not JSON", 400, "Invalid template file gs://nightly/templates/bad.json"),
        ({"sdkInfo": {"language": "PYTHON"}}, 400, "image: Field required"),
        ({**SPEC, "image": "registry.example/none:1"}, 400, "--image registry.example/none:1="),
        ({**BROKEN, "sdkInfo": {"language": "JAVA"}}, 501, "Flex Templates in JAVA"),
        ({**SPEC, "metadata": {"name": "Count words"}}, 501, "metadata.name"),
    ],
)
def test_a_template_that_cannot_be_launched_is_refused(
    templates: Templates, spec: Any, code: int, words: str
) -> None:
    error = templates.refusal(containerSpecGcsPath=templates.keep("bad.json", spec))
    assert error.status_code == code
    assert words in error.reason
